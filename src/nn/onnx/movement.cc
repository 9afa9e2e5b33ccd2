// Operators that only move values: views (Flatten, Reshape, ...) change the shape a Value is read with; the
// others become a GatherOp.
#include <algorithm>
#include <numeric>

#include "nn/onnx/lowering.h"

namespace ap::nn {

std::size_t OnnxLowering::image_axis(const OnnxNode& node, std::int64_t axis, std::size_t image_rank) const {
  const auto rank = static_cast<std::int64_t>(image_rank) + 1;
  if (axis < -rank || axis >= rank)
    bad(node, fmt::format("has axis {} of a tensor of {} dimensions", axis, rank));
  if (axis < 0) axis += rank;
  if (axis == 0) throw Unsupported{"it works along the batch dimension"};
  return static_cast<std::size_t>(axis - 1);
}

void OnnxLowering::identity(const OnnxNode& node) { define(node, tensor(node, 0)); }

void OnnxLowering::view(const OnnxNode& node, std::vector<std::int64_t> dims) {
  Value out = tensor(node, 0);
  const std::int64_t before = checked_size(out.dims, node.name());
  if (const std::int64_t after = checked_size(dims, node.name()); after != before) {
    bad(node, fmt::format("reshapes {} elements into {}", before, after));
  }
  out.dims = std::move(dims);
  define(node, std::move(out));
}

void OnnxLowering::flatten(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const std::int64_t axis = node.integer("axis", 1);
  if (axis != 1 && axis != -static_cast<std::int64_t>(input.dims.size())) {
    throw Unsupported{fmt::format("axis {} is not supported, only 1 (one row per image)", axis)};
  }
  view(node, {checked_size(input.dims, node.name())});
}

void OnnxLowering::reshape(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const auto target = integer_list(node, "shape", 1);
  if (!target || target->empty()) throw Unsupported{"its shape is missing or empty"};
  const bool keep_zero = node.integer("allowzero", 0) == 0;
  const std::int64_t batch = target->front();
  const bool rest_is_open = std::count(target->begin() + 1, target->end(), -1) == 1;
  if (batch != 1 && batch != -1 && !(batch == 0 && keep_zero)) {
    throw Unsupported{
        fmt::format("its shape starts with {}; the batch dimension must stay (0, 1 or -1)", batch)};
  }
  std::vector<std::int64_t> dims;
  std::int64_t known = 1;
  for (std::size_t i = 1; i < target->size(); ++i) {
    std::int64_t d = (*target)[i];
    if (d == 0 && keep_zero && i <= input.dims.size()) d = input.dims[i - 1];
    if (d != -1) {
      if (d < 1 || d > kMaxTensorElements / known) bad(node, fmt::format("reshapes to a dimension of {}", d));
      known *= d;
    }
    dims.push_back(d);
  }
  const std::int64_t size = checked_size(input.dims, node.name());
  if (rest_is_open) {
    if (batch == -1 || size % known != 0)
      bad(node, fmt::format("cannot reshape {} elements to this shape", size));
    std::replace(dims.begin(), dims.end(), std::int64_t{-1}, size / known);
  }
  view(node, std::move(dims));
}

void OnnxLowering::squeeze(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const auto axes = integer_list(node, "axes", 1);
  if (!axes) throw Unsupported{"it has no axes, so it might remove the batch dimension; give it axes"};
  std::set<std::size_t> removed;
  for (const std::int64_t a : *axes) removed.insert(image_axis(node, a, input.dims.size()));
  std::vector<std::int64_t> dims;
  for (std::size_t i = 0; i < input.dims.size(); ++i) {
    if (!removed.contains(i)) dims.push_back(input.dims[i]);
  }
  view(node, std::move(dims));
}

void OnnxLowering::unsqueeze(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const auto axes = integer_list(node, "axes", 1);
  if (!axes || axes->size() > 8) throw Unsupported{"it needs one to eight axes"};
  const std::size_t rank = input.dims.size() + axes->size();
  std::set<std::size_t> added;
  for (const std::int64_t a : *axes) added.insert(image_axis(node, a, rank));
  if (added.size() != axes->size()) bad(node, "has the same axis twice");
  std::vector<std::int64_t> dims;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) dims.push_back(added.contains(i) ? 1 : input.dims[next++]);
  view(node, std::move(dims));
}

