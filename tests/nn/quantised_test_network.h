// Random valid integer networks for tests.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "nn/ir/quantised_bounds.h"
#include "nn/ir/quantised_network.h"

namespace ap::nn {

/// input -> conv -> ReLU (+ pool) -> grouped or depthwise conv + shortcut -> add -> signed activation
///       -> concat with a gather of itself -> sum pool -> quadratic -> fully connected.
inline QuantisedNetwork random_network(unsigned seed) {
  std::mt19937 random(seed);
  auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  QuantisedNetwork n;
  n.name = "random " + std::to_string(seed);
  auto add = [&](const std::string& name, QOp op, std::vector<int> inputs, Shape shape, double scale) {
    n.nodes.push_back({name, std::move(op), std::move(inputs), shape, scale, 0, 0});
    return static_cast<int>(n.nodes.size()) - 1;
  };
  auto linear = [&](const std::string& name, int input, Shape in, Window w, int groups, int channels,
                    double scale) {
    QLinear op{in, w, groups, {}, {}};
    op.weights.resize(static_cast<std::size_t>(channels * (in.c / groups) * w.kernel_h * w.kernel_w));
    for (auto& v : op.weights) v = static_cast<std::int16_t>(pick(-127, 127));
    for (int c = 0; c < channels; ++c) op.bias.push_back(pick(-3000, 3000));
    return add(name, std::move(op), {input}, {channels, w.out_h(in.h), w.out_w(in.w)}, scale);
  };

  const int channels = 2 * pick(1, 5);
  const Shape image{pick(1, 4), pick(6, 13), pick(6, 13)};
  add("input", QInput{}, {}, image, 0.01);
  n.nodes[0].low = -128;
  n.nodes[0].high = 127;
  const Window three{3, 3, 1, 1, {1, 1, 1, 1}};
  const Window two{2, 2, 2, 2, {}};
  const int first = linear("conv1", 0, image, three, 1, channels, 0.001);
  QActivation relu{.shift = 7, .low = 0, .bits = 8, .has_pool = pick(0, 1) == 1, .pool = two};
  Shape shape = n.nodes.back().shape;
  if (relu.has_pool) shape = {channels, two.out_h(shape.h), two.out_w(shape.w)};
  if (!relu.has_pool) relu.pool = {};
  const int small = add("relu1", relu, {first}, shape, std::ldexp(0.001, 7));
  const int groups = pick(0, 1) ? channels : 2;
  const int second = linear("conv2", small, shape, three, groups, channels, 0.0005);
  const int sum = add("add", QAdd{{1, 256}}, {second, small}, shape, 0.0005);
  const QActivation plain{.shift = 8, .low = -128, .bits = 8, .pool = {}};
  const int joined = add("requantise", plain, {sum}, shape, std::ldexp(0.0005, 8));
  QGather gather;
  for (std::int64_t i = 0; i < shape.size(); ++i)
    gather.index.push_back(pick(-1, static_cast<int>(shape.size()) - 1));
  const int gathered = add("gather", gather, {joined}, shape, n.nodes.back().scale);
  const Shape doubled{2 * channels, shape.h, shape.w};
  const int concat = add("concat", QConcat{}, {joined, gathered}, doubled, n.nodes.back().scale);
  const Window pool{3, 3, 2, 2, {1, 1, 1, 1}};
  const Shape pooled{doubled.c, pool.out_h(shape.h), pool.out_w(shape.w)};
  const int sums = add("sum_pool", QSumPool{pool}, {concat}, pooled, n.nodes.back().scale / 9);
  const QQuadratic square{.shift = 2, .c0 = 11, .c1 = -6, .c2 = 3, .post_shift = 9, .low = 0, .bits = 8};
  const int squared = add("square", square, {sums}, pooled, 0.02);
  linear("fully_connected", squared, {static_cast<int>(pooled.size()), 1, 1}, Window{}, 1, 10, 0.0001);
  set_ranges(n, static_cast<int>(n.nodes.size()));
  return n;
}

inline std::vector<std::int32_t> random_input(const QuantisedNetwork& network, unsigned seed) {
  std::mt19937 random(seed);
  const QNode& node = network.nodes.front();
  std::uniform_int_distribution<std::int32_t> value(static_cast<std::int32_t>(node.low),
                                                    static_cast<std::int32_t>(node.high));
  std::vector<std::int32_t> input(static_cast<std::size_t>(node.shape.size()));
  for (auto& v : input) v = value(random);
  return input;
}

}  // namespace ap::nn
