#include "layers/activation/ot/ot_plan.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/layers/activation/activation_reference.h"

namespace ap::activation {
namespace {

ActivationSpec pooled_image(int side, int size, int stride) {
  const auto width = static_cast<std::size_t>(side);
  ActivationSpec spec = plain_spec(width * width, 10, 8, 18);
  spec.pool_size = static_cast<std::size_t>(size * size);
  spec.outputs = 0;
  for (int y = 0; y + size <= side; y += stride) {
    for (int x = 0; x + size <= side; x += stride) {
      for (int d = 0; d < size * size; ++d) {
        spec.windows.push_back(static_cast<std::uint32_t>((y + d / size) * side + x + d % size));
      }
      ++spec.outputs;
    }
  }
  return spec;
}

std::size_t comparisons(const OtPlan& plan) {
  std::size_t count = 0;
  for (const PoolLevel& level : plan.levels) count += level.pairs.size();
  return count;
}

TEST(OtPlan, OverlappingWindowsShareComparisons) {
  // 2x2 with stride 2 shares nothing: three for each window.
  EXPECT_EQ(comparisons(plan_ot_layer(pooled_image(8, 2, 2))), 16u * 3);
  // 2x2 with stride 1: a row maximum for every neighbouring pair, then one for each window.
  EXPECT_EQ(comparisons(plan_ot_layer(pooled_image(8, 2, 1))), 8u * 7 + 49);
  // 3x3 with stride 2: 7 windows a row and column, 15 rows: two comparisons for each row maximum and two for
  // each window, where folding every window takes eight.
  EXPECT_EQ(comparisons(plan_ot_layer(pooled_image(15, 3, 2))), 15u * 7 * 2 + 49 * 2);
}

TEST(OtPlan, EveryResultIsTheMaximumOfItsWindow) {
  const ActivationSpec spec = pooled_image(11, 3, 2);
  const OtPlan plan = plan_ot_layer(spec);
  std::vector<std::uint64_t> values(spec.inputs);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i * 7919 % 251;
  for (const PoolLevel& level : plan.levels) {
    const std::size_t known = values.size();
    for (const auto& [left, right] : level.pairs) {
      ASSERT_LT(std::max<std::size_t>(left, right), known);
      values.push_back(std::max(values[left], values[right]));
    }
    ASSERT_EQ(level.step.count, level.pairs.size());
  }
  for (std::size_t o = 0; o < spec.outputs; ++o) {
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < 9; ++i) expected = std::max(expected, values[spec.windows[9 * o + i]]);
    EXPECT_EQ(values[plan.results[o]], expected);
  }
}

TEST(OtPlan, CostsOfTheUsualShapes) {
  const auto bytes = [](const ActivationSpec& spec) {
    const OtCost cost = ot_cost(spec);
    return static_cast<double>(cost.client_bytes + cost.server_bytes) / static_cast<double>(spec.inputs);
  };
  EXPECT_LT(bytes(plain_spec(1 << 18, 10, 8, 18)), 20.5);
  EXPECT_LT(bytes(plain_spec(1 << 18, 12, 8, 20, 2)), 34.5);
  EXPECT_LT(bytes(plain_spec(1 << 18, 37, 37, 37)), 43.5);
  EXPECT_EQ(ot_cost(plain_spec(1 << 18, 10, 8, 18)).one_way_messages, 6);
  EXPECT_EQ(ot_cost(plain_spec(128, 10, 8, 18)).client_cots, 128u * 15);
  EXPECT_EQ(ot_cost(plain_spec(128, 10, 8, 18)).server_cots, 128u * 3);
}

TEST(OtPlan, CostsOfLayersAddUp) {
  const std::vector<ActivationSpec> specs = {plain_spec(1000, 10, 8, 18), pooled_image(9, 3, 2)};
  const OtCost first = ot_cost(specs[0]);
  const OtCost second = ot_cost(specs[1]);
  const OtCost sum = ot_cost(specs);
  EXPECT_EQ(sum.client_cots, first.client_cots + second.client_cots);
  EXPECT_EQ(sum.server_cots, first.server_cots + second.server_cots);
  EXPECT_EQ(sum.client_bytes, first.client_bytes + second.client_bytes);
  EXPECT_EQ(sum.server_bytes, first.server_bytes + second.server_bytes);
  EXPECT_EQ(sum.client_preprocessing, first.client_preprocessing + second.client_preprocessing);
  EXPECT_EQ(sum.server_preprocessing, first.server_preprocessing + second.server_preprocessing);
  EXPECT_EQ(sum.one_way_messages, first.one_way_messages + second.one_way_messages);
}

TEST(OtPlan, BadSpecsAreRefused) {
  const auto code_of = [](const ActivationSpec& spec) {
    try {
      plan_ot_layer(spec);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  EXPECT_EQ(code_of(plain_spec(0, 10, 8, 18)), ErrorCode::input);
  EXPECT_EQ(code_of(with_primes(plain_spec(1, 0, 8, 18, 3), 7681, 0)), ErrorCode::input);
  EXPECT_EQ(code_of(with_primes(plain_spec(1, 10, 8, 0, 3), 0, 7681)), ErrorCode::input);
  EXPECT_EQ(code_of(plain_spec(1, 41, 8, 18)), ErrorCode::input);
  EXPECT_EQ(code_of(plain_spec(1, 40, 17, 18)), ErrorCode::input);  // an upper clamp has at most 16 bits
  EXPECT_EQ(code_of(plain_spec(1, 30, 41, 40)), ErrorCode::input);
  EXPECT_EQ(code_of(plain_spec(1, 30, 32, 31)), ErrorCode::input);
  EXPECT_EQ(code_of(plain_spec(1, 30, -1, 31)), ErrorCode::input);
  EXPECT_EQ(code_of(plain_spec(1, 30, 8, 7)), ErrorCode::input);
}

}  // namespace
}  // namespace ap::activation
