// Constant tensors of an ONNX file with verified sizes, from the file itself or from a data file beside it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "nn/onnx/proto.h"

namespace ap::nn {

/// A constant tensor: floats (of every width) or integers (of every width, and truth values). Scalars have no
/// dimensions.
struct Constant {
  std::string name;
  std::vector<std::int64_t> dims;
  bool is_integer = false;
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
  int type = 0;  ///< element type of the file (onnx::TensorProto::DataType), or 0 if it was computed
  std::int64_t size() const {
    return static_cast<std::int64_t>(is_integer ? integers.size() : floats.size());
  }
  double at(std::size_t i) const {
    return is_integer ? static_cast<double>(integers[i]) : static_cast<double>(floats[i]);
  }
};

/// Whether an element type of ONNX holds whole numbers (or truth values).
bool is_integer_type(int type);
/// "float16", for messages; "type 99" for numbers that are no type.
std::string type_name(int type);

/// Copies a tensor out of the file. Data outside of it is read from a plain file name in `folder`; no folder, as for
/// files that came over memory, refuses it.
/// @throws Error(input) naming the tensor: data that cannot be read or lies outside the folder, unsupported type, wrong
/// number of bytes, more than kMaxTensorElements elements, NaN, or infinity in more than one element.
Constant read_tensor(const onnx::TensorProto& tensor, const std::string& name,
                     const std::filesystem::path& folder = {});

/// Names go to terminals and JSON: anything but printable ASCII becomes '?', and long ones are cut.
std::string printable_name(std::string name);

}  // namespace ap::nn
