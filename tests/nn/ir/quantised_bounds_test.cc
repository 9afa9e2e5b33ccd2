#include "nn/ir/quantised_bounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/error.h"
#include "nn/execute/integer_executor.h"
#include "tests/nn/quantised_test_network.h"

namespace ap::nn {
namespace {

TEST(OutputInterval, HoldsOnRandomInputs) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    const QuantisedNetwork network = random_network(seed);
    const IntegerExecutor executor(network);
    for (unsigned trial = 0; trial < 20; ++trial) {
      const auto values = executor.run(random_input(network, trial));
      for (std::size_t i = 0; i < values.size(); ++i) {
        const auto [low, high] = std::minmax_element(values[i].begin(), values[i].end());
        ASSERT_GE(*low, network.nodes[i].low) << network.nodes[i].name;
        ASSERT_LE(*high, network.nodes[i].high) << network.nodes[i].name;
      }
    }
  }
}

/// Input, then one linear node with random weights.
QuantisedNetwork one_layer(const Shape& in, const Window& w, int channels, std::int64_t low,
                           std::int64_t high, std::mt19937& random) {
  QuantisedNetwork n;
  n.nodes.push_back({"input", QInput{}, {}, in, 1, low, high});
  QLinear op{in, w, 1, {}, {}};
  std::uniform_int_distribution<int> weight(-100, 100);
  for (int i = 0; i < channels * in.c * w.kernel_h * w.kernel_w; ++i) {
    op.weights.push_back(static_cast<std::int16_t>(weight(random)));
  }
  for (int i = 0; i < channels; ++i) op.bias.push_back(weight(random) * 50);
  n.nodes.push_back({"layer", op, {0}, {channels, w.out_h(in.h), w.out_w(in.w)}, 1, 0, 0});
  set_ranges(n, 2);
  return n;
}

TEST(OutputInterval, IsAttainedByWorstInputs) {
  // For every output element, the input that is extreme wherever a weight touches it; the interval must be
  // the hull.
  std::mt19937 random(7);
  const Window padded{3, 3, 1, 1, {1, 1, 1, 1}}, strided{2, 3, 2, 1, {0, 1, 1, 1}}, plain{2, 2, 1, 1, {}};
  struct Case {
    Shape in;
    Window window;
    std::int64_t low, high;
  };
  const Case cases[] = {{{2, 1, 1}, padded, -3, 200},   {{2, 2, 2}, padded, 0, 255},
                        {{1, 5, 4}, padded, -128, 127}, {{3, 5, 5}, strided, 0, 255},
                        {{2, 3, 3}, plain, -9, 5},      {{2, 3, 3}, plain, 5, 9},
                        {{6, 1, 1}, Window{}, 0, 255},  {{6, 1, 1}, Window{}, -20, -3}};
  for (const Case& c : cases) {
    const QuantisedNetwork n = one_layer(c.in, c.window, 3, c.low, c.high, random);
    const IntegerExecutor executor(n);
    const auto size = static_cast<std::size_t>(c.in.size());
    const std::vector<std::int32_t> zero(size, 0);
    const auto at_zero = executor.logits(zero);
    std::vector<std::vector<std::int32_t>> unit;
    for (std::size_t i = 0; i < size; ++i) {
      auto input = zero;
      input[i] = 1;
      unit.push_back(executor.logits(input));
    }
    std::int64_t low = INT64_MAX, high = INT64_MIN;
    for (std::size_t o = 0; o < at_zero.size(); ++o) {
      std::vector<std::int32_t> most(size), least(size);
      for (std::size_t i = 0; i < size; ++i) {
        const bool positive = unit[i][o] > at_zero[o];
        most[i] = static_cast<std::int32_t>(positive ? c.high : c.low);
        least[i] = static_cast<std::int32_t>(positive ? c.low : c.high);
      }
      high = std::max<std::int64_t>(high, executor.logits(most)[o]);
      low = std::min<std::int64_t>(low, executor.logits(least)[o]);
    }
    EXPECT_EQ(n.nodes[1].low, low);
    EXPECT_EQ(n.nodes[1].high, high);
  }
}

TEST(OutputInterval, QuadraticEqualsEnumeration) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 500; ++trial) {
    auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    const QQuadratic q{.shift = pick(0, 3),
                       .c0 = pick(-50, 50),
                       .c1 = pick(-50, 50),
                       .c2 = pick(-5, 5),
                       .post_shift = pick(0, 3),
                       .low = -100,
                       .bits = pick(6, 16)};
    const int low = pick(-200, 100), high = low + pick(0, 200);
    QuantisedNetwork n;
    n.nodes.push_back({"input", QInput{}, {}, {high - low + 1, 1, 1}, 1, low, high});
    n.nodes.push_back({"q", q, {0}, n.nodes[0].shape, 1, 0, 0});
    set_ranges(n, 2);
    std::vector<std::int32_t> all;
    for (int v = low; v <= high; ++v) all.push_back(v);
    const auto out = integer_logits(n, all);
    EXPECT_EQ(n.nodes[1].low, *std::min_element(out.begin(), out.end()));
    EXPECT_EQ(n.nodes[1].high, *std::max_element(out.begin(), out.end()));
  }
}

TEST(OutputInterval, RefusesOverflow) {
  std::mt19937 random(1);
  EXPECT_THROW(one_layer({4, 2, 2}, Window{}, 2, -kMaxMagnitude, kMaxMagnitude, random), Error);
  QuantisedNetwork n = one_layer({4, 2, 2}, Window{}, 2, -100, 100, random);
  n.nodes.push_back({"add", QAdd{{INT32_MAX}}, {1}, n.nodes[1].shape, 1, 0, 0});
  EXPECT_THROW(set_ranges(n, 3), Error);
  n.nodes[2].op = QQuadratic{.c2 = std::int64_t{1} << 48};
  EXPECT_THROW(set_ranges(n, 3), Error);
}

}  // namespace
}  // namespace ap::nn
