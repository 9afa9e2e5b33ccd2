#include "nn/execute/integer_executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "base/error.h"
#include "nn/execute/integer_executor_linear.h"
#include "tests/nn/quantised_test_network.h"

namespace ap::nn {
namespace {

using Values = std::vector<std::int32_t>;

/// The definition of a convolution, one product after the other in 64 bits.
std::vector<std::int64_t> naive_linear(const QLinear& op, const Shape& out_shape, const Values& in) {
  const Window& w = op.window;
  const Shape& s = op.in_shape;
  const int depth = s.c / op.groups, outputs = out_shape.c / op.groups;
  std::vector<std::int64_t> out;
  for (int o = 0; o < out_shape.c; ++o) {
    for (int y = 0; y < out_shape.h; ++y) {
      for (int x = 0; x < out_shape.w; ++x) {
        std::int64_t sum = op.bias[static_cast<std::size_t>(o)];
        for (int c = 0; c < depth; ++c) {
          for (int ky = 0; ky < w.kernel_h; ++ky) {
            for (int kx = 0; kx < w.kernel_w; ++kx) {
              const int iy = y * w.stride_h + ky - w.pad.top, ix = x * w.stride_w + kx - w.pad.left;
              if (iy < 0 || iy >= s.h || ix < 0 || ix >= s.w) continue;
              const int ic = o / outputs * depth + c;
              sum += std::int64_t{op.weights[static_cast<std::size_t>(
                         ((o * depth + c) * w.kernel_h + ky) * w.kernel_w + kx)]} *
                     in[static_cast<std::size_t>((ic * s.h + iy) * s.w + ix)];
            }
          }
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

TEST(LinearKernel, EqualsDefinitionOnRandomShapes) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 400; ++trial) {
    auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    QLinear op;
    op.groups = pick(0, 2) ? 1 : pick(1, 4);
    const int depth = pick(1, 6), outputs = pick(1, trial % 7 == 0 ? 40 : 6);
    op.in_shape = {op.groups * depth, pick(1, 11), pick(1, trial % 3 == 0 ? 40 : 11)};
    Window& w = op.window;
    w.kernel_h = pick(1, 4);
    w.kernel_w = pick(1, 4);
    w.stride_h = pick(1, 3);
    w.stride_w = pick(1, 3);
    w.pad = {pick(0, w.kernel_h - 1), pick(0, w.kernel_w - 1), pick(0, w.kernel_h - 1),
             pick(0, w.kernel_w - 1)};
    if (op.in_shape.h + w.pad.top + w.pad.bottom < w.kernel_h ||
        op.in_shape.w + w.pad.left + w.pad.right < w.kernel_w) {
      continue;
    }
    const Shape out{op.groups * outputs, w.out_h(op.in_shape.h), w.out_w(op.in_shape.w)};
    op.weights.resize(static_cast<std::size_t>(out.c * depth * w.kernel_h * w.kernel_w));
    op.bias.resize(static_cast<std::size_t>(out.c));
    // Every few trials inputs beyond 16 bits, which take the wide path.
    const int reach = trial % 5 == 0 ? 100000 : 255;
    for (auto& v : op.weights) v = static_cast<std::int16_t>(pick(-127, 127));
    for (auto& v : op.bias) v = pick(-1000000, 1000000);
    Values in(static_cast<std::size_t>(op.in_shape.size()));
    for (auto& v : in) v = pick(-reach, reach);

    const std::vector<std::int64_t> wanted = naive_linear(op, out, in);
    for (const ExecutorKernels* kernels : all_executor_kernels()) {
      Values got(static_cast<std::size_t>(out.size()));
      LinearKernel(op, out, *kernels).run(in, got);
      ASSERT_EQ(std::vector<std::int64_t>(got.begin(), got.end()), wanted)
          << "trial " << trial << " " << kernels->name;
    }
  }
}

TEST(LinearKernel, ExtremeValuesWrapOnlyInBetween) {
  // Partial sums leave 32 bits, the result does not.
  QLinear op;
  op.in_shape = {8, 5, 5};
  op.window = {.kernel_h = 3, .kernel_w = 3, .pad = {}};
  op.weights.assign(2 * 8 * 9, 32767);
  std::fill(op.weights.begin() + 8 * 9, op.weights.end(), std::int16_t{-32767});
  op.bias = {-32767LL * 32767 * 72 + 5, 32767LL * 32767 * 72 - 7};
  const Values in(8 * 25, 32767);
  for (const ExecutorKernels* kernels : all_executor_kernels()) {
    Values out(2 * 9);
    LinearKernel(op, {2, 3, 3}, *kernels).run(in, out);
    for (int i = 0; i < 9; ++i) {
      EXPECT_EQ(out[static_cast<std::size_t>(i)], 5) << kernels->name;
      EXPECT_EQ(out[static_cast<std::size_t>(9 + i)], -7) << kernels->name;
    }
  }
}

/// A one-operation network over an input of the given shape and range.
QuantisedNetwork single(QOp op, Shape in, Shape out) {
  QuantisedNetwork network;
  network.nodes.push_back({"input", QInput{}, {}, in, 1.0, -1000000, 1000000});
  network.nodes.push_back({"op", std::move(op), {0}, out, 1.0, 0, 0});
  return network;
}

TEST(IntegerExecutor, ActivationRoundsHalfUpAndClamps) {
  const QActivation relu{.shift = 2, .low = 0, .bits = 3, .pool = {}};
  const Values in = {-7, -6, -3, -2, -1, 0, 1, 2, 5, 6, 29, 30, 1000};
  EXPECT_EQ(integer_logits(single(relu, {13}, {13}), in), (Values{0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 7, 7, 7}));
  const QActivation plain{.shift = 2, .low = -4, .bits = 3, .pool = {}};
  EXPECT_EQ(integer_logits(single(plain, {13}, {13}), in),
            (Values{-2, -1, -1, 0, 0, 0, 0, 1, 1, 2, 3, 3, 3}));
  const QActivation none{.shift = 0, .low = -5, .bits = 4, .pool = {}};
  EXPECT_EQ(integer_logits(single(none, {13}, {13}), in),
            (Values{-5, -5, -3, -2, -1, 0, 1, 2, 5, 6, 10, 10, 10}));
}

TEST(IntegerExecutor, PoolsBeforeClampingAndIgnoresPadding) {
  QActivation pool{.shift = 1, .low = -100, .bits = 8, .has_pool = true, .pool = {}};
  pool.pool = {.kernel_h = 2, .kernel_w = 2, .stride_h = 2, .stride_w = 2, .pad = {1, 1, 0, 0}};
  const Values in = {-10, -20, -30, -40, -50, -60, -70, -80, -90};
  EXPECT_EQ(integer_logits(single(pool, {1, 3, 3}, {1, 2, 2}), in), (Values{-5, -10, -20, -25}));
}

TEST(IntegerExecutor, SumPoolAddGatherConcat) {
  QuantisedNetwork n;
  n.nodes.push_back({"input", QInput{}, {}, {1, 2, 2}, 1, -9, 9});
  n.nodes.push_back(
      {"sum", QSumPool{{.kernel_h = 2, .kernel_w = 2, .pad = {1, 0, 0, 0}}}, {0}, {1, 2, 1}, 1, 0, 0});
  n.nodes.push_back({"gather", QGather{{3, -1}}, {0}, {1, 2, 1}, 1, 0, 0});
  n.nodes.push_back({"add", QAdd{{10, 3}}, {1, 2}, {1, 2, 1}, 1, 0, 0});
  n.nodes.push_back({"concat", QConcat{}, {3, 2}, {2, 2, 1}, 1, 0, 0});
  const auto values = run_integer(n, Values{1, 2, -4, 8});
  EXPECT_EQ(values[1], (Values{3, 7}));
  EXPECT_EQ(values[2], (Values{8, 0}));
  EXPECT_EQ(values[3], (Values{54, 70}));
  EXPECT_EQ(values[4], (Values{54, 70, 8, 0}));
}

TEST(IntegerExecutor, QuadraticFollowsItsDefinition) {
  const QQuadratic q{.shift = 3, .c0 = -5, .c1 = 7, .c2 = 3, .post_shift = 4, .low = -10, .bits = 12};
  Values in(401);
  for (int i = 0; i < 401; ++i) in[static_cast<std::size_t>(i)] = 10 * (i - 200);
  const Values out = integer_logits(single(q, {401}, {401}), in);
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double t = std::floor((in[i] + 4) / 8.0);
    const double wanted = std::clamp(std::floor((-5 + 7 * t + 3 * t * t + 8) / 16), -10.0, 4085.0);
    EXPECT_EQ(out[i], wanted) << in[i];
  }
}

TEST(IntegerExecutor, LogitsAreTheLastValuesOfRun) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const QuantisedNetwork network = random_network(seed);
    const Values input = random_input(network, seed);
    EXPECT_EQ(IntegerExecutor(network).logits(input), run_integer(network, input).back());
  }
}

TEST(IntegerExecutor, EveryLinearNodeEqualsDefinitionInWholeNetworks) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const QuantisedNetwork network = random_network(seed);
    const auto values = run_integer(network, random_input(network, seed));
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
      const QNode& node = network.nodes[i];
      const auto* linear = std::get_if<QLinear>(&node.op);
      if (!linear) continue;
      const auto wanted = naive_linear(*linear, node.shape, values[static_cast<std::size_t>(node.inputs[0])]);
      EXPECT_EQ(std::vector<std::int64_t>(values[i].begin(), values[i].end()), wanted) << node.name;
    }
  }
}

