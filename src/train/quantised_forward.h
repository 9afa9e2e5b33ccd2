// The integer network as a differentiable function of float weights: the values are exactly those of
// nn::IntegerExecutor as long as accumulators stay below 2^24, with or without injected errors; the gradients
// go straight through every rounding and every error and stop where a clamp or a weight limit holds. Only for
// .cc files.
#pragma once

#include <optional>
#include <vector>

#include "train/errors.h"
#include "train/parameters.h"
#include "train/tensor_ops.h"

namespace ap::train {

class QuantisedForward {
 public:
  /// `network` was made from `graph` by nn::quantise with weights of `weight_bits`; both outlive this object.
  /// What bias correction added to the biases is kept.
  /// @throws Error(input) if a linear layer of the network is not in the graph, or not with these weights.
  QuantisedForward(const nn::Graph& graph, const nn::QuantisedNetwork& network, int weight_bits);

  /// Logits in real units. `numbers` tells the images' numbers to `errors` (may be empty).
  at::Tensor operator()(const Parameters& parameters, const at::Tensor& images, const Errors& errors,
                        std::uint64_t seed, std::span<const std::uint64_t> numbers) const;

  /// The network with the parameters on its grid, ranges brought up to date. Structure and scales stay.
  nn::QuantisedNetwork network(const Parameters& parameters) const;

 private:
  struct Linear {
    std::size_t source = 0;  ///< node of the graph
    double step = 0;         ///< of the weights
    at::Tensor correction;   ///< of the biases, in accumulator units
  };
  struct Run;
  at::Tensor weights_of(std::size_t node, const Parameters& parameters) const;
  at::Tensor bias_of(std::size_t node, const Parameters& parameters) const;
  at::Tensor evaluate(std::size_t node, const Parameters& parameters, const std::vector<at::Tensor>& values,
                      Run& run) const;
  at::Tensor input_integers(const at::Tensor& images) const;

  const nn::QuantisedNetwork& network_;
  double limit_ = 0;  ///< of weights
  std::vector<std::optional<Linear>> linears_;
  std::vector<std::optional<GatherIndex>> gathers_;
  std::vector<bool> hooked_;  ///< nodes that hooks see: linear, read by a truncation, or last
  std::vector<std::size_t> last_use_;
};

}  // namespace ap::train
