#include "layers/activation/gc/prime_sum.h"

#include <gtest/gtest.h>

#include "layers/activation/gc/activation_circuits.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "random/prng.h"
#include "tests/layers/activation/activation_reference.h"

namespace ap::activation {
namespace {

std::vector<std::uint8_t> bits_of(std::uint64_t value, int count) {
  std::vector<std::uint8_t> bits;
  for (int i = 0; i < count; ++i) bits.push_back((value >> i) & 1);
  return bits;
}

// Every pair of shares for every odd modulus of some widths, prime or not: moduli 1 above powers of two,
// below them, and all between.
TEST(PrimeSum, EveryPairOfSharesOfSmallModuli) {
  for (std::uint64_t p = 5; p < 70; p += 2) {
    for (const int g : {0, 1, static_cast<int>(std::bit_width(p)) - 2}) {
      const ActivationSpec spec = with_primes(plain_spec(1, 0, 2, 6, g), p, 0);
      const mpc::Circuit sum = sum_circuit(spec);
      const mpc::Circuit clamp = clamp_sum_circuit(spec);
      sum.check();
      clamp.check();
      std::vector<std::uint8_t> out(static_cast<std::size_t>(spec.sum_bits));
      for (std::uint64_t b = 0; b < p; ++b) {
        const auto knowns = prime_sum_knowns(p, std::span(&b, 1));
        for (std::uint64_t a = 0; a < p; ++a) {
          const auto bits = bits_of(a, spec.share_bits());
          evaluate_plain(sum, bits, knowns, 0, out);
          const std::int64_t t = sum_of(spec, a, b);
          ASSERT_EQ(out, bits_of(static_cast<std::uint64_t>(t), spec.sum_bits)) << p << " " << a << " " << b;
          const std::uint64_t word = evaluate_plain(clamp, bits, knowns, 7, {});
          ASSERT_EQ(word, static_cast<std::uint64_t>(std::clamp<std::int64_t>(t, 0, 3) - 7) & 63);
        }
      }
    }
  }
}

TEST(PrimeSum, GateCounts) {
  struct Count {
    std::uint64_t prime;
    int width;
    int low;  // zeros at the end of p - 1
  };
  for (const auto& [p, width, low] : {Count{7681, 13, 9},
                                      {12289, 14, 12},
                                      {4099, 13, 1},
                                      {65537, 17, 16},
                                      {4079617, 22, 14},
                                      {66994177, 26, 14},
                                      {1099511627689, 40, 3},
                                      {576599359489, 40, 30}}) {
    const mpc::Circuit circuit = sum_circuit(with_primes(plain_spec(1, 0, 8, 20, 3), p, 0));
    const auto ands = static_cast<std::size_t>(2 * width - 2);
    EXPECT_EQ(circuit.and_gates(), ands) << p;
    EXPECT_EQ(circuit.ciphertexts(), 2 * ands + static_cast<std::size_t>(width - low)) << p;
  }
}

}  // namespace
}  // namespace ap::activation
