// Scaling and shifting: by one number, by channel, or element by element; and matrix products along one dimension.
#include <algorithm>
#include <cmath>

#include "nn/onnx/evaluate.h"
#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

using Values = std::vector<double>;

bool all_equal(const Values& values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
}

double pick(const Values& values, std::size_t i) { return values[values.size() == 1 ? 0 : i]; }

/// Whether the values are the same over each of `channels` equally long runs.
bool by_channel(const Values& values, std::int64_t channels) {
  if (values.size() == 1) return true;
  const std::size_t plane = values.size() / static_cast<std::size_t>(channels);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] != values[i / plane * plane]) return false;
  }
  return true;
}

Values reordered(const Values& values, const std::vector<std::int32_t>& index) {
  if (values.size() == 1) return values;
  Values out;
  out.reserve(index.size());
  for (const std::int32_t i : index) out.push_back(values[static_cast<std::size_t>(i)]);
  return out;
}

/// The inverse of an order of all elements, or nothing if it is none.
std::optional<std::vector<std::int32_t>> inverse(const std::vector<std::int32_t>& index,
                                                 std::int64_t elements) {
  if (static_cast<std::int64_t>(index.size()) != elements) return std::nullopt;
  std::vector<std::int32_t> out(index.size(), -1);
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (index[i] < 0 || out[static_cast<std::size_t>(index[i])] >= 0) return std::nullopt;
    out[static_cast<std::size_t>(index[i])] = static_cast<std::int32_t>(i);
  }
  return out;
}

}  // namespace

Value OnnxLowering::affine(const Value& value, const Values& scale, const Values& shift,
                           const std::string& name) {
  if (all_equal(scale) && all_equal(shift)) {
    Value out = value;
    out.c0 = value.c0 * scale[0] + shift[0];
    out.c1 = value.c1 * scale[0];
    out.c2 = value.c2 * scale[0];
    out.origin = name;
    return out;
  }
  Value source = value;
  Values factor = scale, offset = shift;
  if (value.degree() == 2) {
    source.node = materialise(value);
  } else {
    // One affine node does what is pending as well.
    const std::size_t count = std::max(scale.size(), shift.size());
    factor.assign(count, 0);
    offset.assign(count, 0);
    for (std::size_t i = 0; i < count; ++i) {
      factor[i] = pick(scale, i) * value.c1;
      offset[i] = pick(scale, i) * value.c0 + pick(shift, i);
    }
  }
  source.c0 = source.c2 = 0;
  source.c1 = 1;
  return affine_by_element(source, factor, offset, name);
}

Value OnnxLowering::affine_by_element(const Value& value, const Values& scale, const Values& shift,
                                      const std::string& name) {
  const auto apply = [&](int node, const Values& factor, const Values& offset) {
    const Shape shape = node_shape(node);
    const auto plane = static_cast<std::size_t>(shape.h) * static_cast<std::size_t>(shape.w);
    AffineOp op;
    for (std::size_t c = 0; c < static_cast<std::size_t>(shape.c); ++c) {
      op.scale.push_back(static_cast<float>(pick(factor, c * plane)));
      op.shift.push_back(static_cast<float>(pick(offset, c * plane)));
    }
    return add_node(name, std::move(op), {node}, shape);
  };
  const auto result = [&](int node) { return Value{.node = node, .dims = value.dims, .origin = name}; };
  const auto fits = [&](const Shape& s) { return by_channel(scale, s.c) && by_channel(shift, s.c); };
  if (fits(node_shape(value.node))) return result(apply(value.node, scale, shift));
  const Shape own = shape_of(value.dims);
  if (fits(own)) return result(apply(shaped(value, own), scale, shift));
  // Behind a Transpose the channels may be those before it.
  const Node& node = graph_.nodes[static_cast<std::size_t>(value.node)];
  if (const auto* gather = std::get_if<GatherOp>(&node.op)) {
    const int before = node.inputs[0];
    const std::vector<std::int32_t> index = gather->index;
    if (const auto back = inverse(index, node_shape(before).size())) {
      const Values factor = reordered(scale, *back), offset = reordered(shift, *back);
      if (by_channel(factor, node_shape(before).c) && by_channel(offset, node_shape(before).c)) {
        const Shape shape = node.shape;
        const int changed = apply(before, factor, offset);
        return result(add_node(name, GatherOp{index}, {changed}, shape));
      }
    }
  }
  // Channels that are the last dimension.
  if (value.dims.size() > 1) {
    const std::int64_t last = value.dims.back();
    const Dims flat = {element_count(value.dims) / last, last};
    const Movement turn = permute(flat, {1, 0}), back = permute({last, flat[0]}, {1, 0});
    if (turn.index) {
      const Values factor = reordered(scale, *turn.index), offset = reordered(shift, *turn.index);
      if (by_channel(factor, last) && by_channel(offset, last)) {
        Value turned = value;
        turned.dims = flat;
        turned = moved(turned, turn, name);
        turned.node =
            apply(shaped(turned, {static_cast<int>(last), static_cast<int>(flat[0]), 1}), factor, offset);
        Value out = moved(turned, back, name);
        out.dims = value.dims;
        return out;
      }
    }
  }
  return result(apply(shaped(value, {static_cast<int>(element_count(value.dims)), 1, 1}), scale, shift));
}

