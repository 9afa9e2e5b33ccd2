// Activations and arithmetic, element by element.
#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

Value OnnxLowering::clipped(const Value& value, double low, double high, const std::string& name) {
  constexpr double kMax = std::numeric_limits<float>::max();
  if (low <= -kMax) low = -kInfinity;
  if (high >= kMax) high = kInfinity;
  if (low == -kInfinity && high == kInfinity) return value;
  int source = materialise(value);
  // Two limits in a row are one.
  if (const auto* first = std::get_if<ClipOp>(&graph_.nodes[static_cast<std::size_t>(source)].op)) {
    low = std::clamp(static_cast<double>(first->low), low, high);
    high = std::clamp(static_cast<double>(first->high), low, high);
    source = graph_.nodes[static_cast<std::size_t>(source)].inputs[0];
  }
  const ClipOp op{static_cast<float>(low), static_cast<float>(high)};
  return Value{.node = add_node(name, op, {source}, node_shape(source)), .dims = value.dims, .origin = name};
}

void OnnxLowering::relu(const OnnxNode& node) {
  define(node, clipped(tensor(node, 0), 0, kInfinity, node.name()));
}

void OnnxLowering::clip(const OnnxNode& node) {
  const Arguments args = arguments(node);
  const double low = args.number("min", 1, -kInfinity), high = args.number("max", 2, kInfinity);
  // With the limits crossed, the upper one wins.
  define(node, clipped(tensor(node, 0), std::min(low, high), high, node.name()));
}

Value OnnxLowering::sum_of(const Value& first, const Value& second, const std::string& name) {
  const Dims dims = broadcast_dims(first.dims, second.dims);
  const Value a = expanded(first, dims, name), b = expanded(second, dims, name);
  if (a.node == b.node) {
    Value sum = a;
    sum.c0 += b.c0;
    sum.c1 += b.c1;
    sum.c2 += b.c2;
    sum.origin = name;
    return sum;
  }
  const int left = materialise(a), right = materialise(b);
  const Shape own = shape_of(dims);
  const bool differ = node_shape(left) != node_shape(right);
  const Shape shape =
      differ && (node_shape(right) == own || node_shape(left) == own) ? own : node_shape(left);
  const int x = shaped(a, shape), y = shaped(b, shape);
  return Value{.node = add_node(name, AddOp{}, {x, y}, shape), .dims = dims, .origin = name};
}

void OnnxLowering::add(const OnnxNode& node) {
  const bool first = is_constant(node.input(0)), second = is_constant(node.input(1));
  if (!first && !second) return define(node, sum_of(tensor(node, 0), tensor(node, 1), node.name()));
  Value value = tensor(node, first ? 1 : 0);
  const std::vector<double> shift = element_values(value, constant(node.input(first ? 0 : 1)), node.name());
  define(node, affine(value, {1}, shift, node.name()));
}

void OnnxLowering::sub(const OnnxNode& node) {
  const bool first = is_constant(node.input(0)), second = is_constant(node.input(1));
  if (!first && !second) {
    const Value negative = affine(tensor(node, 1), {-1}, {0}, node.name());
    return define(node, sum_of(tensor(node, 0), negative, node.name()));
  }
  Value value = tensor(node, first ? 1 : 0);
  std::vector<double> shift = element_values(value, constant(node.input(first ? 0 : 1)), node.name());
  if (second) std::for_each(shift.begin(), shift.end(), [](double& v) { v = -v; });
  define(node, affine(value, {first ? -1.0 : 1.0}, shift, node.name()));
}

void OnnxLowering::mul(const OnnxNode& node) {
  // x times the truth value of a comparison with x.
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    const auto condition = comparisons_.find(node.input(i));
    if (condition == comparisons_.end()) continue;
    const Value upper = tensor(node, 1 - i);
    Value lower = condition->second.value;
    lower.c0 = lower.c1 = lower.c2 = 0;
    return define(node, chosen(node, condition->second, upper, lower));
  }
  const bool first = is_constant(node.input(0)), second = is_constant(node.input(1));
  if (first || second) {
    Value value = tensor(node, first ? 1 : 0);
    const std::vector<double> scale = element_values(value, constant(node.input(first ? 0 : 1)), node.name());
    return define(node, affine(value, scale, {0}, node.name()));
  }
  const Value &a = tensor(node, 0), &b = tensor(node, 1);
  if (a.dims == b.dims && a.node == b.node && a.degree() + b.degree() <= 2) {
    Value product = a;
    product.c0 = a.c0 * b.c0;
    product.c1 = a.c0 * b.c1 + a.c1 * b.c0;
    product.c2 = a.c0 * b.c2 + a.c1 * b.c1 + a.c2 * b.c0;
    return define(node, std::move(product));
  }
  const int left = materialise(a), right = materialise(b);
  if (a.dims != b.dims || left != right) return define(node, tensor_product(node, a, b));
  define(node, Value{.node = left, .dims = a.dims, .c0 = 0, .c1 = 0, .c2 = 1, .origin = {}});
}

