#include "nn/ir/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/error.h"

namespace ap::nn {
namespace {

constexpr int kMaxWindow = 1 << 20;

/// Checks one node against the shapes of its inputs.
class NodeChecker {
 public:
  NodeChecker(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  void operator()(const InputOp&) const { bad("is a second input; a network has one"); }

  void operator()(const ConvOp& op) const {
    const Shape& in = only_input();
    check_window(op.window, in);
    const int c_out = node_.shape.c;
    if (op.groups < 1 || in.c % op.groups != 0 || c_out % op.groups != 0) {
      bad(fmt::format("has {} groups, which do not divide {} and {} channels", op.groups, in.c, c_out));
    }
    check_size("weights", op.weights.size(),
               std::int64_t{c_out} * (in.c / op.groups) * op.window.kernel_h * op.window.kernel_w);
    check_size("bias", op.bias.size(), c_out);
    check_shape({c_out, op.window.out_h(in.h), op.window.out_w(in.w)});
    check_finite(op.weights);
    check_finite(op.bias);
  }

  void operator()(const FullyConnectedOp& op) const {
    const Shape& in = only_input();
    check_shape({node_.shape.c, 1, 1});
    if (in.size() > kMaxTensorElements / node_.shape.c) bad("has too many weights");
    check_size("weights", op.weights.size(), node_.shape.c * in.size());
    check_size("bias", op.bias.size(), node_.shape.c);
    check_finite(op.weights);
    check_finite(op.bias);
  }

  void operator()(const ClipOp& op) const {
    check_shape(only_input());
    if (!(op.low <= op.high)) bad(fmt::format("clips to [{}, {}], which is empty", op.low, op.high));
  }

  void operator()(const QuadraticOp& op) const {
    check_shape(only_input());
    check_finite({op.c0, op.c1, op.c2});
  }

  void operator()(const AddOp&) const {
    check_arity(2);
    check_shape(input(0));
    check_shape(input(1));
  }

  void operator()(const SmoothOp& op) const {
    check_shape(only_input());
    check_finite({op.alpha, op.gamma});
    if (!(op.alpha > 0 && op.gamma > 0)) bad("has a parameter that is not positive");
  }

  void operator()(const ProductOp&) const {
    check_arity(2);
    check_shape(input(0));
    if (!(input(1) == Shape{node_.shape.c, 1, 1})) check_shape(input(1));
  }

  void operator()(const AffineOp& op) const {
    check_shape(only_input());
    check_size("scale", op.scale.size(), node_.shape.c);
    check_size("shift", op.shift.size(), node_.shape.c);
    check_finite(op.scale);
    check_finite(op.shift);
  }

  void operator()(const MaxPoolOp& op) const { check_pool(op.window); }
  void operator()(const AveragePoolOp& op) const {
    check_pool(op.window);
    if (!(op.factor > 0) || !std::isfinite(op.factor)) bad(fmt::format("has the factor {}", op.factor));
  }

  void operator()(const ConcatOp&) const {
    if (node_.inputs.empty()) bad("concatenates nothing");
    std::int64_t channels = 0;
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      channels += input(i).c;
      if (input(i).h != node_.shape.h || input(i).w != node_.shape.w) {
        bad(fmt::format("concatenates {} into {}", to_string(input(i)), to_string(node_.shape)));
      }
    }
    if (channels != node_.shape.c) bad(fmt::format("has {} channels, not {}", node_.shape.c, channels));
  }

  void operator()(const GatherOp& op) const {
    const std::int64_t size = only_input().size();
    check_size("index", op.index.size(), node_.shape.size());
    for (const std::int32_t i : op.index) {
      if (i < -1 || i >= size) bad(fmt::format("reads element {} of {}", i, size));
    }
  }