/// source[d][i] is the input coordinate along d that output coordinate i reads, or -1 for zero.
void OnnxLowering::gather_per_axis(const OnnxNode& node, const Value& value,
                                   const std::vector<std::vector<std::int64_t>>& source) {
  std::vector<std::int64_t> dims;
  for (const auto& axis : source) dims.push_back(static_cast<std::int64_t>(axis.size()));
  const auto size = static_cast<std::size_t>(checked_size(dims, node.name()));
  std::vector<std::int32_t> index = {0};
  index.reserve(size);
  // Grows the index one dimension at a time, outermost first.
  for (std::size_t d = 0; d < source.size(); ++d) {
    std::vector<std::int32_t> next;
    next.reserve(index.size() * source[d].size());
    for (const std::int32_t outer : index) {
      for (const std::int64_t i : source[d]) {
        next.push_back(outer < 0 || i < 0 ? -1 : static_cast<std::int32_t>(outer * value.dims[d] + i));
      }
    }
    index = std::move(next);
  }
  const int from = materialise(value);
  define(node, plain(node, add_node(node.name(), GatherOp{std::move(index)}, {from}, shape_of(dims)), dims));
}

void OnnxLowering::transpose(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const std::size_t rank = input.dims.size();
  const auto order = node.integers("perm");
  if (!order || order->size() != rank + 1 || order->front() != 0) {
    throw Unsupported{"it moves the batch dimension"};
  }
  std::vector<std::size_t> axes;
  for (std::size_t i = 1; i <= rank; ++i) axes.push_back(image_axis(node, (*order)[i], rank));
  if (std::set<std::size_t>(axes.begin(), axes.end()).size() != rank)
    bad(node, "has a perm that is no permutation");
  const std::int64_t size = checked_size(input.dims, node.name());
  std::vector<std::int64_t> stride(rank, 1), dims(rank);
  for (std::size_t i = rank; i-- > 1;) stride[i - 1] = stride[i] * input.dims[i];
  for (std::size_t i = 0; i < rank; ++i) dims[i] = input.dims[axes[i]];
  GatherOp op;
  op.index.reserve(static_cast<std::size_t>(size));
  std::vector<std::int64_t> at(rank, 0);
  for (std::int64_t n = 0; n < size; ++n) {
    std::int64_t from = 0;
    for (std::size_t i = 0; i < rank; ++i) from += at[i] * stride[axes[i]];
    op.index.push_back(static_cast<std::int32_t>(from));
    for (std::size_t i = rank; i-- > 0 && ++at[i] == dims[i];) at[i] = 0;
  }
  const int source = materialise(input);
  define(node, plain(node, add_node(node.name(), std::move(op), {source}, shape_of(dims)), dims));
}

void OnnxLowering::slice(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const auto starts = integer_list(node, "starts", 1), ends = integer_list(node, "ends", 2);
  if (!starts || !ends || starts->size() != ends->size()) bad(node, "has no starts and ends of equal length");
  std::vector<std::int64_t> every(starts->size());
  std::iota(every.begin(), every.end(), 0);
  const auto axes = integer_list(node, "axes", 3).value_or(every);
  const auto steps = integer_list(node, "steps", 4).value_or(std::vector<std::int64_t>(starts->size(), 1));
  if (axes.size() != starts->size() || steps.size() != starts->size()) {
    bad(node, "has starts, axes and steps of different lengths");
  }
  std::vector<std::vector<std::int64_t>> source(input.dims.size());
  for (std::size_t d = 0; d < source.size(); ++d) {
    source[d].resize(static_cast<std::size_t>(input.dims[d]));
    std::iota(source[d].begin(), source[d].end(), 0);
  }
  const auto rank = static_cast<std::int64_t>(input.dims.size()) + 1;
  std::set<std::size_t> seen;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const bool is_batch = axes[k] == 0 || axes[k] == -rank;
    if (is_batch && (*starts)[k] == 0 && steps[k] == 1 && (*ends)[k] >= kMaxTensorElements) continue;
    const std::size_t d = image_axis(node, axes[k], input.dims.size());
    const std::int64_t n = input.dims[d], step = steps[k];
    if (step == 0 || step < -kMaxTensorElements || step > kMaxTensorElements || !seen.insert(d).second) {
      bad(node, fmt::format("has step {} or the same axis twice", step));
    }
    // Numpy's rule: negative bounds count from the end, then both are clamped to where a step can land.
    const auto bound = [&](std::int64_t v, std::int64_t low, std::int64_t high) {
      return std::clamp(v < 0 ? std::max(v, -kMaxTensorElements * 2) + n : v, low, high);
    };
    const std::int64_t first = step > 0 ? bound((*starts)[k], 0, n) : bound((*starts)[k], 0, n - 1);
    const std::int64_t last = step > 0 ? bound((*ends)[k], 0, n) : bound((*ends)[k], -1, n - 1);
    source[d].clear();
    for (std::int64_t i = first; step > 0 ? i < last : i > last; i += step) source[d].push_back(i);
  }
  gather_per_axis(node, input, source);
}

