// Networks that are quantised already: integers of the file are read as the numbers that they stand for, with the weights
// as they were rounded. Rounding of activations is left out, since quantisation here chooses its own steps; what a
// quantiser cuts off is kept where it stands for a ReLU (its zero point is its lowest integer), and left out, with a
// note, elsewhere.
#include <algorithm>
#include <cmath>

#include "nn/onnx/evaluate.h"
#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

struct Levels {
  double low = 0, high = 255;
};

Levels levels_of(int type) {
  switch (type) {
    case onnx::TensorProto::INT8:
      return {-128, 127};
    case onnx::TensorProto::UINT16:
      return {0, 65535};
    case onnx::TensorProto::INT16:
      return {-32768, 32767};
    default:
      return {0, 255};
  }
}

}  // namespace

/// The value as its quantiser leaves it, but not rounded.
Value OnnxLowering::requantised(const OnnxNode& node, Value value, std::size_t scale_input,
                                std::size_t zero_input) {
  const Constant& scale = constant_input(node, scale_input, "scale");
  if (scale.size() != 1 || !(scale.at(0) > 0))
    throw Unsupported{"activations with more than one scale are not supported"};
  Levels levels;
  double zero = 0;
  if (!node.input(zero_input).empty()) {
    const Constant& c = constant_input(node, zero_input, "zero point");
    if (c.size() != 1) bad(node, "has more than one zero point");
    levels = levels_of(c.type);
    zero = c.at(0);
  } else {
    levels = levels_of(static_cast<int>(node.integer("output_dtype", onnx::TensorProto::UINT8)));
  }
  const double step = scale.at(0);
  const bool is_input = value.node == 0 || value.is_integer;
  if (zero == levels.low && !is_input) {
    value = clipped(value, 0, (levels.high - zero) * step, node.name());
  } else if (!is_input) {
    note("limits of quantised activations that are no ReLU were left out; the network is quantised anew");
  }
  value.is_integer = true;
  value.scale = step;
  value.zero = zero;
  return value;
}

void OnnxLowering::quantize_linear(const OnnxNode& node) {
  define(node, requantised(node, tensor(node, 0), 1, 2));
}

void OnnxLowering::dequantize_linear(const OnnxNode& node) {
  Value value = raw_tensor(node, 0);
  if (!value.is_integer) bad(node, "reads a tensor that is no integer");
  const Constant& scale = constant_input(node, 1, "scale");
  if (scale.size() != 1 || !(scale.at(0) > 0))
    throw Unsupported{"activations with more than one scale are not supported"};
  const double zero = node.input(2).empty() ? 0 : constant_input(node, 2, "zero point").at(0);
  const bool is_quantised = value.scale > 0;
  const bool same = is_quantised && value.scale == scale.at(0) && value.zero == zero;
  if (!same) {
    const double old_scale = is_quantised ? value.scale : 1, old_zero = is_quantised ? value.zero : 0;
    value = affine(value, {scale.at(0) / old_scale}, {(old_zero - zero) * scale.at(0)}, node.name());
  }
  value.is_integer = false;
  value.scale = value.zero = 0;
  define(node, std::move(value));
}

Constant OnnxLowering::dequantised_input(const OnnxNode& node, std::size_t value, std::size_t scale,
                                         std::size_t zero, std::int64_t axis) {
  const Constant* zero_point = node.input(zero).empty() ? nullptr : &constant_input(node, zero, "zero point");
  Constant zeros;
  const Constant& s = constant_input(node, scale, "scale");
  if (zero_point && zero_point->size() == 1 && s.size() > 1) {
    zeros = *zero_point;
    zeros.integers.assign(static_cast<std::size_t>(s.size()), zero_point->integers.at(0));
    zero_point = &zeros;
  }
  return dequantised(arguments(node), constant_input(node, value, "weights"), s, zero_point, axis);
}

