// One backward pass through a real-valued surrogate (straight-through) of the integer network: the same sums
// and clamps, but divisions by 2^shift instead of roundings (straight-through). It tells how errors of every
// accumulator move the result.
#pragma once

#include <span>
#include <vector>

#include "nn/ir/quantised_network.h"

namespace ap::search {

/// Values of all nodes of the surrogate. `input` has input_shape().size() values; `network` its weights.
std::vector<std::vector<float>> twin_forward(const nn::QuantisedNetwork& network,
                                             std::span<const float> input);

/// d r / d values of every node, for d r / d logits = `logit_gradient`. `values` (by node, of the surrogate
/// or of the integer network) decide which clamps pass: gradients are zero where one saturates. Empty for
/// nodes on which nothing depends, and for the input.
std::vector<std::vector<float>> backward(const nn::QuantisedNetwork& network,
                                         std::span<const std::vector<float>> values,
                                         std::span<const float> logit_gradient);

}  // namespace ap::search
