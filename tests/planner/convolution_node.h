// A convolution with random weights, as the node of a network, for tests of parameter choices.
#pragma once

#include "nn/ir/quantised_network.h"
#include "random/prng.h"

namespace ap::plan {

inline nn::QNode convolution(int c_in, int c_out, int side) {
  nn::QLinear op;
  op.in_shape = {c_in, side, side};
  op.window = {3, 3, 1, 1, {1, 1, 1, 1}};
  Prng prng(Seed{9});
  op.weights.resize(static_cast<std::size_t>(c_in * c_out * 9));
  for (std::int16_t& w : op.weights) w = static_cast<std::int16_t>(static_cast<int>(prng.next64() % 61) - 30);
  op.bias.resize(static_cast<std::size_t>(c_out));
  nn::QNode node;
  node.name = "conv";
  node.op = std::move(op);
  node.inputs = {0};
  node.shape = {c_out, side, side};
  return node;
}

}  // namespace ap::plan
