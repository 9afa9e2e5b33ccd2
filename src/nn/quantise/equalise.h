// Cross-layer equalisation: one step must serve all channels of a tensor and all weights of a layer, so channels
// and weights of unlike sizes lose bits. Multiplying channel c of a tensor by a factor a_c, and dividing by it what
// reads the channel, changes nothing in float, since everything between two linear layers here (ReLU, sums, pooling,
// concatenation) lets a positive factor pass; but it lets every channel use the levels it needs (Nagel et al. 2019,
// "Data-Free Quantization Through Weight Equalization and Bias Correction"). The factors minimise an estimate of
// what rounding of activations and weights does to the output, where the original takes those that make ranges equal.
#pragma once

#include <span>
#include <vector>

#include "nn/quantise/quantise_rewrite.h"
#include "nn/quantise/quantise_statistics.h"

namespace ap::nn {

/// The factor of every channel, by node; 1 at the input and at the output. An activation with
/// limits other than zero bounds the factors: no value seen in calibration may reach a limit that it did not.
/// `statistics` are those of `graph`.
std::vector<std::vector<double>> equalisation_factors(const IntegerGraph& graph,
                                                      std::span<const NodeStatistics> statistics,
                                                      int weight_bits, int activation_bits, int input_bits);

/// Multiplies every channel by its factor: weights and biases change, the function does not.
void apply_factors(Graph& graph, std::span<const std::vector<double>> factors);

}  // namespace ap::nn
