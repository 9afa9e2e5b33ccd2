// Post-training quantisation: from the float graph and a few images to the integer network.
//
// Every activation tensor gets a step (scale) that minimises the squared error of clipping and rounding;
// every requantisation is a right shift, which ties the step of the weights to those of its input and output:
//     s_weight = s_out * 2^-shift / s_in,   shift as large as the weights fit their bits.
// What per-channel errors remain in the mean is taken out of the biases (bias correction: Nagel et al. 2019,
// "Data-Free Quantization Through Weight Equalization and Bias Correction", section 4.2, here measured on the
// images through the integer network itself, so that errors of earlier layers are corrected as well).
#pragma once

#include <span>

#include "nn/ir/graph.h"
#include "nn/ir/quantised_network.h"

namespace ap::nn {

struct QuantiseOptions {
  int weight_bits = 8;        ///< signed, symmetric: |w| <= 2^(weight_bits-1) - 1; 2 to 15
  int activation_bits = 8;    ///< 2 to 14
  int input_bits = 8;         ///< 1 to 14
  bool clip_outliers = true;  ///< false: steps cover the largest value seen
  /// Merge layers and spread weights over them (nn/quantise/merge_layers.h, equalise.h). Without, each layer has the
  /// weights of the graph.
  bool equalise = true;
  bool bias_correction = true;
};

/// `images` are normalised inputs, a few dozen that are typical of the task (never test images).
/// The result passes validate(). Same result on every machine and for any number of threads as long as the
/// float executor's is.
/// @throws Error(input) if the options are out of range, there are no images or the network cannot be
/// expressed.
QuantisedNetwork quantise(const Graph& graph, std::span<const Tensor> images,
                          const QuantiseOptions& options = {});

/// The integer network with the float network that it stands for.
struct Quantised {
  QuantisedNetwork network;
  Graph reference;            ///< the same function as the graph that was given, equalised
  std::vector<int> position;  ///< by node of `reference`: its integer node, or -1
};
Quantised quantise_with_reference(const Graph& graph, std::span<const Tensor> images,
                                  const QuantiseOptions& options = {});

}  // namespace ap::nn