void OnnxLowering::qlinear_conv(const OnnxNode& node) {
  Value input = raw_tensor(node, 0);
  const double x_scale = constant_input(node, 1, "scale").at(0);
  if (!(input.scale > 0)) {
    const double zero = constant_input(node, 2, "zero point").at(0);
    input = affine(input, {x_scale}, {-zero * x_scale}, node.name());
  }
  input.is_integer = false;
  const Constant weights = dequantised_input(node, 3, 4, 5, 0);
  std::vector<float> bias;
  if (!node.input(8).empty()) {
    const Constant &b = constant_input(node, 8, "bias"), &w_scale = constant_input(node, 4, "scale");
    for (std::size_t o = 0; o < static_cast<std::size_t>(b.size()); ++o) {
      bias.push_back(static_cast<float>(b.at(o) * x_scale * w_scale.at(w_scale.size() == 1 ? 0 : o)));
    }
  }
  define(node, requantised(node, convolution(node, input, weights, std::move(bias)), 6, 7));
}

void OnnxLowering::qlinear_matmul(const OnnxNode& node) {
  Value input = raw_tensor(node, 0);
  if (!(input.scale > 0)) {
    const double scale = constant_input(node, 1, "scale").at(0),
                 zero = constant_input(node, 2, "zero point").at(0);
    input = affine(input, {scale}, {-zero * scale}, node.name());
  }
  input.is_integer = false;
  const Constant weights = dequantised_input(node, 3, 4, 5, 1);
  define(node, requantised(node, product(node, input, weights, false, 1, {}), 6, 7));
}

/// com.microsoft.QLinearAdd(a, scale, zero, b, scale, zero, scale, zero)
void OnnxLowering::qlinear_add(const OnnxNode& node) {
  Value a = raw_tensor(node, 0), b = raw_tensor(node, 3);
  if (!(a.scale > 0) || !(b.scale > 0)) throw Unsupported{"it adds integers without a scale"};
  a.is_integer = b.is_integer = false;
  define(node, requantised(node, sum_of(a, b, node.name()), 6, 7));
}

/// com.microsoft.QLinearGlobalAveragePool(x, scale, zero, scale, zero)
void OnnxLowering::qlinear_pool(const OnnxNode& node) {
  Value input = raw_tensor(node, 0);
  if (!(input.scale > 0)) throw Unsupported{"it averages integers without a scale"};
  if (node.integer("channels_last", 0) != 0) throw Unsupported{"channels_last is not supported"};
  input.is_integer = false;
  input.scale = input.zero = 0;
  std::set<std::size_t> axes;
  for (std::size_t d = 2; d < input.dims.size(); ++d) axes.insert(d);
  define(node, requantised(node, reduced(input, axes, false, node.name()), 3, 4));
}

/// Its scale depends on the image: the value stays what it is, with a scale of 1.
void OnnxLowering::dynamic_quantize_linear(const OnnxNode& node) {
  Value value = tensor(node, 0);
  value.is_integer = true;
  value.scale = 1;
  value.zero = 0;
  note("activations that the file quantises image by image are quantised with fixed steps");
  define(node, std::move(value));
  if (node.output_count() < 3) bad(node, "does not have three outputs");
  Constant scale, zero;
  scale.name = zero.name = node.name();
  scale.floats = {1};
  zero.is_integer = true;
  zero.integers = {0};
  zero.type = onnx::TensorProto::UINT8;
  constants_[node.output(1)] = std::move(scale);
  constants_[node.output(2)] = std::move(zero);
}

/// ConvInteger and MatMulInteger of a tensor that DynamicQuantizeLinear made.
void OnnxLowering::integer_product(const OnnxNode& node) {
  Value input = raw_tensor(node, 0);
  if (input.scale != 1 || input.zero != 0) throw Unsupported{"it multiplies integers without a scale"};
  const Constant& w = constant_input(node, 1, "weights");
  Constant scale;
  const Constant* zero = node.input(3).empty() ? nullptr : &constant_input(node, 3, "zero point");
  scale.floats.assign(zero ? static_cast<std::size_t>(zero->size()) : 1, 1.0F);
  const bool is_conv = node.op() == "ConvInteger";
  const Constant weights = dequantised(arguments(node), w, scale, zero, is_conv ? 0 : 1);
  input.is_integer = false;
  input.scale = 0;
  Value out = is_conv ? convolution(node, input, weights, {}) : product(node, input, weights, false, 1, {});
  // What follows casts the integers to floats; with a scale of 1 they are what they stand for.
  out.is_integer = true;
  out.scale = 1;
  define(node, std::move(out));
}

}  // namespace ap::nn