void OnnxLowering::gather(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const Constant& places = constant_input(node, 1, "indices");
  if (!places.is_integer || places.dims.size() != 1 || places.size() == 0) {
    throw Unsupported{"its indices are not a list of integers"};
  }
  const std::size_t axis = image_axis(node, node.integer("axis", 0), input.dims.size());
  std::vector<std::vector<std::int64_t>> source(input.dims.size());
  std::vector<std::int64_t> dims = input.dims;
  dims[axis] = places.size();
  checked_size(dims, node.name());
  for (std::size_t d = 0; d < source.size(); ++d) {
    source[d].resize(static_cast<std::size_t>(dims[d]));
    std::iota(source[d].begin(), source[d].end(), 0);
  }
  const std::int64_t n = input.dims[axis];
  for (std::size_t i = 0; i < source[axis].size(); ++i) {
    const std::int64_t place = places.integers[i];
    if (place < -n || place >= n) bad(node, fmt::format("reads place {} of {}", place, n));
    source[axis][i] = place < 0 ? place + n : place;
  }
  gather_per_axis(node, input, source);
}

void OnnxLowering::pad(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  if (node.text("mode", "constant") != "constant") throw Unsupported{"only padding with zeros is supported"};
  double fill = node.number("value", 0);
  if (!node.input(2).empty()) {
    const Constant& c = constant_input(node, 2, "constant_value");
    if (c.size() != 1) bad(node, "has a constant_value that is not a single number");
    fill = c.is_integer ? static_cast<double>(c.integers[0]) : static_cast<double>(c.floats[0]);
  }
  if (fill != 0) throw Unsupported{"only padding with zeros is supported"};
  const auto given = integer_list(node, "pads", 1);
  const std::size_t rank = input.dims.size() + 1;
  std::vector<std::int64_t> every(rank);
  std::iota(every.begin(), every.end(), 0);
  const auto axes = integer_list(node, "axes", 3).value_or(every);
  if (!given || given->size() != 2 * axes.size()) {
    bad(node, fmt::format("does not have two pads for each of {} axes", axes.size()));
  }
  std::vector<std::int64_t> before(input.dims.size(), 0), after(input.dims.size(), 0);
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const std::int64_t front = (*given)[k], back = (*given)[k + axes.size()];
    if (front == 0 && back == 0) continue;
    const std::size_t d = image_axis(node, axes[k], input.dims.size());
    for (const std::int64_t v : {front, back}) {
      if (v < -kMaxTensorElements || v > kMaxTensorElements) bad(node, fmt::format("has a padding of {}", v));
    }
    before[d] = front;
    after[d] = back;
  }
  std::vector<std::int64_t> dims;
  for (std::size_t d = 0; d < before.size(); ++d) dims.push_back(input.dims[d] + before[d] + after[d]);
  checked_size(dims, node.name());
  std::vector<std::vector<std::int64_t>> source(dims.size());
  for (std::size_t d = 0; d < dims.size(); ++d) {
    for (std::int64_t i = -before[d]; i < input.dims[d] + after[d]; ++i) {
      source[d].push_back(i >= 0 && i < input.dims[d] ? i : -1);
    }
  }
  gather_per_axis(node, input, source);
}

void OnnxLowering::concat(const OnnxNode& node) {
  if (node.input_count() == 0) bad(node, "concatenates nothing");
  if (!node.has("axis")) bad(node, "has no axis");
  std::vector<std::int64_t> dims = tensor(node, 0).dims;
  if (image_axis(node, node.integer("axis", 1), dims.size()) != 0) {
    throw Unsupported{"only concatenation along the channels is supported"};
  }
  dims[0] = 0;
  std::vector<int> inputs;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Value& part = tensor(node, i);
    if (part.dims.size() != dims.size() || !std::equal(dims.begin() + 1, dims.end(), part.dims.begin() + 1)) {
      bad(node, "concatenates tensors whose other dimensions differ");
    }
    dims[0] += part.dims[0];
    checked_size(dims, node.name());
    inputs.push_back(shaped(part));
  }
  define(node, plain(node, add_node(node.name(), ConcatOp{}, std::move(inputs), shape_of(dims)), dims));
}

}  // namespace ap::nn
