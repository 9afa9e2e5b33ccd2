// Activations and arithmetic, element by element.
#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

bool all_equal(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
}

double element(const Constant& c, std::size_t i) {
  return c.is_integer ? static_cast<double>(c.integers[i]) : static_cast<double>(c.floats[i]);
}

/// The single number in a constant.
double scalar(const Constant& c, const char* what) {
  if (c.size() != 1) throw Unsupported{fmt::format("its {} is not a single number", what)};
  return element(c, 0);
}

}  // namespace

std::vector<double> OnnxLowering::channel_values(const Value& value, const Constant& c) const {
  std::vector<double> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.size()); ++i) values.push_back(element(c, i));
  if (values.empty()) throw Unsupported{"its constant is empty"};
  // ONNX aligns dimensions at the right; index 0 of `full` is the batch.
  const std::size_t rank = value.dims.size() + 1;
  if (c.dims.size() > rank) throw Unsupported{"its constant has more dimensions than the tensor"};
  std::vector<std::int64_t> full(rank, 1);
  std::copy(c.dims.begin(), c.dims.end(), full.end() - static_cast<std::ptrdiff_t>(c.dims.size()));
  if (full[0] != 1) throw Unsupported{"its constant differs from image to image of a batch"};
  for (std::size_t d = 1; d < rank; ++d) {
    if (full[d] != 1 && full[d] != value.dims[d - 1]) {
      throw Unsupported{
          fmt::format("its constant has {} elements along a dimension of {}", full[d], value.dims[d - 1])};
    }
  }
  if (all_equal(values)) return {values.front()};
  for (std::size_t d = 2; d < rank; ++d) {
    if (full[d] != 1)
      throw Unsupported{"its constant varies over the image; only one value per channel is supported"};
  }
  return values;
}

void OnnxLowering::affine(const OnnxNode& node, const Value& value, const std::vector<double>& scale,
                          const std::vector<double>& shift) {
  if (all_equal(scale) && all_equal(shift)) {
    Value out = value;
    out.c0 = value.c0 * scale[0] + shift[0];
    out.c1 = value.c1 * scale[0];
    out.c2 = value.c2 * scale[0];
    define(node, std::move(out));
    return;
  }
  const int source = shaped(value);
  const Shape shape = graph_.nodes[static_cast<std::size_t>(source)].shape;
  AffineOp op;
  for (std::size_t c = 0; c < static_cast<std::size_t>(shape.c); ++c) {
    op.scale.push_back(static_cast<float>(scale[scale.size() == 1 ? 0 : c]));
    op.shift.push_back(static_cast<float>(shift[shift.size() == 1 ? 0 : c]));
  }
  define(node, plain(node, add_node(node.name(), std::move(op), {source}, shape), value.dims));
}

void OnnxLowering::relu(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  const int source = materialise(input);
  const Shape shape = graph_.nodes[static_cast<std::size_t>(source)].shape;
  const ClipOp op{0.0F, std::numeric_limits<float>::infinity()};
  define(node, plain(node, add_node(node.name(), op, {source}, shape), input.dims));
}

void OnnxLowering::clip(const OnnxNode& node) {
  const Value& input = tensor(node, 0);
  constexpr double kMax = std::numeric_limits<float>::max();
  double low = node.number("min", -kMax), high = node.number("max", kMax);
  if (!node.input(1).empty()) low = scalar(constant_input(node, 1, "lower bound"), "lower bound");
  if (!node.input(2).empty()) high = scalar(constant_input(node, 2, "upper bound"), "upper bound");
  if (low > high) bad(node, fmt::format("clips to [{}, {}], which is empty", low, high));
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const ClipOp op{low <= -kMax ? -kInfinity : static_cast<float>(low),
                  high >= kMax ? kInfinity : static_cast<float>(high)};
  const int source = materialise(input);
  const Shape shape = graph_.nodes[static_cast<std::size_t>(source)].shape;
  define(node, plain(node, add_node(node.name(), op, {source}, shape), input.dims));
}

