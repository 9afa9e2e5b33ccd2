// Runs the float network: the accuracy that quantisation and decryption errors are compared with, and the
// ranges that calibration observes.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::nn {

/// The output of every node for one image, in the order of graph.nodes. One thread.
/// @throws Error(input) if the input's shape is not that of the network.
std::vector<Tensor> run(const Graph& graph, const Tensor& input);

/// Logits of many images: `images` holds count x input_shape().size() values, the result count x
/// output_shape().size(). Images run in parallel; memory is that of a few images only. The result does not
/// depend on the number of threads.
/// @throws Error(input) if the size of `images` is not a multiple of the input's.
std::vector<float> logits(const Graph& graph, std::span<const float> images);

}  // namespace ap::nn
