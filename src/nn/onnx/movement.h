// Operators that only move values: where each element of the result comes from. The same plans serve constants and
// computed tensors (where they become views or gathers).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nn/onnx/arguments.h"

namespace ap::nn {

struct Movement {
  Dims dims;  ///< of the result
  /// The element of the input that each element of the result is, or -1 for `fill`; nothing: all, in the same order.
  std::optional<std::vector<std::int32_t>> index;
  double fill = 0;
};

/// Whether this is an operator that moves values only.
bool is_movement(const std::string& op);

/// One movement for each output of the node, which reads a tensor of shape `dims`. `is_computed`: the tensor has one
/// image where the file may have a batch.
/// @throws Unsupported, or Error(input) for arguments that make no sense
std::vector<Movement> plan_movement(const Arguments& args, const Dims& dims, bool is_computed);

/// source[d][i] is the input coordinate along dimension d that output coordinate i reads, or -1 for the fill.
Movement move_per_axis(const Dims& dims, const std::vector<Dims>& source, const std::string& where,
                       double fill = 0);
/// Dimension i of the result is dimension order[i] of the input.
Movement permute(const Dims& dims, const std::vector<std::size_t>& order);
/// Repeats dimensions of one element so that the result has shape `to`, aligned at the right.
/// @throws Unsupported if that does not make `to`
Movement broadcast(const Dims& dims, const Dims& to);
/// The shape that two tensors broadcast to. @throws Unsupported if they do not fit
Dims broadcast_dims(const Dims& a, const Dims& b);

/// The moved constant, of the same type.
Constant move(const Constant& c, const Movement& movement);

}  // namespace ap::nn
