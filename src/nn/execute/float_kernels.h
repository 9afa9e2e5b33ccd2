// Float arithmetic of the single operations. Shapes have been validated; pointers hold exactly shape.size()
// values.
#pragma once

#include <vector>

#include "nn/ir/graph.h"

namespace ap::nn {

/// Scratch memory that one thread reuses from layer to layer.
using Scratch = std::vector<float>;

void convolve(const ConvOp& op, const Shape& in, const Shape& out, const float* x, float* y,
              Scratch& scratch);
void fully_connect(const FullyConnectedOp& op, const Shape& in, const float* x, float* y);
void max_pool(const Window& window, const Shape& in, const Shape& out, const float* x, float* y);
void average_pool(const AveragePoolOp& op, const Shape& in, const Shape& out, const float* x, float* y);

}  // namespace ap::nn
