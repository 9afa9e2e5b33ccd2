// A network with quadratic activations and one ReLU6.
#pragma once

#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol::test {

inline nn::QQuadratic quadratic(int shift, std::int64_t c0, std::int64_t c1, std::int64_t c2, int post_shift,
                                std::int64_t low) {
  return {shift, c0, c1, c2, post_shift, low, 8};
}

/// 2x6x6 -> conv -> quadratic -> conv -> ReLU6 -> conv -> quadratic of its own scale -> sum-pool -> fully
/// connected.
inline nn::QuantisedNetwork mixed_network() {
  Prng prng(Seed{5});
  nn::QuantisedNetwork net;
  net.name = "mixed";
  auto& nodes = net.nodes;
  const nn::Window same{3, 3, 1, 1, {1, 1, 1, 1}};
  nodes.push_back(make_node("input", nn::QInput{}, {}, {2, 6, 6}));
  nodes[0].low = -128;
  nodes[0].high = 127;
  nodes.push_back(make_node("conv1", make_linear(prng, {2, 6, 6}, same, 1, 4), {0}, {4, 6, 6}));
  nodes.push_back(make_node("square1", quadratic(6, 4000, 611, 2, 10, -5), {1}, {4, 6, 6}));
  nodes.push_back(make_node("conv2", make_linear(prng, {4, 6, 6}, same, 1, 4), {2}, {4, 6, 6}));
  nodes.push_back(make_node("relu6", make_activation(8), {3}, {4, 6, 6}));
  nodes.push_back(make_node("conv3", make_linear(prng, {4, 6, 6}, same, 1, 3), {4}, {3, 6, 6}));
  nodes.push_back(make_node("square2", quadratic(7, 0, -3, -1, 9, -200), {5}, {3, 6, 6}));
  nodes.push_back(make_node("pool", nn::QSumPool{{3, 3, 3, 3, {}}}, {6}, {3, 2, 2}));
  nodes.push_back(make_node("fc", make_linear(prng, {12, 1, 1}, {}, 1, 10), {7}, {10, 1, 1}));
  nodes[4].scale = 256;
  nn::set_ranges(net, static_cast<int>(nodes.size()));
  return net;
}

}  // namespace ap::protocol::test
