#include "he/bfv/phase.h"

#include <gtest/gtest.h>

#include <cmath>

#include "he/bfv/context_tables.h"
#include "tests/he/bfv/oracle.h"

namespace ap::bfv {
namespace {

// A ciphertext with c1 = 0 shows its phase: c0 = round(q m / p) + e for chosen e must be reported as e plus
// the rounding of q m / p, computed here by long division.
TEST(Phase, ReportsAPlantedErrorWithItsFraction) {
  Prng prng(oracle::seed(1));
  for (const std::vector<int>& bits : std::vector<std::vector<int>>{{30}, {50, 49}}) {
    const ContextPtr context = oracle::context(1024, bits);
    const rlwe::SecretKey key(context, prng);
    const int log2_p = 20;
    const ring::Uint128 q = context->crt().product();
    const auto message = oracle::random_message(1024, log2_p, prng);
    rlwe::Ciphertext x(context, context->data());
    const std::span<std::uint64_t> c0 = x[0];
    std::vector<double> expected(1024);
    for (std::size_t j = 0; j < 1024; ++j) {
      const auto planted = static_cast<std::int64_t>(prng.next64() % 401) - 200;
      const ring::Uint128 scaled = q * message[j];  // below 2^119
      const ring::Uint128 rounded = (scaled + (1U << (log2_p - 1))) >> log2_p;
      const auto excess = static_cast<ring::Int128>(rounded << log2_p) - static_cast<ring::Int128>(scaled);
      expected[j] = static_cast<double>(planted) + std::ldexp(static_cast<double>(excess), -log2_p);
      const ring::Uint128 phase = (rounded + q + static_cast<ring::Uint128>(planted + 200) - 200) % q;
      for (std::size_t i = 0; i < bits.size(); ++i) c0[i * 1024 + j] = context->crt().residue(phase, i);
    }
    for (std::size_t i = 0; i < bits.size(); ++i) context->tables(i).forward(x.part(0, i));
    const std::vector<double> errors = phase_error(*context, key, x, message, log2_p);
    for (std::size_t j = 0; j < 1024; ++j) ASSERT_NEAR(errors[j], expected[j], 1e-9);
  }
}

}  // namespace
}  // namespace ap::bfv
