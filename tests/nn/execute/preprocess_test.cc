#include "nn/execute/preprocess.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ap::nn {
namespace {

/// Takes images of two channels, each of two pixels, in steps of 1/2 from -8 to 7.
QuantisedNetwork network() {
  QuantisedNetwork n;
  QNode input;
  input.op = QInput{};
  input.shape = {2, 1, 2};
  input.scale = 0.5;
  input.low = -8;
  input.high = 7;
  n.nodes.push_back(input);
  return n;
}

// (pixel / 10 - mean) / std, in units of 1/2: channel 0 has mean 1 and std 1, channel 1 mean 0 and std 2.
const Normalization kNormalization{10, {1, 0}, {1, 2}};

TEST(Preprocess, NormalisesByChannelAndQuantises) {
  Dataset data;
  data.shape = {2, 1, 2};
  data.bytes = {10, 20, 30, 255, 0, 0, 0, 0};
  EXPECT_EQ(preprocess(network(), data, 0, kNormalization), (SecretVector<std::int32_t>{0, 2, 3, 7}));
  EXPECT_EQ(preprocess(network(), data, 1, kNormalization), (SecretVector<std::int32_t>{-2, -2, 0, 0}));
  EXPECT_EQ(preprocess_all(network(), data, kNormalization),
            (std::vector<std::int32_t>{0, 2, 3, 7, -2, -2, 0, 0}));
}

TEST(Preprocess, PixelsAndNormalisedValuesGiveTheSame) {
  const std::vector<std::uint8_t> pixels = {10, 20, 30, 255};
  const std::vector<float> normalised = {0, 1, 1.5, 12.75};
  const SecretVector<std::int32_t> expected = {0, 2, 3, 7};
  EXPECT_EQ(preprocess(network(), pixels, {2, 1, 2}, kNormalization), expected);
  EXPECT_EQ(preprocess(network(), normalised), expected);
}

TEST(Preprocess, CountsWhatIsCutToTheRange) {
  Dataset data;
  data.shape = {2, 1, 2};
  // -8 to 7 are -4 to 3.5, and what rounds to them is within.
  data.floats = {-4.24F, 3.74F, 0, 3.5F, -4.26F, 3.76F, 1e30F, -1e30F};
  EXPECT_EQ(saturated(network(), data, 0, {1, {0}, {1}}), 0U);
  EXPECT_EQ(saturated(network(), data, 1, {1, {0}, {1}}), 4U);
}

TEST(Preprocess, RefusesAnotherSize) {
  const std::vector<std::uint8_t> pixels = {10, 20, 30};
  EXPECT_THROW(preprocess(network(), pixels, {2, 1, 2}, kNormalization), Error);
  EXPECT_THROW(preprocess(network(), pixels, {3, 1, 1}, {10, {0}, {1}}), Error);
  EXPECT_THROW(preprocess(network(), std::vector<float>{1, 2}), Error);
}

}  // namespace
}  // namespace ap::nn
