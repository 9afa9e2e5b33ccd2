// The networks of the agent and their optimisers, in libtorch. Included only by the .cc files of this module:
// its headers compile slowly.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/adam.h>

#include "base/bytes.h"

namespace ap::ddpg {

/// inputs -> 400 -> 300 -> 1 with ReLU between, and nothing or a sigmoid at the end.
class PerceptronImpl : public torch::nn::Module {
 public:
  /// Weights and biases uniform in +-1/sqrt(inputs of the layer), in the last layer in +-0.003, so that the
  /// first outputs are close to 0 whatever the state (Lillicrap et al., section 7).
  PerceptronImpl(int inputs, bool sigmoid, std::uint64_t seed);
  /// [n, inputs] -> [n, 1].
  torch::Tensor forward(torch::Tensor x);

 private:
  bool sigmoid_;
  torch::nn::Linear first_, second_, last_;
};
TORCH_MODULE(Perceptron);

/// target <- (1 - rate) target + rate * source, weight by weight; rate 1 copies.
void follow(Perceptron& target, Perceptron& source, double rate);

/// libtorch with one thread as long as this lives: small products gain nothing from more, and sums stay the
/// same.
class SingleThread {
 public:
  SingleThread();
  ~SingleThread();
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  int before_;
};

/// Weights and Adam's moments as raw floats.
std::vector<float> flat_weights(Perceptron& network);
void save(ByteWriter& out, Perceptron& network);
void save(ByteWriter& out, Perceptron& network, torch::optim::Adam& optimiser);
/// @throws Error(input) if the bytes end early.
void load(ByteReader& in, Perceptron& network);
void load(ByteReader& in, Perceptron& network, torch::optim::Adam& optimiser);

}  // namespace ap::ddpg
