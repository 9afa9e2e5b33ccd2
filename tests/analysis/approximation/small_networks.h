// Small float networks with activations, and images for them.
#pragma once

#include <limits>
#include <random>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::approximation {

inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline const nn::ClipOp kReluOp{0, kInfinity};

inline std::vector<float> normal_values(std::size_t count, float deviation, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> values(count);
  for (float& v : values) v = normal(engine);
  return values;
}

inline nn::ConvOp convolution(int in, int out, int stride, unsigned seed) {
  nn::ConvOp op;
  op.window = {3, 3, stride, stride, {1, 1, 1, 1}};
  op.weights = normal_values(static_cast<std::size_t>(in * out * 9), 0.25F, seed);
  op.bias = normal_values(static_cast<std::size_t>(out), 0.1F, seed + 1);
  return op;
}

inline nn::FullyConnectedOp connection(int in, int out, unsigned seed) {
  return {normal_values(static_cast<std::size_t>(in * out), 0.3F, seed),
          normal_values(static_cast<std::size_t>(out), 0.1F, seed + 1)};
}

/// x -> W x -> ReLU -> V x, with `width` hidden values of `in` inputs and 2 scores.
inline nn::Graph perceptron(int in, int width, nn::Op activation = kReluOp) {
  nn::Graph g;
  g.name = "perceptron";
  g.nodes = {{"x", nn::InputOp{}, {}, {in, 1, 1}},
             {"hidden", connection(in, width, 1), {0}, {width, 1, 1}},
             {"activation", std::move(activation), {1}, {width, 1, 1}},
             {"scores", connection(width, 2, 3), {2}, {2, 1, 1}}};
  return g;
}

/// Two residual blocks of 8x8 images, the second of which halves them: ReLUs at nodes 2, 4, 7, 9 and 13.
inline nn::Graph residual_network() {
  nn::Graph g;
  g.name = "residual";
  nn::GatherOp halve;  // every second pixel, and two channels of zeros
  for (int c = 0; c < 6; ++c) {
    for (int y = 0; y < 4; ++y) {
      for (int x = 0; x < 4; ++x) halve.index.push_back(c < 4 ? (c * 8 + 2 * y) * 8 + 2 * x : -1);
    }
  }
  const nn::Shape wide{4, 8, 8}, narrow{6, 4, 4};
  g.nodes = {{"x", nn::InputOp{}, {}, {2, 8, 8}},
             {"conv1", convolution(2, 4, 1, 11), {0}, wide},
             {"relu1", kReluOp, {1}, wide},
             {"conv2", convolution(4, 4, 1, 13), {2}, wide},
             {"relu2", kReluOp, {3}, wide},
             {"conv3", convolution(4, 4, 1, 15), {4}, wide},
             {"add1", nn::AddOp{}, {5, 2}, wide},
             {"relu3", kReluOp, {6}, wide},
             {"conv4", convolution(4, 6, 2, 17), {7}, narrow},
             {"relu4", kReluOp, {8}, narrow},
             {"conv5", convolution(6, 6, 1, 19), {9}, narrow},
             {"shortcut", halve, {7}, narrow},
             {"add2", nn::AddOp{}, {10, 11}, narrow},
             {"relu5", kReluOp, {12}, narrow},
             {"pool", nn::AveragePoolOp{{4, 4, 4, 4, {}}, true, 1}, {13}, {6, 1, 1}},
             {"scores", connection(6, 3, 21), {14}, {3, 1, 1}}};
  nn::validate(g);
  return g;
}

}  // namespace ap::approximation
