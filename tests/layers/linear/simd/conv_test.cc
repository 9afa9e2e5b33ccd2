#include "layers/linear/simd/conv.h"
#include "he/rlwe/galois.h"

#include <gtest/gtest.h>

#include "tests/layers/linear/simd/oracle.h"

namespace ap::linear {
namespace {

constexpr std::uint32_t kN = 2048;
using enum SimdConvMethod;

Geometry conv(nn::Shape in, int c_out, int kernel, int stride = 1, int pad = 0, int groups = 1) {
  return {in, {kernel, kernel, stride, stride, {pad, pad, pad, pad}}, groups, c_out};
}

const std::vector<Geometry> kGeometries{
    conv({3, 8, 8}, 5, 3, 1, 1),                    // padded, channels left over
    conv({2, 16, 16}, 4, 1),                        // 1x1
    conv({40, 8, 8}, 36, 3, 1, 1),                  // several ciphertexts on both sides
    conv({4, 9, 7}, 3, 3, 2, 1),                    // strided, odd sizes
    conv({3, 12, 12}, 4, 5, 3, 2),                  // stride 3
    conv({1, 30, 30}, 1, 3),                        // one map fills a row
    conv({8, 6, 6}, 8, 3, 1, 1, 8),                 // depthwise
    conv({40, 8, 8}, 40, 3, 2, 1, 40),              // depthwise and strided, several ciphertexts
    conv({12, 7, 7}, 24, 3, 1, 1, 4),               // in groups
    {{3, 5, 9}, {3, 2, 2, 1, {2, 0, 0, 1}}, 1, 2},  // nothing square
    conv({5, 1, 1}, 3, 3, 1, 1),                    // a kernel larger than its map
};

class Simd : public testing::TestWithParam<SimdConvMethod> {};

TEST_P(Simd, ConvolutionsEqualTheirDefinition) {
  oracle::SimdParty party(kN, 17, {36, 36, 36});
  for (const Geometry& geometry : kGeometries) {
    const SimdConv layer(geometry, GetParam(), kN);
    const rlwe::GaloisKeys keys(party.key, layer.elements(*party.context), party.prng);
    const auto input = party.values(static_cast<std::size_t>(geometry.in.size()));
    const auto weights = party.weights(static_cast<std::size_t>(geometry.weight_count()));
    SimdCounts performed;
    const auto replies =
        layer.evaluate(party.encrypt(layer, input), party.prepare(layer, weights), keys, &performed);
    EXPECT_EQ(performed, layer.counts());
    const auto expected = oracle::convolve(geometry, input, weights, party.p());
    std::vector<int> seen(expected.size());
    for (std::size_t r = 0; r < replies.size(); ++r) {
      const auto slots = party.decrypt(replies[r]);
      for (const auto& [slot, output] : layer.reads(r)) {
        ASSERT_EQ(slots[slot], expected[output]) << geometry.in.c << " channels, output " << output;
        ++seen[output];
      }
    }
    EXPECT_EQ(seen, std::vector<int>(expected.size(), 1));
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Simd,
                         testing::Values(input_rotation, output_rotation, shifted_copies,
                                         shifted_copies_published));

// The formulas for c_n channels a ciphertext, on 7CNET (N = 8192).
TEST(SimdConv, CountsOf7CNET) {
  const auto counts = [](const Geometry& geometry, SimdConvMethod method) {
    return SimdConv(geometry, method, 8192).counts();
  };
  const auto same = [](int c_in, int c_out, int size, int kernel) {
    return conv({c_in, size, size}, c_out, kernel, 1, kernel / 2);
  };
  // {uploads, replies, products, hoisted, plain}
  EXPECT_EQ(counts(same(3, 64, 32, 3), output_rotation), (SimdCounts{1, 8, 576, 8, 56}));
  EXPECT_EQ(counts(same(64, 64, 32, 3), output_rotation), (SimdCounts{8, 8, 4608, 64, 56}));
  EXPECT_EQ(counts(same(64, 64, 32, 3), input_rotation), (SimdCounts{8, 8, 4608, 8 * 71, 0}));
  EXPECT_EQ(counts(same(64, 64, 32, 3), shifted_copies), (SimdCounts{72, 8, 4608, 0, 56}));
  EXPECT_EQ(counts(same(64, 64, 32, 3), shifted_copies_published), (SimdCounts{72, 8, 4608, 0, 448}));
  EXPECT_EQ(counts(same(64, 64, 16, 3), output_rotation), (SimdCounts{2, 2, 1152, 16, 62}));
  EXPECT_EQ(counts(same(64, 64, 8, 3), output_rotation), (SimdCounts{1, 1, 576, 8, 63}));
  EXPECT_EQ(counts(same(64, 64, 8, 1), output_rotation), (SimdCounts{1, 1, 64, 0, 63}));
  EXPECT_EQ(counts(same(64, 16, 8, 1), output_rotation), (SimdCounts{1, 1, 64, 0, 63}));
}

// A depthwise layer meets only the diagonal of its weights: one product a tap and group, no rotation of sums.
TEST(SimdConv, CountsOfDepthwiseLayers) {
  const Geometry depthwise = conv({384, 8, 8}, 384, 3, 1, 1, 384);
  EXPECT_EQ(SimdConv(depthwise, shifted_copies, 8192).counts(), (SimdCounts{27, 3, 27, 0, 0}));
  EXPECT_EQ(SimdConv(depthwise, output_rotation, 8192).counts(), (SimdCounts{3, 3, 27, 24, 0}));
  EXPECT_EQ(SimdConv(depthwise, input_rotation, 8192).counts(), (SimdCounts{3, 3, 27, 24, 0}));
  const oracle::SimdParty party(8192);
  EXPECT_TRUE(SimdConv(depthwise, shifted_copies, 8192).elements(*party.context).empty());
}

TEST(SimdConv, RefusesMapsLargerThanARow) {
  EXPECT_THROW(SimdConv(conv({1, 33, 33}, 1, 1), output_rotation, kN), Error);
  EXPECT_THROW(SimdConv(conv({1, 0, 4}, 1, 1), output_rotation, kN), Error);
}

}  // namespace
}  // namespace ap::linear
