#include "layers/linear/plaintext/clear_conv.h"

#include <gtest/gtest.h>

#include "base/cpu.h"
#include "base/error.h"
#include "layers/linear/plaintext/clear_kernels.h"
#include "tests/layers/linear/reference.h"

namespace ap::linear {
namespace {

void expect_exact(const Geometry& g, Random& random) {
  const auto weights = random_weights(g, random);
  const auto x = random_values(static_cast<std::size_t>(g.in.size()), random);
  const auto expected = naive_conv(g, x, weights);
  const ClearConv conv(g, weights);
  std::vector<std::uint64_t> y(expected.size(), 77);
  conv.apply(x, std::span(y));
  ASSERT_EQ(y, expected);
  const std::vector<std::uint32_t> narrow(x.begin(), x.end());
  std::vector<std::uint32_t> narrow_y(expected.size(), 77);
  conv.apply(std::span(narrow), std::span(narrow_y));
  ASSERT_EQ(narrow_y, std::vector<std::uint32_t>(expected.begin(), expected.end()));
}

TEST(ClearConv, EqualsTheDefinitionForRandomShapes) {
  Random random(2);
  for (int i = 0; i < 1500; ++i) expect_exact(random_geometry(random, 16, 12), random);
}

TEST(ClearConv, EqualsTheDefinitionForShapesThatFillSeveralBlocks) {
  Random random(3);
  expect_exact({{40, 9, 11}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 21}, random);  // depth 360 > 256, 99 pixels
  expect_exact({{600, 1, 1}, {1, 1, 1, 1, {}}, 1, 70}, random);
  expect_exact({{64, 2, 3}, {3, 3, 1, 1, {1, 1, 1, 1}}, 2, 6}, random);
  expect_exact({{24, 16, 16}, {3, 3, 2, 2, {0, 0, 1, 1}}, 24, 48}, random);
}

template <typename T>
void expect_equal_kernels(const char* name) {
  Random random(4);
  const ClearKernels<T> fast = clear_kernels<T>(name), plain = clear_kernels<T>("scalar");
  for (const std::int64_t depth : {0, 1, 7, 63, 64, 65, 256}) {
    for (const bool extreme : {false, true}) {
      AlignedVector<std::int32_t> panel(static_cast<std::size_t>(depth * kRows));
      AlignedVector<std::int16_t> weights(static_cast<std::size_t>(depth));
      AlignedVector<T> columns(static_cast<std::size_t>(depth * kLanes)), sums(kRows * kLanes);
      for (auto& v : panel) v = extreme ? -32768 : static_cast<std::int16_t>(random());
      for (auto& v : weights) v = extreme ? std::int16_t{-32768} : static_cast<std::int16_t>(random());
      for (auto& v : columns) v = extreme ? static_cast<T>(-1) : static_cast<T>(random());
      for (auto& v : sums) v = static_cast<T>(random());
      auto expected = sums;
      fast.block(panel.data(), columns.data(), depth, sums.data());
      plain.block(panel.data(), columns.data(), depth, expected.data());
      EXPECT_EQ(sums, expected);
      if (depth > 0) {
        EXPECT_EQ(fast.dot(weights.data(), columns.data(), depth),
                  plain.dot(weights.data(), columns.data(), depth));
      }
      const T weight = static_cast<T>(std::int64_t{-5});
      AlignedVector<T> a(columns), b(columns);
      fast.add_scaled(weight, columns.data(), depth, a.data());
      plain.add_scaled(weight, columns.data(), depth, b.data());
      EXPECT_EQ(a, b);
    }
  }
}

TEST(ClearKernels, FastEqualPlain) {
  if (cpu().avx2) {
    expect_equal_kernels<std::uint32_t>("avx2");
    expect_equal_kernels<std::uint64_t>("avx2");
  }
  if (cpu().avx512) {
    expect_equal_kernels<std::uint32_t>("avx512");
    expect_equal_kernels<std::uint64_t>("avx512");
  }
}

TEST(ClearConv, RefusesAWrongNumberOfWeights) {
  const Geometry g{{4, 4, 4}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 4};
  EXPECT_THROW(ClearConv(g, std::vector<std::int16_t>(143)), Error);
}

}  // namespace
}  // namespace ap::linear
