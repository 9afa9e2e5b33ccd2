#include "nn/onnx/lowering.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ap::nn {
namespace {

/// All tensors of one network together; keeps a small hostile file from filling the memory.
constexpr std::int64_t kMaxTotalElements = std::int64_t{1} << 28;

/// What to do about operators that people often have.
std::string hint_for(const std::string& op) {
  static const std::unordered_map<std::string, std::string> kHints = {
      {"HardSigmoid", "train with ReLU, Clip or a quadratic activation instead"},
      {"LeakyRelu", "train with Relu instead"},
      {"PRelu", "train with Relu instead"},
      {"ConvTranspose", "only image classifiers are supported"},
      {"LSTM", "recurrent networks are not supported"},
      {"GRU", "recurrent networks are not supported"},
      {"QLinearConv", "export the float network; quantisation is done here"},
      {"QuantizeLinear", "export the float network; quantisation is done here"},
      {"DequantizeLinear", "export the float network; quantisation is done here"},
      {"ArgMax", "export the network up to its logits"},
  };
  const auto found = kHints.find(op);
  return found == kHints.end()
             ? "not supported; use convolutions, matrix products, pooling, sums, ReLU, Clip or "
               "quadratic activations"
             : found->second;
}

}  // namespace

std::int64_t checked_size(const std::vector<std::int64_t>& dims, const std::string& where) {
  std::int64_t count = 1;
  for (const std::int64_t d : dims) {
    if (d < 1 || d > kMaxTensorElements / count) {
      fail_input("{} makes a tensor with a dimension of {}; at least 1 and at most {} elements are allowed",
                 where, d, kMaxTensorElements);
    }
    count *= d;
  }
  return count;
}

Shape shape_of(const std::vector<std::int64_t>& dims) {
  const auto at = [&](std::size_t i) { return i < dims.size() ? static_cast<int>(dims[i]) : 1; };
  if (dims.size() <= 3) return {at(0), at(1), at(2)};
  const auto rest = std::accumulate(dims.begin() + 1, dims.end(), std::int64_t{1}, std::multiplies<>());
  return {at(0), static_cast<int>(rest), 1};
}

const std::unordered_map<std::string, OnnxLowering::Method>& OnnxLowering::methods() {
  static const std::unordered_map<std::string, Method> kMethods = {
      {"Conv", &OnnxLowering::conv},
      {"Gemm", &OnnxLowering::gemm},
      {"MatMul", &OnnxLowering::matmul},
      {"BatchNormalization", &OnnxLowering::batch_normalization},
      {"MaxPool", &OnnxLowering::max_pool},
      {"AveragePool", &OnnxLowering::average_pool},
      {"GlobalAveragePool", &OnnxLowering::global_average_pool},
      {"ReduceMean", &OnnxLowering::reduce_mean},
      {"Relu", &OnnxLowering::relu},
      {"Clip", &OnnxLowering::clip},
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
      {"Add", &OnnxLowering::add},
      {"Sub", &OnnxLowering::sub},
      {"Mul", &OnnxLowering::mul},
      {"Div", &OnnxLowering::div},
      {"Neg", &OnnxLowering::neg},
      {"Pow", &OnnxLowering::pow},
      {"Softmax", &OnnxLowering::softmax},
      {"LogSoftmax", &OnnxLowering::softmax},
      {"Identity", &OnnxLowering::identity},
      {"Dropout", &OnnxLowering::identity},
      {"Flatten", &OnnxLowering::flatten},
      {"Reshape", &OnnxLowering::reshape},
      {"Squeeze", &OnnxLowering::squeeze},
      {"Unsqueeze", &OnnxLowering::unsqueeze},
      {"Transpose", &OnnxLowering::transpose},
      {"Slice", &OnnxLowering::slice},
      {"Gather", &OnnxLowering::gather},
      {"Pad", &OnnxLowering::pad},
      {"Concat", &OnnxLowering::concat},
  };
  return kMethods;
}

OnnxLowering::Result OnnxLowering::run() {
  graph_.name = model_.name;
  names_.insert("input");
  graph_.nodes.push_back({"input", InputOp{}, {}, shape_of(model_.input_dims)});
  values_[model_.input] = Value{.node = 0, .dims = model_.input_dims, .origin = "input"};
  std::string unsupported;
  for (const OnnxNode& node : model_.nodes) {
    const auto& inputs = node.proto().input();
    const bool reads_unknown =
        std::any_of(inputs.begin(), inputs.end(), [&](const std::string& i) { return unknown_.contains(i); });
    std::string hint;
    try {
      if (reads_unknown) {
        // Its own operator is still worth reporting; its arguments cannot be judged.
        if (!methods().contains(node.op())) hint = hint_for(node.op());
      } else {
        lower(node);
      }
    } catch (const Unsupported& problem) {
      hint = problem.hint;
    }
    if (!hint.empty()) unsupported += fmt::format("\n  {} ({}): {}", node.name(), node.op(), hint);
    if (reads_unknown || !hint.empty()) {
      for (const std::string& output : node.proto().output()) unknown_.insert(output);
    }
  }
  if (!unsupported.empty()) {
    fail_input("{} has nodes that cannot be run privately:{}", model_.name, unsupported);
  }
  const auto output = values_.find(model_.output);
  if (output == values_.end()) fail_input("{}: the output does not depend on the input", model_.name);
  const int node = shaped(output->second);
  return {std::move(graph_), node};
}

