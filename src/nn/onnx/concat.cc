// Concatenation along any axis.
#include <algorithm>
#include <cmath>

#include "nn/onnx/lowering.h"

namespace ap::nn {

Value OnnxLowering::joined(std::vector<Value> parts, std::size_t axis, const std::string& name) {
  Dims dims = parts[0].dims;
  dims[axis] = 0;
  for (const Value& part : parts) {
    Dims other = part.dims;
    if (other.size() != dims.size()) {
      fail_input("{}: node {} concatenates tensors of different ranks", model_.name, name);
    }
    dims[axis] += other[axis];
    other[axis] = parts[0].dims[axis];
    if (other != parts[0].dims) {
      fail_input("{}: node {} concatenates tensors whose other dimensions differ", model_.name, name);
    }
    checked_size(dims, name);
  }
  const auto split = dims.begin() + static_cast<std::ptrdiff_t>(axis);
  const Dims outer(dims.begin(), split), inner(split + 1, dims.end());
  const std::int64_t blocks = element_count(outer), run = element_count(inner);
  // Channels of the graph are the dimension that is joined, if nothing but the batch stands before it.
  Shape all = shape_of(dims);
  if (blocks > 1) {
    all = {static_cast<int>(element_count(dims)), 1, 1};
  } else if (all.c != dims[axis] || std::int64_t{all.h} * all.w != run) {
    all = {static_cast<int>(dims[axis]), static_cast<int>(run), 1};
    if (!inner.empty()) all = {all.c, static_cast<int>(run / inner.back()), static_cast<int>(inner.back())};
  }
  std::vector<int> inputs;
  for (const Value& part : parts) {
    Shape shape = all;
    shape.c = static_cast<int>(element_count(part.dims) / (std::int64_t{all.h} * all.w));
    inputs.push_back(shaped(part, shape));
  }
  Value out{.node = add_node(name, ConcatOp{}, std::move(inputs), all), .dims = dims, .origin = name};
  if (blocks == 1) return out;
  Movement turn{dims, std::vector<std::int32_t>()};
  turn.index->reserve(static_cast<std::size_t>(all.c));
  for (std::int64_t b = 0; b < blocks; ++b) {
    std::int64_t begin = 0;
    for (const Value& part : parts) {
      const std::int64_t length = part.dims[axis] * run;
      for (std::int64_t i = 0; i < length; ++i) {
        turn.index->push_back(static_cast<std::int32_t>(begin + b * length + i));
      }
      begin += length * blocks;
    }
  }
  return moved(out, std::move(turn), name);
}

void OnnxLowering::concat(const OnnxNode& node) {
  if (!node.has("axis")) bad(node, "has no axis");
  std::vector<Value> parts;
  std::optional<Value> computed;
  bool is_integer = false;
  for (std::size_t i = 0; i < node.input_count() && !computed; ++i) {
    if (!is_constant(node.input(i))) computed = raw_tensor(node, i);
  }
  if (!computed) bad(node, "concatenates nothing");
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!is_constant(node.input(i))) {
      parts.push_back(raw_tensor(node, i));
      is_integer = is_integer || parts.back().is_integer;
      if (parts.back().scale != parts[0].scale || parts.back().zero != parts[0].zero) {
        throw Unsupported{"it joins integers of different scales"};
      }
      continue;
    }
    const Constant& c = constant(node.input(i));
    if (c.size() == 0) continue;
    if (is_integer) throw Unsupported{"it joins integers with a constant"};
    // No element of any tensor, plus the constant.
    Movement nothing{c.dims, std::vector<std::int32_t>(static_cast<std::size_t>(c.size()), -1)};
    Value part = moved(Value{.node = computed->node, .dims = computed->dims, .origin = node.name()},
                       std::move(nothing), node.name());
    std::vector<double> values;
    for (std::size_t k = 0; k < static_cast<std::size_t>(c.size()); ++k) values.push_back(c.at(k));
    parts.push_back(affine(part, {1}, values, node.name()));
  }
  const std::size_t axis = arguments(node).axis(node.integer("axis", 1), parts[0].dims.size());
  Value out = joined(parts, axis, node.name());
  out.is_integer = parts[0].is_integer;
  out.scale = parts[0].scale;
  out.zero = parts[0].zero;
  define(node, std::move(out));
}

}  // namespace ap::nn
