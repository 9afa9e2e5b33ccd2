// How well an integer network stands for its float original.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nn/quantise/quantise.h"

namespace ap::nn {

struct LayerError {
  std::string name, op;
  double error = 0;  ///< mean square of integers * scale - float, as a share of the float values' variance
  double added = 0;  ///< of that, what the inputs did not have
};

/// The errors of all nodes but the input, in the order of the network, over the images. Memory: all
/// tensors of both networks for a few images.
std::vector<LayerError> layer_errors(const Quantised& quantised, std::span<const Tensor> images);

}  // namespace ap::nn