void OnnxLowering::lower(const OnnxNode& node) {
  if (fold_constants(node)) return;
  const auto method = methods().find(node.op());
  if (method == methods().end()) throw Unsupported{hint_for(node.op())};
  if (node.proto().output_size() < 1) bad(node, "has no output");
  if (node.has("broadcast") && node.op() != "Gemm") {
    throw Unsupported{"it broadcasts as before opset 7; convert the file to opset 13"};
  }
  (this->*method->second)(node);
}

void OnnxLowering::bad(const OnnxNode& node, const std::string& what) const {
  fail_input("{}: node {} ({}) {}", model_.name, node.name(), node.op(), what);
}

bool OnnxLowering::is_constant(const std::string& name) const {
  return constants_.contains(name) || model_.initializers.contains(name);
}

const Constant& OnnxLowering::constant(const std::string& name) {
  const auto known = constants_.find(name);
  if (known != constants_.end()) return known->second;
  return constants_.emplace(name, read_tensor(*model_.initializers.at(name), name)).first->second;
}

const Constant& OnnxLowering::constant_input(const OnnxNode& node, std::size_t i, const char* what) {
  if (node.input(i).empty()) bad(node, fmt::format("lacks its input {} ({})", i, what));
  if (!is_constant(node.input(i))) {
    throw Unsupported{fmt::format("its {} must be a constant, but is computed from the image", what)};
  }
  return constant(node.input(i));
}

std::optional<std::vector<std::int64_t>> OnnxLowering::integer_list(const OnnxNode& node,
                                                                    const char* attribute, std::size_t i) {
  if (auto list = node.integers(attribute)) return list;
  if (node.input(i).empty()) return std::nullopt;
  const Constant& c = constant_input(node, i, attribute);
  if (!c.is_integer || c.dims.size() > 1) {
    bad(node, fmt::format("has {} that are not a list of integers", attribute));
  }
  return c.integers;
}

const Value& OnnxLowering::tensor(const OnnxNode& node, std::size_t i) const {
  if (node.input(i).empty()) bad(node, fmt::format("lacks its input {}", i));
  const auto found = values_.find(node.input(i));
  if (found == values_.end()) {
    throw Unsupported{
        is_constant(node.input(i))
            ? "it works on a constant where a computed tensor is expected"
            : "it reads a second output (mask, indices) of another node, which is not computed"};
  }
  return found->second;
}

void OnnxLowering::define(const OnnxNode& node, Value value) {
  value.origin = node.name();
  values_[node.output()] = std::move(value);
}

Value OnnxLowering::plain(const OnnxNode& node, int graph_node, std::vector<std::int64_t> dims) const {
  return Value{.node = graph_node, .dims = std::move(dims), .origin = node.name()};
}

int OnnxLowering::add_node(const std::string& name, Op op, std::vector<int> inputs, Shape shape) {
  total_elements_ += shape.size();
  if (total_elements_ > kMaxTotalElements || graph_.nodes.size() >= static_cast<std::size_t>(kMaxNodes)) {
    fail_input(
        "{} is too large: at node {} its tensors have more than {} elements together, or it has {} nodes",
        model_.name, name, kMaxTotalElements, kMaxNodes);
  }
  std::string unique = name;
  for (int k = 2; !names_.insert(unique).second; ++k) unique = fmt::format("{}#{}", name, k);
  graph_.nodes.push_back({std::move(unique), std::move(op), std::move(inputs), shape});
  return static_cast<int>(graph_.nodes.size()) - 1;
}

int OnnxLowering::materialise(const Value& value) {
  if (value.is_plain()) return value.node;
  const auto key = std::make_tuple(value.node, value.c0, value.c1, value.c2);
  const auto known = polynomials_.find(key);
  if (known != polynomials_.end()) return known->second;
  const auto c0 = static_cast<float>(value.c0), c1 = static_cast<float>(value.c1),
             c2 = static_cast<float>(value.c2);
  if (!std::isfinite(c0) || !std::isfinite(c1) || !std::isfinite(c2)) {
    fail_input("{}: the polynomial that ends at node {} has coefficients {}, {}, {}, beyond float32",
               model_.name, value.origin, value.c0, value.c1, value.c2);
  }
  const Shape shape = graph_.nodes[static_cast<std::size_t>(value.node)].shape;
  Op op = QuadraticOp{c0, c1, c2};
  if (value.degree() < 2) {
    const auto channels = static_cast<std::size_t>(shape.c);
    op = AffineOp{std::vector<float>(channels, c1), std::vector<float>(channels, c0)};
  }
  const int node = add_node(value.origin, std::move(op), {value.node}, shape);
  polynomials_[key] = node;
  return node;
}

int OnnxLowering::shaped(const Value& value) {
  const int node = materialise(value);
  const Shape shape = shape_of(value.dims);
  if (graph_.nodes[static_cast<std::size_t>(node)].shape == shape) return node;
  const auto key = std::make_tuple(node, shape.c, shape.h, shape.w);
  const auto known = reshapes_.find(key);
  if (known != reshapes_.end()) return known->second;
  GatherOp op{std::vector<std::int32_t>(static_cast<std::size_t>(shape.size()))};
  std::iota(op.index.begin(), op.index.end(), 0);
  return reshapes_[key] = add_node(value.origin, std::move(op), {node}, shape);
}

}  // namespace ap::nn
