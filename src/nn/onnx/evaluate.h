// Arithmetic on constants of the file: weights that are computed, and the shape computations that exporters write out
// instead of a plain shape (Shape -> Slice -> Mul -> Concat -> Reshape).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/onnx/arguments.h"

namespace ap::nn {

/// Constants that the file computes are shapes, or weights; this bounds what a hostile file can make us copy.
inline constexpr std::int64_t kMaxFoldedElements = std::int64_t{1} << 24;

/// The value of a node that needs no input (Constant).
/// @throws Unsupported, Error(input)
Constant constant_node(const Arguments& args);

/// The dimensions of a tensor, or those from `start` to `end` of them.
Constant shape_node(const Arguments& args, const Dims& dims);

/// Whether `evaluate` knows the operator.
bool is_evaluated(const std::string& op);

/// Computes a node all of whose inputs are constants (nullptr for those left out).
/// @throws Unsupported, or Error(input) for arguments that make no sense
Constant evaluate(const Arguments& args, std::span<const Constant* const> inputs);

/// (x - zero point) * scale, with one scale or one for each position along `axis`.
Constant dequantised(const Arguments& args, const Constant& x, const Constant& scale,
                     const Constant* zero_point, std::int64_t axis);

}  // namespace ap::nn
