#include "layers/linear/simd/fc.h"
#include "he/rlwe/galois.h"

#include <gtest/gtest.h>

#include "tests/layers/linear/simd/oracle.h"

namespace ap::linear {
namespace {

constexpr std::uint32_t kN = 2048;
using enum SimdFcMethod;

class Fc : public testing::TestWithParam<SimdFcMethod> {};

TEST_P(Fc, ProductsEqualTheirDefinition) {
  oracle::SimdParty party(kN, 17, {36, 36, 36});
  const bool diagonals = GetParam() == diagonal || GetParam() == diagonal_baby_giant;
  for (const auto& [n_in, n_out] : {std::pair(64, 64),
                                    {100, 10},
                                    {1, 1},
                                    {3, 2},
                                    {30, 50},
                                    {10, 100},
                                    {1024, 10},
                                    {2048, 16},
                                    {5000, 7}}) {
    if (diagonals && n_in > 100) continue;
    const SimdFc layer(n_in, n_out, GetParam(), kN);
    const rlwe::GaloisKeys keys(party.key, layer.elements(*party.context), party.prng);
    const auto input = party.values(static_cast<std::size_t>(n_in));
    const auto weights = party.weights(static_cast<std::size_t>(n_in * n_out));
    SimdCounts performed;
    const rlwe::Ciphertext reply =
        layer.evaluate(party.encrypt(layer, input), party.prepare(layer, weights), keys, &performed);
    EXPECT_EQ(performed, layer.counts());
    const auto slots = party.decrypt(reply);
    for (int o = 0; o < n_out; ++o) {
      std::uint64_t expected = 0;
      for (int i = 0; i < n_in; ++i) {
        oracle::accumulate(expected, input[static_cast<std::size_t>(i)],
                           weights[static_cast<std::size_t>(o * n_in + i)], party.p());
      }
      ASSERT_EQ(slots[static_cast<std::size_t>(o)], expected) << n_in << " to " << n_out << ", output " << o;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Fc,
                         testing::Values(diagonal, hybrid, diagonal_baby_giant, hybrid_baby_giant));

TEST(SimdFc, CountsFollowTheFormulas) {
  const auto counts = [](int n_in, int n_out, SimdFcMethod method) {
    return SimdFc(n_in, n_out, method, 8192).counts();
  };
  // {uploads, replies, products, hoisted, plain}
  EXPECT_EQ(counts(512, 512, diagonal), (SimdCounts{1, 1, 512, 511, 0}));
  EXPECT_EQ(counts(512, 512, diagonal_baby_giant), (SimdCounts{1, 1, 512, 31, 15}));
  EXPECT_EQ(counts(1024, 16, hybrid), (SimdCounts{1, 1, 2, 1, 9}));  // 1024 16 / 8192; log2(8192 / 16)
  EXPECT_EQ(counts(8192, 1024, hybrid), (SimdCounts{1, 1, 1024, 1023, 3}));
  EXPECT_EQ(counts(8192, 1024, hybrid_baby_giant), (SimdCounts{1, 1, 1024, 31, 31 + 3}));
}

TEST(SimdFc, RefusesWhatDoesNotFit) {
  EXPECT_THROW(SimdFc(0, 1, hybrid, kN), Error);
  EXPECT_THROW(SimdFc(10, 1025, hybrid, kN), Error);
  EXPECT_THROW(SimdFc(1025, 10, diagonal, kN), Error);
}

}  // namespace
}  // namespace ap::linear
