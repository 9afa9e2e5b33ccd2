#include "nn/onnx/operators.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

std::vector<Operator> make_operators() {
  constexpr const char* kAxes = "any axes, given as an attribute or as a constant";
  constexpr const char* kLinear = "one factor is a constant";
  constexpr const char* kSame = "a constant, or a computed tensor of a shape that broadcasts";
  constexpr const char* kQuantised = "one scale for a computed tensor; rounding is left out (see below)";
  constexpr const char* kShape = "the batch counts as 1";
  std::vector<Operator> list = {
      {"Abs", {}, ""},
      {"Add", {"axis", "broadcast", "consumed_inputs"}, kSame},
      {"AveragePool",
       {"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"},
       "signals and images; at most 4096 elements along each dimension"},
      {"BatchNormalization",
       {"consumed_inputs", "epsilon", "is_test", "momentum", "spatial", "training_mode"},
       "in evaluation mode"},
      {"Cast", {"saturate", "to"}, "to floats; integer inputs also to wider integers"},
      {"CastLike", {"saturate"}, "as Cast"},
      {"Clip", {"consumed_inputs", "max", "min"}, "constant limits"},
      {"Concat", {"axis"}, "any axis, of computed tensors and constants"},
      {"Constant", {"value", "value_float", "value_floats", "value_int", "value_ints"}, "numbers"},
      {"ConstantOfShape", {"value"}, "", true},
      {"Conv",
       {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"},
       "signals and images; constant weights and bias"},
      {"ConvInteger",
       {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"},
       "behind DynamicQuantizeLinear"},
      {"ConvTranspose",
       {"auto_pad", "dilations", "group", "kernel_shape", "output_padding", "output_shape", "pads",
        "strides"},
       "signals and images; kernels up to 64; constant weights and bias"},
      {"DepthToSpace", {"blocksize", "mode"}, ""},
      {"DequantizeLinear",
       {"axis", "block_size", "output_dtype"},
       "of weights: one scale, or one for each place of an axis; of computed tensors: one scale"},
      {"Div", {"axis", "broadcast", "consumed_inputs"}, "by a constant"},
      {"Dropout", {"consumed_inputs", "is_test", "ratio", "seed"}, "left out"},
      {"DynamicQuantizeLinear", {}, "read as the tensor itself"},
      {"Expand", {}, kShape},
      {"Flatten", {"axis"}, ""},
      {"Gather", {"axis"}, "constant indices"},
      {"Gemm", {"alpha", "beta", "broadcast", "transA", "transB"}, kLinear},
      {"GlobalAveragePool", {}, ""},
      {"GlobalMaxPool", {}, ""},
      {"Greater", {"axis", "broadcast"}, "of a computed tensor with one number, as the condition of Where"},
      {"GreaterOrEqual", {}, "as Greater"},
      {"HardSigmoid", {"alpha", "beta", "consumed_inputs"}, ""},
      {"Identity", {}, ""},
      {"LeakyRelu", {"alpha", "consumed_inputs"}, ""},
      {"Less", {"axis", "broadcast"}, "as Greater"},
      {"LessOrEqual", {}, "as Greater"},
      {"MatMul", {}, "one factor is a constant matrix, the other has any number of dimensions"},
      {"MatMulInteger", {}, "behind DynamicQuantizeLinear"},
      {"Max", {"consumed_inputs"}, kSame},
      {"MaxPool",
       {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"},
       "signals and images; the first output"},
      {"Mean", {"consumed_inputs"}, kSame},
      {"Min", {"consumed_inputs"}, kSame},
      {"Mul",
       {"axis", "broadcast", "consumed_inputs"},
       "by a constant, or of two computed tensors of shapes that broadcast"},
      {"Neg", {"consumed_inputs"}, ""},
      {"PRelu", {"consumed_inputs"}, "constant slopes that broadcast"},
      {"Pad",
       {"mode", "pads", "paddings", "value"},
       "modes constant, reflect, edge and wrap; negative pads cut off"},
      {"Pow", {"axis", "broadcast"}, "exponents 1, 2 and 3"},
      {"QLinearConv", {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}, kQuantised},
      {"QLinearMatMul", {}, kQuantised},
      {"QuantizeLinear", {"axis", "block_size", "output_dtype", "precision", "saturate"}, kQuantised},
      {"ReduceMax", {"axes", "keepdims", "noop_with_empty_axes"}, kAxes},
      {"ReduceMean", {"axes", "keepdims", "noop_with_empty_axes"}, kAxes},
      {"ReduceMin", {"axes", "keepdims", "noop_with_empty_axes"}, kAxes},
      {"ReduceSum", {"axes", "keepdims", "noop_with_empty_axes"}, kAxes},
      {"ReduceSumSquare", {"axes", "keepdims", "noop_with_empty_axes"}, kAxes},
      {"Relu", {"consumed_inputs"}, ""},
      {"Reshape", {"allowzero", "consumed_inputs", "shape"}, kShape},
      {"Resize",
       {"antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside",
        "extrapolation_value", "keep_aspect_ratio_policy", "mode", "nearest_mode"},
       "modes nearest and linear; any coordinate_transformation_mode but tf_crop_and_resize"},
      {"Shape", {"end", "start"}, kShape},
      {"Size", {}, kShape},
      {"Slice", {"axes", "ends", "starts", "steps"}, "constant bounds"},
      {"SpaceToDepth", {"blocksize"}, ""},
      {"Split", {"axis", "num_outputs", "split"}, "constant sizes"},
      {"Squeeze", {"axes"}, ""},
      {"Sub", {"axis", "broadcast", "consumed_inputs"}, kSame},
      {"Sum", {"consumed_inputs"}, kSame},
      {"ThresholdedRelu", {"alpha"}, "alpha = 0"},
      {"Tile", {}, "constant repeats"},
      {"Transpose", {"perm"}, ""},
      {"Unsqueeze", {"axes"}, ""},
      {"Upsample", {"height_scale", "mode", "scales", "width_scale"}, "modes nearest and linear"},
      {"Where", {}, "on a comparison of x with a number, between linear functions of x that meet there"},
      {"ai.onnx.ml.Scaler", {"offset", "scale"}, ""},
      {"com.microsoft.QLinearAdd", {}, kQuantised},
      {"com.microsoft.QLinearGlobalAveragePool", {"channels_last"}, kQuantised},
  };
  for (const char* name : {"Erf", "HardSwish", "Mish", "Sigmoid", "Softplus", "Softsign", "Tanh"}) {
    list.push_back({name, {}, "by a table of the integers"});
  }
  list.push_back({"Gelu", {"approximate"}, "by a table of the integers, also written out with Erf or Tanh"});
  for (const char* name : {"Elu", "Celu"})
    list.push_back({name, {"alpha", "consumed_inputs"}, "by a table; alpha > 0"});
  list.push_back({"Selu", {"alpha", "consumed_inputs", "gamma"}, "by a table; alpha > 0 and gamma > 0"});
  for (const char* name : {"And", "Ceil", "Equal", "Exp", "Floor", "Log", "Not", "Or", "Range", "Reciprocal",
                           "Round", "Sign", "Sqrt", "Xor"}) {
    list.push_back({name, {}, "", true});
  }
  list.push_back({"Mod", {"fmod"}, "", true});
  list.push_back({"ReduceProd", {"axes", "keepdims", "noop_with_empty_axes"}, kAxes, true});
  std::sort(list.begin(), list.end(),
            [](const Operator& a, const Operator& b) { return std::string_view(a.name) < b.name; });
  return list;
}

}  // namespace

const std::unordered_map<std::string, OnnxLowering::Method>& OnnxLowering::methods() {
  static const std::unordered_map<std::string, Method> kMethods = {
      {"Conv", &OnnxLowering::conv},
      {"ConvTranspose", &OnnxLowering::conv_transpose},
      {"Gemm", &OnnxLowering::gemm},
      {"MatMul", &OnnxLowering::matmul},
      {"BatchNormalization", &OnnxLowering::batch_normalization},
      {"ai.onnx.ml.Scaler", &OnnxLowering::scaler},
      {"MaxPool", &OnnxLowering::max_pool},
      {"AveragePool", &OnnxLowering::average_pool},
      {"GlobalAveragePool", &OnnxLowering::global_average_pool},
      {"GlobalMaxPool", &OnnxLowering::global_max_pool},
      {"ReduceMean", &OnnxLowering::reduce},
      {"ReduceSum", &OnnxLowering::reduce},
      {"ReduceMax", &OnnxLowering::reduce},
      {"ReduceMin", &OnnxLowering::reduce},
      {"ReduceSumSquare", &OnnxLowering::reduce},
      {"Relu", &OnnxLowering::relu},
      {"Clip", &OnnxLowering::clip},
      {"Add", &OnnxLowering::add},
      {"Sub", &OnnxLowering::sub},
      {"Mul", &OnnxLowering::mul},
      {"Div", &OnnxLowering::div},
      {"Neg", &OnnxLowering::neg},
      {"Pow", &OnnxLowering::pow},
      {"Sum", &OnnxLowering::sum},
      {"Mean", &OnnxLowering::sum},
      {"Cast", &OnnxLowering::cast},
      {"CastLike", &OnnxLowering::cast},
      {"LeakyRelu", &OnnxLowering::leaky_relu},
      {"PRelu", &OnnxLowering::prelu},
      {"Abs", &OnnxLowering::abs},
      {"Max", &OnnxLowering::extremum},
      {"Min", &OnnxLowering::extremum},
      {"HardSigmoid", &OnnxLowering::hard_sigmoid},
      {"ThresholdedRelu", &OnnxLowering::thresholded_relu},
      {"Greater", &OnnxLowering::compare},
      {"GreaterOrEqual", &OnnxLowering::compare},
      {"Less", &OnnxLowering::compare},
      {"LessOrEqual", &OnnxLowering::compare},
      {"Where", &OnnxLowering::where},
      {"Sigmoid", &OnnxLowering::smooth_activation},
      {"Tanh", &OnnxLowering::smooth_activation},
      {"Erf", &OnnxLowering::smooth_activation},
      {"Softsign", &OnnxLowering::smooth_activation},
      {"HardSwish", &OnnxLowering::smooth_activation},
      {"Gelu", &OnnxLowering::smooth_activation},
      {"Mish", &OnnxLowering::smooth_activation},
      {"Softplus", &OnnxLowering::smooth_activation},
      {"Elu", &OnnxLowering::smooth_activation},
      {"Selu", &OnnxLowering::smooth_activation},
      {"Celu", &OnnxLowering::smooth_activation},
      {"Concat", &OnnxLowering::concat},
      {"QuantizeLinear", &OnnxLowering::quantize_linear},
      {"DequantizeLinear", &OnnxLowering::dequantize_linear},
      {"QLinearConv", &OnnxLowering::qlinear_conv},
      {"QLinearMatMul", &OnnxLowering::qlinear_matmul},
      {"com.microsoft.QLinearAdd", &OnnxLowering::qlinear_add},
      {"com.microsoft.QLinearGlobalAveragePool", &OnnxLowering::qlinear_pool},
      {"DynamicQuantizeLinear", &OnnxLowering::dynamic_quantize_linear},
      {"ConvInteger", &OnnxLowering::integer_product},
      {"MatMulInteger", &OnnxLowering::integer_product},
  };
  return kMethods;
}

const std::vector<Operator>& operators() {
  static const std::vector<Operator> kOperators = make_operators();
  return kOperators;
}

const Operator* find_operator(const std::string& name) {
  const auto& all = operators();
  const auto found = std::lower_bound(all.begin(), all.end(), name,
                                      [](const Operator& o, const std::string& n) { return n > o.name; });
  return found != all.end() && name == found->name ? &*found : nullptr;
}

std::string operators_markdown() {
  std::string out =
      "# Operators of ONNX files that are supported\n\n"
      "`autoprivacy inspect --operators` prints this page. A network is read as one image sees it: the batch counts as 1 "
      "wherever a\nshape is seen, also where the file fixes another. What is computed from constants alone, weights and "
      "shapes, is computed\non import. An attribute that is not in the list is refused, since it might change the "
      "meaning. `inspect` accepts what\n`compile` accepts.\n\n"
      "| operator | attributes | limits |\n| --- | --- | --- |\n";
  for (const Operator& o : operators()) {
    std::string attributes;
    for (const char* name : o.attributes)
      attributes += fmt::format("{}`{}`", attributes.empty() ? "" : ", ", name);
    const std::string limits =
        o.on_constants ? fmt::format("on constants{}{}", *o.limits ? "; " : "", o.limits) : o.limits;
    out += fmt::format("| {} | {} | {} |\n", o.name, attributes, limits);
  }
  out +=
      "\nAt the end of a network, operators that keep the order of the classes are left out with a note, together with "
      "views and\ncasts behind them: Softmax (also in its parts), LogSoftmax, Hardmax, Sigmoid, Tanh, Softplus, Softsign, Exp, Log, Erf, "
      "LpNormalization,\nArgMax, TopK, Round, ZipMap, and a comparison with a constant. The output is then the logits. Several outputs come one after the other; `--output NAME` takes one "
      "alone.\n\n"
      "Networks that are quantised already (QDQ, QLinear operators, DynamicQuantizeLinear) are read as float networks "
      "with the\nweights as the file rounds them. Rounding of their activations is left out; a quantiser whose zero "
      "point is its lowest integer\nis kept as the ReLU, with an upper limit, that it is; the limits of others are left "
      "out with a note.\n\n"
      "Weights and inputs may be float32, float64, float16, bfloat16 or integers of 8 to 64 bits, and weights may lie in "
      "a file of a\nplain name beside the .onnx file. Integer tensors that are computed may only be moved and cast.\n";
  return out;
}

}  // namespace ap::nn
