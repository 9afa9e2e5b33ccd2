#include "he/bfv/batch_noise.h"

#include <gtest/gtest.h>

#include "tests/he/bfv/batch_oracle.h"

namespace ap::bfv {
namespace {

// The measurement sees exactly a noise that was put there.
TEST(BatchNoise, MeasuresWhatIsThere) {
  Prng prng(Seed{51});
  const BatchContextPtr context = oracle::batch_context({.n = 2048, .plain = {16}, .data = {40, 41, 42}});
  const rlwe::SecretKey key(context, prng);
  const oracle::Slots slots = oracle::random_slots(*context, prng);
  rlwe::Ciphertext x(context, 3);
  add_plain(*context, x, slots);
  const std::int64_t planted[] = {0, 1, -1, 1 << 20, -(std::int64_t{1} << 45)};
  for (std::size_t i = 0; i < 3; ++i) {
    const ring::Modulus& q = context->modulus(i);
    AlignedVector<std::uint64_t> noise(context->n());
    for (std::size_t j = 0; j < 5; ++j) {
      const auto magnitude = static_cast<std::uint64_t>(std::abs(planted[j]));
      noise[j] = planted[j] < 0 ? q.sub(0, q.reduce(magnitude)) : q.reduce(magnitude);
    }
    context->tables(i).forward(noise);
    ring::elementwise().add(x.part(0, i).data(), noise.data(), q.value(), x.part(0, i).data(), context->n());
  }
  const std::vector<double> measured = measure_noise(*context, key, x, slots);
  for (std::size_t j = 0; j < measured.size(); ++j) {
    EXPECT_EQ(measured[j], j < 5 ? static_cast<double>(planted[j]) : 0.0) << j;
  }
}

}  // namespace
}  // namespace ap::bfv
