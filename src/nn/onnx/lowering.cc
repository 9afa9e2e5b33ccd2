#include "nn/onnx/lowering.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nn/onnx/evaluate.h"
#include "nn/onnx/resize.h"

namespace ap::nn {
namespace {

/// All tensors of one network together; keeps a small hostile file from filling the memory.
constexpr std::int64_t kMaxTotalElements = std::int64_t{1} << 28;

/// What to do about operators that people often have.
std::string hint_for(const std::string& op) {
  static constexpr const char* kRecurrent = "recurrent networks are not supported";
  static constexpr const char* kNormalisation =
      "it divides by a figure of the image itself; train with BatchNormalization instead";
  static const std::unordered_map<std::string, const char*> kHints = {
      {"Softmax", "it is supported only as the last node; export the network up to its logits"},
      {"LogSoftmax", "it is supported only as the last node; export the network up to its logits"},
      {"ArgMax", "it is supported only as the last node; export the network up to its logits"},
      {"LSTM", kRecurrent},
      {"GRU", kRecurrent},
      {"RNN", kRecurrent},
      {"LayerNormalization", kNormalisation},
      {"InstanceNormalization", kNormalisation},
      {"GroupNormalization", kNormalisation},
      {"LRN", kNormalisation},
      {"LpNormalization", kNormalisation},
      {"If", "the network must not branch; export it in evaluation mode, or simplify it with onnxsim"},
      {"Loop", "the network must not loop; export it with fixed sizes, or simplify it with onnxsim"},
  };
  const auto found = kHints.find(op);
  return found == kHints.end() ? "not supported; docs/operators.md lists what is, with its limits"
                               : found->second;
}

void check_attributes(const OnnxNode& node) {
  const Operator* known = find_operator(node.op());
  if (!known) throw Unsupported{hint_for(node.op())};
  for (const auto& attribute : node.proto().attribute()) {
    const bool is_known = std::any_of(known->attributes.begin(), known->attributes.end(),
                                      [&](const char* name) { return attribute.name() == name; });
    if (!is_known) {
      throw Unsupported{fmt::format("its attribute {} is not known here, so its meaning is not either",
                                    printable_name(attribute.name()))};
    }
  }
}

}  // namespace

std::int64_t element_count(const Dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
}

Shape shape_of(const Dims& dims) {
  const std::size_t first = dims.size() > 1 && dims[0] == 1 ? 1 : 0;
  const auto at = [&](std::size_t i) {
    return first + i < dims.size() ? static_cast<int>(dims[first + i]) : 1;
  };
  if (dims.size() - first <= 3) return {at(0), at(1), at(2)};
  const Dims rest(dims.begin() + static_cast<std::ptrdiff_t>(first) + 1, dims.end());
  return {at(0), static_cast<int>(element_count(rest)), 1};
}

OnnxLowering::Result OnnxLowering::run() {
  graph_.name = model_.name;
  for (const std::string& text : model_.notes) note(text);
  define_input();
  std::string unsupported;
  for (const OnnxNode& node : model_.nodes) {
    const auto& inputs = node.proto().input();
    const bool reads_unknown =
        std::any_of(inputs.begin(), inputs.end(), [&](const std::string& i) { return unknown_.contains(i); });
    std::string hint;
    try {
      // The operator of a node that cannot be judged is still worth reporting.
      check_attributes(node);
      if (!reads_unknown) lower(node);
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
  const int output = join_outputs();
  return {std::move(graph_), output};
}

int OnnxLowering::join_outputs() {
  std::vector<Value> parts;
  std::string listed;
  std::int64_t total = 0;
  for (const OnnxOutput& output : model_.outputs) {
    const auto found = values_.find(output.source);
    if (found == values_.end()) {
      if (comparisons_.contains(output.source)) {
        fail_input(
            "{}: the output {} tells which values are above a limit; choose the tensor that is compared with "
            "--output",
            model_.name, printable_name(output.name));
      }
      if (model_.outputs.size() > 1)
        note(fmt::format("the output {} does not depend on the input and was left out",
                         printable_name(output.name)));
      continue;
    }
    const std::int64_t count = element_count(found->second.dims);
    listed += fmt::format("{}{} (values {} to {})", parts.empty() ? "" : ", ", printable_name(output.name),
                          total, total + count - 1);
    total += count;
    parts.push_back(found->second);
  }
  if (parts.empty()) fail_input("{}: the output does not depend on the input", model_.name);
  if (parts.size() == 1) return shaped(parts[0]);
  note(fmt::format("the outputs come one after the other: {}; --output NAME takes one alone", listed));
  for (Value& part : parts) part.dims = {element_count(part.dims)};
  return shaped(joined(std::move(parts), 0, "outputs"));
}

void OnnxLowering::lower(const OnnxNode& node) {
  if (node.output_count() < 1) bad(node, "has no output");
  if (fold_constants(node)) return;
  if (node.has("broadcast") && node.integer("broadcast", 0) != 0 && node.op() != "Gemm") {
    throw Unsupported{"it broadcasts as before opset 7; convert the file to opset 13"};
  }
  if (is_linear_resize(node)) return define(node, interpolated(node, tensor(node, 0)));
  if (is_movement(node.op())) return move_values(node);
  const auto method = methods().find(node.op());
  if (method == methods().end()) {
    throw Unsupported{"it is supported only where all of its inputs are constants"};
  }
  (this->*method->second)(node);
}

bool OnnxLowering::fold_constants(const OnnxNode& node) {
  const std::string& op = node.op();
  const Arguments args = arguments(node);
  const auto keep = [&](Constant c, std::size_t output = 0) {
    c.name = node.name();
    spend(c.size(), node.name());
    constants_[node.output(output)] = std::move(c);
    return true;
  };
  if (op == "Constant") return keep(constant_node(args));
  if ((op == "Shape" || op == "Size") && values_.contains(node.input(0))) {
    const Dims& dims = values_.at(node.input(0)).dims;
    Constant out = shape_node(args, dims);
    if (op == "Size") {
      out.dims = {};
      out.integers = {element_count(dims)};
    }
    return keep(std::move(out));
  }
  std::vector<const Constant*> inputs;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.input(i).empty()) {
      inputs.push_back(nullptr);
      continue;
    }
    if (!is_constant(node.input(i))) return false;
    inputs.push_back(&constant(node.input(i)));
    if (inputs.back()->size() > kMaxFoldedElements && op != "DequantizeLinear") {
      throw Unsupported{"its constant is too large to be computed with"};
    }
  }
  if (inputs.empty() || !inputs[0]) return false;
  if (is_movement(op)) {
    const std::vector<Movement> movements = plan_movement(args, inputs[0]->dims, false);
    const Constant source = *inputs[0];
    for (std::size_t i = 0; i < movements.size() && i < node.output_count(); ++i)
      keep(move(source, movements[i]), i);
    return true;
  }
  return is_evaluated(op) && keep(evaluate(args, inputs));
}

/// A product with a fixed matrix along each dimension that changes.
Value OnnxLowering::interpolated(const OnnxNode& node, const Value& value) {
  const std::vector<std::vector<float>> matrices = resize_matrices(arguments(node), value.dims);
  Value out = value;
  for (std::size_t d = 0; d < matrices.size(); ++d) {
    if (matrices[d].empty()) continue;
    const std::size_t rows = matrices[d].size() / static_cast<std::size_t>(value.dims[d]);
    out = linear_along(out, d, matrices[d], std::vector<float>(rows, 0.0F), node.name());
  }
  return out;
}

void OnnxLowering::move_values(const OnnxNode& node) {
  const Value value = raw_tensor(node, 0);
  const std::vector<Movement> movements = plan_movement(arguments(node), value.dims, true);
  for (std::size_t i = 0; i < movements.size() && i < node.output_count(); ++i) {
    if (node.output(i).empty()) continue;
    checked_size(movements[i].dims, node.name());
    define(node, moved(value, movements[i], node.name()), i);
  }
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
  return constants_.emplace(name, read_tensor(*model_.initializers.at(name), name, model_.folder))
      .first->second;
}

Arguments OnnxLowering::arguments(const OnnxNode& node) {
  return {node, model_, [this, &node](std::size_t i) -> const Constant& {
            if (!is_constant(node.input(i))) throw Unsupported{"it is computed from the image"};
            return constant(node.input(i));
          }};
}

const Constant& OnnxLowering::constant_input(const OnnxNode& node, std::size_t i, const char* what) {
  return arguments(node).required(i, what);
}

const Value& OnnxLowering::raw_tensor(const OnnxNode& node, std::size_t i) const {
  if (node.input(i).empty()) bad(node, fmt::format("lacks its input {}", i));
  const auto found = values_.find(node.input(i));
  if (found == values_.end()) {
    throw Unsupported{
        comparisons_.contains(node.input(i))
            ? "it works on a comparison of the image's values; only Where may read one"
        : is_constant(node.input(i))
            ? "it works on a constant where a computed tensor is expected"
            : "it reads a second output (mask, indices) of another node, which is not computed"};
  }
  return found->second;
}

const Value& OnnxLowering::tensor(const OnnxNode& node, std::size_t i) const {
  const Value& value = raw_tensor(node, i);
  if (value.is_integer) {
    throw Unsupported{
        "it computes with integers, which wrap around and are cut off; put a Cast to float before it"};
  }
  return value;
}

void OnnxLowering::define(const OnnxNode& node, Value value, std::size_t output) {
  value.origin = node.name();
  values_[node.output(output)] = std::move(value);
}

void OnnxLowering::note(const std::string& text) {
  if (std::find(graph_.notes.begin(), graph_.notes.end(), text) == graph_.notes.end())
    graph_.notes.push_back(text);
}

Value OnnxLowering::plain(const OnnxNode& node, int graph_node, Dims dims) const {
  return Value{.node = graph_node, .dims = std::move(dims), .origin = node.name()};
}

void OnnxLowering::spend(std::int64_t elements, const std::string& name) {
  total_elements_ += elements;
  if (total_elements_ > kMaxTotalElements || graph_.nodes.size() >= static_cast<std::size_t>(kMaxNodes)) {
    fail_input(
        "{} is too large: at node {} its tensors have more than {} elements together, or it has {} nodes",
        model_.name, name, kMaxTotalElements, kMaxNodes);
  }
}

int OnnxLowering::add_node(const std::string& name, Op op, std::vector<int> inputs, Shape shape) {
  spend(shape.size(), name);
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
  const Shape shape = node_shape(value.node);
  Op op = QuadraticOp{c0, c1, c2};
  if (value.degree() < 2) {
    const auto channels = static_cast<std::size_t>(shape.c);
    op = AffineOp{std::vector<float>(channels, c1), std::vector<float>(channels, c0)};
  }
  const int node = add_node(value.origin, std::move(op), {value.node}, shape);
  polynomials_[key] = node;
  return node;
}

int OnnxLowering::shaped(const Value& value, const Shape& shape) {
  const int node = materialise(value);
  if (node_shape(node) == shape) return node;
  const auto key = std::make_tuple(node, shape.c, shape.h, shape.w);
  const auto known = reshapes_.find(key);
  if (known != reshapes_.end()) return known->second;
  GatherOp op{std::vector<std::int32_t>(static_cast<std::size_t>(shape.size()))};
  std::iota(op.index.begin(), op.index.end(), 0);
  return reshapes_[key] = add_node(value.origin, std::move(op), {node}, shape);
}

Value OnnxLowering::moved(const Value& value, Movement movement, const std::string& name) {
  Value out = value;
  out.dims = std::move(movement.dims);
  if (!movement.index) return out;
  spend(std::ssize(*movement.index), name);
  const bool fills = std::find(movement.index->begin(), movement.index->end(), -1) != movement.index->end();
  if (fills) {
    // A gather fills with zeros, so what it moves is the value without the constant that is left for the whole result.
    const double fill = value.scale > 0 ? (movement.fill - value.zero) * value.scale : movement.fill;
    out.c0 -= fill;
    if (out.c0 != 0) {
      out.node = materialise(out);
      out.c1 = 1;
      out.c2 = 0;
    }
    out.c0 = fill;
  }
  // A gather of a gather reads the first one's input, and a way there and back is none.
  if (const auto* first = std::get_if<GatherOp>(&graph_.nodes[static_cast<std::size_t>(out.node)].op)) {
    for (std::int32_t& i : *movement.index) {
      if (i >= 0) i = first->index[static_cast<std::size_t>(i)];
    }
    out.node = graph_.nodes[static_cast<std::size_t>(out.node)].inputs[0];
  }
  out.origin = name;
  const auto size = static_cast<std::int64_t>(movement.index->size());
  std::int32_t next = 0;
  const bool is_view =
      size == node_shape(out.node).size() && std::all_of(movement.index->begin(), movement.index->end(),
                                                         [&](std::int32_t i) { return i == next++; });
  if (is_view) return out;
  const Shape shape = shape_of(out.dims);
  out.node = add_node(name, GatherOp{std::move(*movement.index)}, {out.node}, shape);
  return out;
}

Value OnnxLowering::expanded(const Value& value, const Dims& dims, const std::string& name) {
  if (value.dims == dims) return value;
  checked_size(dims, name);
  return moved(value, broadcast(value.dims, dims), name);
}

}  // namespace ap::nn
