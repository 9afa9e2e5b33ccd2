// What the meaning of a node depends on besides the tensor that it works on: attributes, constant inputs, the file's
// version. Shared by the operators on computed tensors and by those on constants.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nn/onnx/reader.h"

namespace ap::nn {

using Dims = std::vector<std::int64_t>;

/// Thrown while one node is read; all of them together become one Error.
struct Unsupported {
  std::string hint;
};

/// Elements of `dims`, or Error(input) beyond kMaxTensorElements. `where` names the node.
std::int64_t checked_size(const Dims& dims, const std::string& where);

struct Arguments {
  const OnnxNode& node;
  const OnnxModel& model;
  /// Input i as a constant. @throws Unsupported if it is computed from the image
  std::function<const Constant&(std::size_t)> constant;

  /// @throws Error(input) that names file and node
  [[noreturn]] void bad(const std::string& what) const;
  bool has_input(std::size_t i) const { return !node.input(i).empty(); }
  /// Input i as a constant; `what` names it in messages.
  const Constant& required(std::size_t i, const char* what) const;
  /// A list of integers that is an attribute in old files and input i in new ones; nothing if neither is there.
  std::optional<Dims> integers(const char* attribute, std::size_t i) const;
  /// Input i as a single number, or else the attribute, or else the fallback.
  double number(const char* attribute, std::size_t i, double fallback) const;
  /// An axis (which may be negative) of a tensor of `rank` dimensions.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;
};

}  // namespace ap::nn
