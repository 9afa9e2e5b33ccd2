// Two linear layers with nothing between them are one. The integer network would have to requantise between them,
// which costs an activation protocol and rounds values that no activation asked to be small. A depthwise convolution
// before a 1x1 convolution (a separable convolution) is the common case, and one full convolution in its place needs
// no more products of ciphertexts: their number grows with pairs of channels, not with the window.
#pragma once

#include <optional>

#include "nn/ir/graph.h"

namespace ap::nn {

/// The operation that does `first` (on an input of shape `in`) and then `second` (a convolution or a fully connected
/// layer), or nothing where it does not exist (the second pads what the first adds a bias to; groups of several
/// channels) or has many more pairs of channels than both.
std::optional<Op> merged(const ConvOp& first, const Shape& in, const Node& first_node, const Node& second);

}  // namespace ap::nn