void OnnxLowering::div(const OnnxNode& node) {
  if (!is_constant(node.input(1))) throw Unsupported{"only division by a constant is supported"};
  Value value = tensor(node, 0);
  std::vector<double> scale = element_values(value, constant(node.input(1)), node.name());
  for (double& v : scale) {
    if (v == 0) bad(node, "divides by zero");
    v = 1 / v;
  }
  define(node, affine(value, scale, {0}, node.name()));
}

void OnnxLowering::neg(const OnnxNode& node) {
  define(node, affine(tensor(node, 0), {-1}, {0}, node.name()));
}

void OnnxLowering::pow(const OnnxNode& node) {
  const Value& value = tensor(node, 0);
  if (!is_constant(node.input(1)))
    throw Unsupported{"its exponent must be a constant, but is computed from the image"};
  const double exponent = arguments(node).number(nullptr, 1, 1);
  if (exponent == 1) return define(node, value);
  if (exponent != 2 && exponent != 3) throw Unsupported{"only the exponents 1, 2 and 3 are supported"};
  Value square = value;
  if (value.degree() == 2) {
    square = Value{.node = materialise(value), .dims = value.dims, .c0 = 0, .c1 = 0, .c2 = 1, .origin = {}};
  } else {
    square.c0 = value.c0 * value.c0;
    square.c1 = 2 * value.c0 * value.c1;
    square.c2 = value.c1 * value.c1;
  }
  define(node, exponent == 2 ? std::move(square) : tensor_product(node, value, square));
}

/// Sum and Mean of any number of tensors.
void OnnxLowering::sum(const OnnxNode& node) {
  std::optional<Value> total;
  std::vector<std::size_t> constants;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (is_constant(node.input(i))) {
      constants.push_back(i);
    } else {
      total = total ? sum_of(*total, tensor(node, i), node.name()) : tensor(node, i);
    }
  }
  if (!total) bad(node, "adds nothing");
  for (const std::size_t i : constants) {
    const std::vector<double> shift = element_values(*total, constant(node.input(i)), node.name());
    total = affine(*total, {1}, shift, node.name());
  }
  if (node.op() == "Mean") {
    total = affine(*total, {1.0 / static_cast<double>(node.input_count())}, {0}, node.name());
  }
  define(node, std::move(*total));
}

void OnnxLowering::cast(const OnnxNode& node) {
  if (const auto condition = comparisons_.find(node.input(0)); condition != comparisons_.end()) {
    comparisons_[node.output()] = Comparison(condition->second);
    return;
  }
  Value value = raw_tensor(node, 0);
  int type = onnx::TensorProto::FLOAT;
  if (node.op() == "Cast") {
    type = static_cast<int>(std::clamp<std::int64_t>(node.integer("to", 0), -1, 99));
  } else if (const auto like = values_.find(node.input(1));
             like != values_.end() && like->second.is_integer) {
    type = onnx::TensorProto::INT64;
  }
  if (is_integer_type(type)) {
    // Wider integers hold the same numbers; a real number would lose its fraction.
    const bool is_narrow = type == onnx::TensorProto::BOOL || type == onnx::TensorProto::INT8 ||
                           type == onnx::TensorProto::UINT8;
    if (!value.is_integer || is_narrow) {
      throw Unsupported{
          fmt::format("it cuts computed values down to {}; remove it from the network", type_name(type))};
    }
    return define(node, std::move(value));
  }
  if (type != onnx::TensorProto::FLOAT && type != onnx::TensorProto::DOUBLE &&
      type != onnx::TensorProto::FLOAT16 && type != onnx::TensorProto::BFLOAT16) {
    throw Unsupported{fmt::format("it casts to {}", type_name(type))};
  }
  if (value.is_integer && value.scale > 0) {
    // The integers themselves: q = value / scale + zero.
    value = affine(value, {1 / value.scale}, {value.zero}, node.name());
    value.scale = value.zero = 0;
  }
  value.is_integer = false;
  define(node, std::move(value));
}

}  // namespace ap::nn