void OnnxLowering::add_tensors(const OnnxNode& node, const Value& a, const Value& b, double sign) {
  if (a.dims != b.dims) throw Unsupported{"it adds tensors of different shapes"};
  if (a.node == b.node) {
    Value sum = a;
    sum.c0 += sign * b.c0;
    sum.c1 += sign * b.c1;
    sum.c2 += sign * b.c2;
    define(node, std::move(sum));
    return;
  }
  Value second = b;
  second.c0 *= sign;
  second.c1 *= sign;
  second.c2 *= sign;
  const int left = shaped(a), right = shaped(second);
  define(node, plain(node, add_node(node.name(), AddOp{}, {left, right}, shape_of(a.dims)), a.dims));
}

void OnnxLowering::add(const OnnxNode& node) {
  const bool first = is_constant(node.input(0)), second = is_constant(node.input(1));
  if (!first && !second) return add_tensors(node, tensor(node, 0), tensor(node, 1), 1);
  const Value& value = tensor(node, first ? 1 : 0);
  affine(node, value, {1}, channel_values(value, constant(node.input(first ? 0 : 1))));
}

void OnnxLowering::sub(const OnnxNode& node) {
  const bool first = is_constant(node.input(0)), second = is_constant(node.input(1));
  if (!first && !second) return add_tensors(node, tensor(node, 0), tensor(node, 1), -1);
  const Value& value = tensor(node, first ? 1 : 0);
  std::vector<double> shift = channel_values(value, constant(node.input(first ? 0 : 1)));
  if (second) std::for_each(shift.begin(), shift.end(), [](double& v) { v = -v; });
  affine(node, value, {first ? -1.0 : 1.0}, shift);
}

void OnnxLowering::mul(const OnnxNode& node) {
  const bool first = is_constant(node.input(0)), second = is_constant(node.input(1));
  if (first || second) {
    const Value& value = tensor(node, first ? 1 : 0);
    return affine(node, value, channel_values(value, constant(node.input(first ? 0 : 1))), {0});
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
  if (a.dims != b.dims || left != right) return product(node, a, b);
  define(node, Value{.node = left, .dims = a.dims, .c0 = 0, .c1 = 0, .c2 = 1, .origin = {}});
}

void OnnxLowering::div(const OnnxNode& node) {
  if (!is_constant(node.input(1))) throw Unsupported{"only division by a constant is supported"};
  const Value& value = tensor(node, 0);
  std::vector<double> scale = channel_values(value, constant(node.input(1)));
  for (double& v : scale) {
    if (v == 0) bad(node, "divides by zero");
    v = 1 / v;
  }
  affine(node, value, scale, {0});
}

void OnnxLowering::neg(const OnnxNode& node) { affine(node, tensor(node, 0), {-1}, {0}); }

void OnnxLowering::pow(const OnnxNode& node) {
  const Value& value = tensor(node, 0);
  const double exponent = scalar(constant_input(node, 1, "exponent"), "exponent");
  if (exponent == 1) return define(node, value);
  if (exponent != 2) throw Unsupported{"only the exponents 1 and 2 are supported"};
  if (value.degree() == 2) {
    const int source = materialise(value);
    return define(node, Value{.node = source, .dims = value.dims, .c0 = 0, .c1 = 0, .c2 = 1, .origin = {}});
  }
  Value square = value;
  square.c0 = value.c0 * value.c0;
  square.c1 = 2 * value.c0 * value.c1;
  square.c2 = value.c1 * value.c1;
  define(node, std::move(square));
}

void OnnxLowering::softmax(const OnnxNode& node) {
  if (node.output() != model_.output) {
    throw Unsupported{"it is supported only as the last node; export the network up to its logits"};
  }
  graph_.notes.push_back(
      fmt::format("the last node {} ({}) was left out: the output is the logits", node.name(), node.op()));
  define(node, tensor(node, 0));
}

}  // namespace ap::nn