 private:
  [[noreturn]] void bad(const std::string& what) const {
    fail_input("network {}: node {} ({}) {}", graph_.name, node_.name, op_name(node_.op), what);
  }
  const Shape& input(std::size_t i) const {
    return graph_.nodes[static_cast<std::size_t>(node_.inputs[i])].shape;
  }
  void check_arity(std::size_t count) const {
    if (node_.inputs.size() != count) bad(fmt::format("has {} inputs, not {}", node_.inputs.size(), count));
  }
  const Shape& only_input() const {
    check_arity(1);
    return input(0);
  }
  void check_shape(const Shape& expected) const {
    if (!(node_.shape == expected)) {
      bad(fmt::format("has shape {}, not {}", to_string(node_.shape), to_string(expected)));
    }
  }
  void check_size(const char* what, std::size_t size, std::int64_t expected) const {
    if (static_cast<std::int64_t>(size) != expected || expected > kMaxTensorElements) {
      bad(fmt::format("has {} values as {}, not {}", size, what, expected));
    }
  }
  void check_finite(const std::vector<float>& values) const {
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
      bad("has a weight that is not a finite number");
    }
  }
  void check_window(const Window& w, const Shape& in) const {
    const Padding& p = w.pad;
    for (const int v : {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w}) {
      if (v < 1 || v > kMaxWindow) bad(fmt::format("has a window or stride of {}", v));
    }
    for (const int v : {p.top, p.left, p.bottom, p.right}) {
      if (v < 0 || v > kMaxWindow) bad(fmt::format("has a padding of {}", v));
    }
    if (w.kernel_h > in.h + p.top + p.bottom || w.kernel_w > in.w + p.left + p.right) {
      bad(fmt::format("has a {}x{} window, larger than its padded input {}", w.kernel_h, w.kernel_w,
                      to_string(in)));
    }
  }
  void check_pool(const Window& w) const {
    const Shape& in = only_input();
    check_window(w, in);
    if (std::max(w.pad.top, w.pad.bottom) >= w.kernel_h || std::max(w.pad.left, w.pad.right) >= w.kernel_w) {
      bad("pools windows that lie wholly in the padding");
    }
    check_shape({in.c, w.out_h(in.h), w.out_w(in.w)});
  }

  const Graph& graph_;
  const Node& node_;
};

void check_node_shape(const Graph& graph, const Node& node) {
  const Shape& s = node.shape;
  const bool positive = s.c >= 1 && s.h >= 1 && s.w >= 1;
  // Each factor is checked alone first, so that the product cannot overflow.
  if (!positive || s.c > kMaxTensorElements || s.h > kMaxTensorElements / s.c ||
      s.w > kMaxTensorElements / s.c / s.h) {
    fail_input("network {}: node {} has shape {}x{}x{}; each must be positive and the product at most {}",
               graph.name, node.name, s.c, s.h, s.w, kMaxTensorElements);
  }
}

}  // namespace

const char* op_name(const Op& op) {
  static constexpr const char* kNames[] = {"input",  "conv",   "fully_connected", "clip",         "quadratic",
                                           "add",    "affine", "max_pool",        "average_pool", "concat",
                                           "gather", "smooth", "product"};
  static_assert(std::size(kNames) == std::variant_size_v<Op>);
  return kNames[op.index()];
}

std::string to_string(const Shape& shape) { return fmt::format("{}x{}x{}", shape.c, shape.h, shape.w); }

void validate(const InputForm& form, const Shape& input, const std::string& network) {
  constexpr std::size_t kMaxRank = 8;
  if (form.dims.empty() && !form.channels_last) return;
  std::int64_t count = 1;
  for (const int d : form.dims) {
    if (d < 1 || d > kMaxTensorElements / count || form.dims.size() > kMaxRank) {
      fail_input(
          "network {}: its input's form has {} dimensions, one of them {}; 1 to {} positive ones are allowed",
          network, form.dims.size(), d, kMaxRank);
    }
    count *= d;
  }
  const bool has_channels = form.dims.size() >= 2 && form.dims.back() == input.c;
  if (count != input.size() || (form.channels_last && !has_channels)) {
    fail_input("network {}: its input's form does not fit its input of {}", network, to_string(input));
  }
}

void validate(const Graph& graph) {
  const auto count = graph.nodes.size();
  if (count < 2 || count > static_cast<std::size_t>(kMaxNodes)) {
    fail_input("network {} has {} nodes; 2 to {} are allowed", graph.name, count, kMaxNodes);
  }
  if (!std::holds_alternative<InputOp>(graph.nodes[0].op) || !graph.nodes[0].inputs.empty()) {
    fail_input("network {}: node 0 is not the input", graph.name);
  }
  validate(graph.input_form, graph.input_shape(), graph.name);
  std::unordered_set<std::string> names;
  std::vector<bool> used(count, false);
  for (std::size_t i = 0; i < count; ++i) {
    const Node& node = graph.nodes[i];
    if (node.name.empty() || !names.insert(node.name).second) {
      fail_input("network {}: node {} has the empty or repeated name \"{}\"", graph.name, i, node.name);
    }
    check_node_shape(graph, node);
    for (const int input : node.inputs) {
      if (input < 0 || static_cast<std::size_t>(input) >= i) {
        fail_input("network {}: node {} reads node {}, which is not an earlier one", graph.name, node.name,
                   input);
      }
      used[static_cast<std::size_t>(input)] = true;
    }
    if (i > 0) std::visit(NodeChecker(graph, node), node.op);
  }
  for (std::size_t i = 0; i + 1 < count; ++i) {
    if (!used[i]) fail_input("network {}: nothing reads node {}", graph.name, graph.nodes[i].name);
  }
}

}  // namespace ap::nn