TEST(IntegerExecutor, HooksSeeAndChangeValues) {
  const QActivation relu{.shift = 4, .low = 0, .bits = 8, .pool = {}};
  const QuantisedNetwork network = single(relu, {3}, {3});
  IntegerHooks hooks;
  hooks.rounding = [](int node, std::span<const std::int32_t> x, std::span<std::int32_t> offset) {
    EXPECT_EQ(x[1], 17);
    EXPECT_EQ(node, 1);
    for (auto& o : offset) EXPECT_EQ(std::exchange(o, 15), 8);
  };
  EXPECT_EQ(integer_logits(network, Values{16, 17, 33}, hooks), (Values{1, 2, 3}));
  hooks = {};
  hooks.after_node = [](int node, std::span<std::int32_t> values) {
    if (node == 0) values[2] += 160;
  };
  EXPECT_EQ(integer_logits(network, Values{16, 17, 33}, hooks), (Values{1, 1, 12}));
}

TEST(IntegerExecutor, RefusesWrongInputsAndStrippedNetworks) {
  const QuantisedNetwork network = random_network(3);
  EXPECT_THROW(integer_logits(network, Values{1}), Error);
  EXPECT_THROW(IntegerExecutor(strip_weights(network)), Error);
}

TEST(QuantiseInput, RoundsHalfAwayFromZeroAndClamps) {
  QuantisedNetwork network = single(QActivation{}, {6}, {6});
  network.nodes[0].scale = 0.5;
  network.nodes[0].low = -3;
  network.nodes[0].high = 4;
  const std::vector<float> image = {0.25F, -0.25F, 0.24F, 100, -100, -0.75F};
  EXPECT_EQ(quantise_input(network, image), (Values{1, -1, 0, 4, -3, -2}));
  EXPECT_THROW(quantise_input(network, std::span(image).first(5)), Error);
  const std::vector<float> bad = {0, 0, 0, 0, 0, NAN};
  EXPECT_THROW(quantise_input(network, bad), Error);
}

TEST(IntegerExecutor, SaturatedValuesAreThoseBeyondTheRange) {
  QuantisedNetwork network;
  network.nodes.push_back({"input", QInput{}, {}, {4, 1, 1}, 0.5, -10, 20});
  // The ends are -5 and 10, and half a unit beyond is rounding.
  EXPECT_EQ(saturated_values(network, std::vector<float>{-5, 10, 10.4F, 0}), 0U);
  EXPECT_EQ(saturated_values(network, std::vector<float>{-7, 30, 10, -1e9F}), 3U);
  EXPECT_THROW(saturated_values(network, std::vector<float>{1}), Error);
}

}  // namespace
}  // namespace ap::nn
