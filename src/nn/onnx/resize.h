// Resize and Upsample with the nearest element: where each element of the result comes from.
#pragma once

#include <vector>

#include "nn/onnx/arguments.h"

namespace ap::nn {

/// For each dimension, the input coordinate that each output coordinate reads.
/// @throws Unsupported for interpolation between elements
std::vector<Dims> resize_places(const Arguments& args, const Dims& dims, bool is_computed);

/// Whether the node interpolates linearly between elements.
bool is_linear_resize(const OnnxNode& node);
/// For each dimension that changes, the matrix [out][in] that interpolates along it; empty for the others.
/// @throws Unsupported for modes other than linear
std::vector<std::vector<float>> resize_matrices(const Arguments& args, const Dims& dims);

}  // namespace ap::nn
