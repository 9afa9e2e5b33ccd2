// Networks to train from scratch.
#pragma once

#include <span>
#include <string>

#include "nn/ir/graph.h"

namespace ap::train {

/// What `train new --arch` takes.
std::span<const std::string> architecture_names();

/// A network with random weights (He et al., ICCV 2015, section 2.2), an affine node for batch normalisation
/// behind every convolution, and `classes` outputs. Strides take the place of pooling: they cost nothing
/// privately.
///   small-cnn   16 channels 5x5 stride 2, 32 3x3 stride 2, 32 3x3, fully connected: the bundled network
///   cifar-cnn   32, 32 stride 2, 64, 64 stride 2, 96, all 3x3, the mean of each channel, fully connected
/// @throws Error(input) for another name, images of less than 8 x 8 pixels, or fewer than two classes.
nn::Graph make_architecture(const std::string& name, const nn::Shape& input, int classes, std::uint64_t seed);

}  // namespace ap::train