Values OnnxLowering::element_values(Value& value, const Constant& c, const std::string& name) {
  if (c.size() == 0) throw Unsupported{"its constant is empty"};
  Constant fitted = c;
  // A constant for every image of the file's batch, which must be the same for all.
  if (model_.batch > 1 && c.dims.size() == value.dims.size() && !c.dims.empty() &&
      c.dims[0] == model_.batch && value.dims[0] == 1) {
    const std::size_t run = static_cast<std::size_t>(c.size() / model_.batch);
    for (std::size_t i = run; i < static_cast<std::size_t>(c.size()); ++i) {
      if (c.at(i) != c.at(i - run)) throw Unsupported{"its constant differs from image to image of a batch"};
    }
    fitted.dims[0] = 1;
    if (c.is_integer) {
      fitted.integers.resize(run);
    } else {
      fitted.floats.resize(run);
    }
  }
  const Dims dims = broadcast_dims(value.dims, fitted.dims);
  checked_size(dims, name);
  value = expanded(value, dims, name);
  Values values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(fitted.size()); ++i) values.push_back(fitted.at(i));
  if (all_equal(values)) return {values.front()};
  if (element_count(dims) > kMaxFoldedElements)
    throw Unsupported{"its constant is too large to be spread over the image"};
  const Movement spread = broadcast(fitted.dims, dims);
  return spread.index ? reordered(values, *spread.index) : values;
}

Value OnnxLowering::linear_along(const Value& value, std::size_t axis, std::vector<float> matrix,
                                 std::vector<float> bias, const std::string& name) {
  const auto split = value.dims.begin() + static_cast<std::ptrdiff_t>(axis);
  const Dims outer(value.dims.begin(), split), inner(split + 1, value.dims.end());
  const auto in = static_cast<int>(value.dims[axis]), out = static_cast<int>(bias.size());
  Dims dims = value.dims;
  dims[axis] = out;
  checked_size(dims, name);
  const std::int64_t blocks = element_count(outer), run = element_count(inner);
  if (blocks * run == 1) {
    const int source = materialise(value);
    return Value{
        .node = add_node(name, FullyConnectedOp{std::move(matrix), std::move(bias)}, {source}, {out, 1, 1}),
        .dims = dims,
        .origin = name};
  }
  // A convolution of one element over the dimension that is put first; everything else is its image.
  Value source = value;
  source.dims = {blocks, in, run};
  source = moved(source, permute(source.dims, {1, 0, 2}), name);
  Shape shape{in, static_cast<int>(blocks), static_cast<int>(run)};
  if (node_shape(source.node).c == in) {
    shape = node_shape(source.node);
  } else if (blocks == 1) {
    const Shape image =
        shape_of(Dims(value.dims.begin() + static_cast<std::ptrdiff_t>(axis), value.dims.end()));
    if (image.c == in) shape = image;
  }
  const int from = shaped(source, shape);
  Shape result = shape;
  result.c = out;
  Value product{
      .node = add_node(name, ConvOp{Window{}, 1, std::move(matrix), std::move(bias)}, {from}, result),
      .dims = {out, blocks, run},
      .origin = name};
  product = moved(product, permute(product.dims, {1, 0, 2}), name);
  product.dims = dims;
  return product;
}

}  // namespace ap::nn
