// Resize and Upsample with the nearest element: where each element of the result comes from.
#pragma once

#include <vector>

#include "nn/onnx/arguments.h"

namespace ap::nn {

/// For each dimension, the input coordinate that each output coordinate reads.
/// @throws Unsupported for interpolation between elements
std::vector<Dims> resize_places(const Arguments& args, const Dims& dims, bool is_computed);

}  // namespace ap::nn
