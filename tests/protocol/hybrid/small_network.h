// A small integer network with every kind of node that is served privately, random weights and exact bounds.
#pragma once

#include "nn/ir/quantised_bounds.h"
#include "nn/ir/quantised_network.h"
#include "random/prng.h"

namespace ap::protocol::test {

inline nn::QNode make_node(const char* name, nn::QOp op, std::vector<int> inputs, nn::Shape shape) {
  nn::QNode n;
  n.name = name;
  n.op = std::move(op);
  n.inputs = std::move(inputs);
  n.shape = shape;
  return n;
}

inline nn::QLinear make_linear(Prng& prng, nn::Shape in, nn::Window window, int groups, int c_out,
                               int magnitude = 127) {
  nn::QLinear op;
  op.in_shape = in;
  op.window = window;
  op.groups = groups;
  op.weights.resize(static_cast<std::size_t>(c_out) *
                    static_cast<std::size_t>(in.c / groups * window.kernel_h * window.kernel_w));
  for (std::int16_t& w : op.weights) {
    w = static_cast<std::int16_t>(
        static_cast<std::int64_t>(prng.next64() % static_cast<std::uint64_t>(2 * magnitude + 1)) - magnitude);
  }
  op.bias.resize(static_cast<std::size_t>(c_out));
  for (std::int64_t& b : op.bias) b = static_cast<std::int64_t>(prng.next64() % 2001) - 1000;
  return op;
}

inline nn::QActivation make_activation(int shift, std::int64_t low = 0) {
  nn::QActivation a;
  a.shift = shift;
  a.low = low;
  return a;
}

/// input 3x8x8 -> conv -> relu -> {conv -> requantise -> depthwise, shortcut} -> add -> relu + max-pool ->
/// concat -> strided conv -> clip -> sum-pool -> gather -> fully connected.
inline nn::QuantisedNetwork small_network(std::uint8_t seed = 1) {
  Prng prng(Seed{seed});
  nn::QuantisedNetwork net;
  net.name = "small";
  auto& nodes = net.nodes;
  nodes.push_back(make_node("input", nn::QInput{}, {}, {3, 8, 8}));
  nodes[0].low = -128;
  nodes[0].high = 127;
  nodes.push_back(
      make_node("conv1", make_linear(prng, {3, 8, 8}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 4), {0}, {4, 8, 8}));
  nodes.push_back(make_node("relu1", make_activation(7), {1}, {4, 8, 8}));
  nodes.push_back(
      make_node("conv2", make_linear(prng, {4, 8, 8}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 4), {2}, {4, 8, 8}));
  nodes.push_back(make_node("requantise", make_activation(9, -128), {3}, {4, 8, 8}));
  nodes.push_back(
      make_node("depthwise", make_linear(prng, {4, 8, 8}, {3, 3, 1, 1, {1, 1, 1, 1}}, 4, 4), {4}, {4, 8, 8}));
  nodes.push_back(make_node("add", nn::QAdd{{1, 100}}, {5, 2}, {4, 8, 8}));
  nn::QActivation pooled = make_activation(8);
  pooled.has_pool = true;
  pooled.pool = {3, 3, 2, 2, {1, 1, 0, 0}};
  nodes.push_back(make_node("relu_pool", pooled, {6}, {4, 4, 4}));
  nodes.push_back(make_node("concat", nn::QConcat{}, {7, 7}, {8, 4, 4}));
  nodes.push_back(make_node("conv3", make_linear(prng, {8, 4, 4}, {2, 2, 2, 2, {}}, 2, 6), {8}, {6, 2, 2}));
  nn::QActivation clip = make_activation(8);
  clip.bits = 6;
  nodes.push_back(make_node("clip", clip, {9}, {6, 2, 2}));
  nodes.push_back(make_node("pool", nn::QSumPool{{2, 2, 1, 1, {}}}, {10}, {6, 1, 1}));
  nodes.push_back(make_node("gather", nn::QGather{{5, 4, -1, 3, 2, 1, 0}}, {11}, {7, 1, 1}));
  nodes.push_back(make_node("fc", make_linear(prng, {7, 1, 1}, {}, 1, 10), {12}, {10, 1, 1}));
  nn::set_ranges(net, static_cast<int>(nodes.size()));
  return net;
}

}  // namespace ap::protocol::test
