// Arithmetic on constants: Constant nodes, and the shape computations that exporters write out instead of a
// plain shape (Shape -> Gather -> Unsqueeze -> Concat -> Reshape).
#include <algorithm>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

/// Constants that the file computes are shapes or small; this bounds what a hostile file can make us copy.
constexpr std::int64_t kMaxFoldedElements = std::int64_t{1} << 24;

Constant constant_node(const OnnxNode& node) {
  Constant out;
  out.name = node.name();
  if (const auto* a = node.find("value")) return read_tensor(a->t(), node.name());
  if (node.has("value_float")) {
    out.floats = {static_cast<float>(node.number("value_float", 0))};
  } else if (node.has("value_int")) {
    out.integers = {node.integer("value_int", 0)};
    out.is_integer = true;
  } else if (auto list = node.integers("value_ints")) {
    out.integers = std::move(*list);
    out.is_integer = true;
    out.dims = {out.size()};
  } else {
    throw Unsupported{"only constants with value, value_float, value_int or value_ints are supported"};
  }
  return out;
}

/// The dimensions of a computed tensor. A free batch shows as -1: reshaping to it keeps the batch.
Constant shape_node(const Value& value) {
  Constant out;
  out.is_integer = true;
  out.integers = {-1};
  out.integers.insert(out.integers.end(), value.dims.begin(), value.dims.end());
  out.dims = {out.size()};
  return out;
}

Constant gather_node(const Constant& data, const Constant& index, std::int64_t axis) {
  if (data.dims.size() != 1 || !data.is_integer || !index.is_integer || axis != 0) {
    throw Unsupported{"on constants it is supported only for lists of integers"};
  }
  Constant out;
  out.is_integer = true;
  out.dims = index.dims;
  for (std::int64_t i : index.integers) {
    if (i < 0) i += data.size();
    if (i < 0 || i >= data.size()) throw Unsupported{"its index is out of range"};
    out.integers.push_back(data.integers[static_cast<std::size_t>(i)]);
  }
  return out;
}

Constant concat_node(const std::vector<const Constant*>& parts) {
  Constant out;
  out.is_integer = true;
  for (const Constant* part : parts) {
    if (!part->is_integer || part->dims.size() != 1) {
      throw Unsupported{"on constants it is supported only for lists of integers"};
    }
    out.integers.insert(out.integers.end(), part->integers.begin(), part->integers.end());
  }
  out.dims = {out.size()};
  return out;
}

Constant reshaped(Constant data, const std::vector<std::int64_t>& target) {
  std::int64_t known = 1;
  std::vector<std::int64_t> dims = target;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && i < data.dims.size()) dims[i] = data.dims[i];
    if (dims[i] == -1) continue;
    if (dims[i] < 1 || dims[i] > kMaxFoldedElements / known)
      throw Unsupported{"its shape does not fit its constant"};
    known *= dims[i];
  }
  const auto open = std::count(dims.begin(), dims.end(), -1);
  if (open > 1 || (open == 1 && data.size() % known != 0) || (open == 0 && data.size() != known)) {
    throw Unsupported{"its shape does not fit its constant"};
  }
  std::replace(dims.begin(), dims.end(), std::int64_t{-1}, data.size() / known);
  data.dims = std::move(dims);
  return data;
}

Constant transposed(const Constant& data, const std::optional<std::vector<std::int64_t>>& order) {
  if (data.dims.size() != 2 || data.is_integer)
    throw Unsupported{"of constants only float matrices can be transposed"};
  if (order && *order != std::vector<std::int64_t>{1, 0}) {
    if (*order == std::vector<std::int64_t>{0, 1}) return data;
    throw Unsupported{"its perm is no permutation of two axes"};
  }
  const auto rows = static_cast<std::size_t>(data.dims[0]), columns = static_cast<std::size_t>(data.dims[1]);
  Constant out = data;
  out.dims = {data.dims[1], data.dims[0]};
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) out.floats[c * rows + r] = data.floats[r * columns + c];
  }
  return out;
}

Constant cast_node(Constant data, std::int64_t type) {
  const bool to_integer = type == onnx::TensorProto::INT64 || type == onnx::TensorProto::INT32;
  if (to_integer != data.is_integer)
    throw Unsupported{"on constants it is supported only between integer types or floats"};
  return data;
}

}  // namespace

bool OnnxLowering::fold_constants(const OnnxNode& node) {
  const std::string& op = node.op();
  const auto keep = [&](Constant c) {
    c.name = node.name();
    constants_[node.output()] = std::move(c);
    return true;
  };
  if (node.proto().output_size() < 1) return false;
  if (op == "Constant") return keep(constant_node(node));
  if (op == "Shape" && values_.contains(node.input(0))) return keep(shape_node(tensor(node, 0)));
  std::vector<const Constant*> inputs;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!is_constant(node.input(i))) return false;
    inputs.push_back(&constant(node.input(i)));
    if (inputs.back()->size() > kMaxFoldedElements)
      throw Unsupported{"its constant is too large to be computed with"};
  }
  if (inputs.empty()) return false;
  if (op == "Identity") return keep(*inputs[0]);
  if (op == "Cast") return keep(cast_node(*inputs[0], node.integer("to", 0)));
  if (op == "Gather" && inputs.size() == 2)
    return keep(gather_node(*inputs[0], *inputs[1], node.integer("axis", 0)));
  if (op == "Concat") return keep(concat_node(inputs));
  if (op == "Reshape" || op == "Unsqueeze" || op == "Squeeze") {
    if (op == "Reshape") {
      const auto target = integer_list(node, "shape", 1);
      if (!target) throw Unsupported{"its shape is missing"};
      return keep(reshaped(*inputs[0], *target));
    }
    // Only between scalars and lists of one element, as in shape computations.
    if (inputs[0]->size() != 1) throw Unsupported{"on constants it is supported only for single numbers"};
    return keep(
        reshaped(*inputs[0], op == "Squeeze" ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{1}));
  }
  if (op == "Transpose") return keep(transposed(*inputs[0], node.integers("perm")));
  return false;
}

}  // namespace ap::nn
