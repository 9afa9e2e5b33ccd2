// The door for networks from files. Order matters: counts and sizes are capped before anything is multiplied,
// shapes before ranges.
#include <cmath>
#include <set>
#include <vector>

#include "base/error.h"
#include "nn/ir/quantised_bounds.h"
#include "nn/ir/quantised_network.h"

namespace ap::nn {
namespace {

constexpr std::size_t kMaxNodes = 10000;
constexpr std::size_t kMaxNameBytes = 1024;
constexpr int kMaxExtent = 1 << 16;
constexpr std::int64_t kMaxElements = std::int64_t{1} << 26;
constexpr std::int64_t kMaxWeights = std::int64_t{1} << 30;
constexpr int kMaxPool = 1 << 12;
constexpr int kMaxKernel = 64;
constexpr std::size_t kMaxInputs = 4096;
constexpr int kMaxShift = 31;
constexpr int kMaxActivationBits = 31;
constexpr int kMaxTableBits = 16;
constexpr int kMaxTableIndexBits = 8;

class Validator {
 public:
  Validator(const QuantisedNetwork& network, WeightsRule rule) : network_(network), rule_(rule) {}

  void run() {
    if (network_.nodes.empty()) fail_input("network '{}' has no nodes", network_.name);
    if (network_.nodes.size() > kMaxNodes) {
      fail_input("network '{}' has {} nodes; the limit is {}", network_.name, network_.nodes.size(),
                 kMaxNodes);
    }
    used_.assign(network_.nodes.size(), false);
    check_shape(network_.nodes.front().shape);
    validate(network_.input_form, network_.input_shape(), network_.name);
    for (at_ = 0; at_ < network_.nodes.size(); ++at_) {
      check_node();
      std::visit([this](const auto& op) { check(op); }, node().op);
      check_range();
    }
    for (at_ = 0; at_ + 1 < network_.nodes.size(); ++at_)
      require(used_[at_], "no later node uses its output");
  }

 private:
  const QNode& node() const { return network_.nodes[at_]; }
  const QNode& input(std::size_t i = 0) const {
    return network_.nodes[static_cast<std::size_t>(node().inputs[i])];
  }

  void require(bool condition, const char* problem) const {
    if (!condition) fail_input("node {} '{}' ({}): {}", at_, node().name, op_name(node().op), problem);
  }

  void check_node() {
    const QNode& n = node();
    if (n.name.empty() || n.name.size() > kMaxNameBytes) {
      fail_input("node {}: its name has {} bytes; 1 to {} are allowed", at_, n.name.size(), kMaxNameBytes);
    }
    require(names_.insert(n.name).second, "its name is used twice");
    check_shape(n.shape);
    require(std::isfinite(n.scale) && n.scale > 0, "the scale is not a positive number");
    const bool is_input = std::holds_alternative<QInput>(n.op);
    require(is_input == (at_ == 0), "the first node, and no other, must be the input");
    require(n.inputs.size() <= kMaxInputs, "it has too many inputs");
    require(is_input ? n.inputs.empty() : !n.inputs.empty(), "it has the wrong number of inputs");
    for (int i : n.inputs) {
      require(i >= 0 && static_cast<std::size_t>(i) < at_, "an input is not an earlier node");
      used_[static_cast<std::size_t>(i)] = true;
    }
  }

  void check_shape(const Shape& s) const {
    require(s.c >= 1 && s.h >= 1 && s.w >= 1 && s.h <= kMaxExtent && s.w <= kMaxExtent &&
                s.c <= kMaxElements && s.size() <= kMaxElements,
            "a dimension is not positive or the tensor is too large");
  }

  /// A window whose every position covers at least one real element, and whose output is as stated.
  void check_window(const Window& w, const Shape& in, int channels) const {
    const Padding& p = w.pad;
    const int limit = std::holds_alternative<QLinear>(node().op) ? kMaxKernel : kMaxPool;
    require(w.kernel_h >= 1 && w.kernel_w >= 1 && w.kernel_h <= limit && w.kernel_w <= limit,
            "the kernel size is out of range");
    require(w.stride_h >= 1 && w.stride_w >= 1 && w.stride_h <= kMaxExtent && w.stride_w <= kMaxExtent,
            "the stride is out of range");
    require(p.top >= 0 && p.left >= 0 && p.bottom >= 0 && p.right >= 0 && p.top < w.kernel_h &&
                p.bottom < w.kernel_h && p.left < w.kernel_w && p.right < w.kernel_w,
            "the padding is negative or as large as the kernel");
    require(in.h + p.top + p.bottom >= w.kernel_h && in.w + p.left + p.right >= w.kernel_w,
            "the kernel is larger than its input");
    require(node().shape == Shape{channels, w.out_h(in.h), w.out_w(in.w)}, "the output shape is wrong");
  }

  void check_arity(std::size_t count) const {
    require(node().inputs.size() == count, "it has the wrong number of inputs");
  }

  void check_scale(double expected) const {
    if (rule_ == WeightsRule::absent) return;  // a client does not know the inner scales
    require(std::abs(node().scale - expected) <= 1e-9 * expected,
            "the scale does not follow from the input's");
  }

  void check(const QInput&) const {}

  void check(const QLinear& op) {
    check_arity(1);
    const Shape& in = input().shape;
    require(op.in_shape == in || op.in_shape == Shape{static_cast<int>(in.size()), 1, 1},
            "the kernel's view of the input has the wrong shape");
    check_window(op.window, op.in_shape, node().shape.c);
    require(op.groups >= 1 && op.in_shape.c % op.groups == 0 && node().shape.c % op.groups == 0,
            "the groups do not divide the channels");
    const std::int64_t taps = std::int64_t{op.window.kernel_h} * op.window.kernel_w;
    const std::int64_t depth = std::int64_t{op.in_shape.c / op.groups} * taps;
    require(depth <= kMaxWeights && depth * node().shape.c <= kMaxWeights - weights_,
            "there are too many weights");
    weights_ += depth * node().shape.c;
    if (op.weights.empty() && op.bias.empty()) {
      require(rule_ != WeightsRule::required, "its weights are missing");
      require(stripped_ != Stripped::no, "its weights are missing while other nodes have theirs");
      stripped_ = Stripped::yes;
      return;
    }
    require(rule_ != WeightsRule::absent, "it carries weights that a client must not have");
    require(stripped_ != Stripped::yes, "it has weights while other nodes lack theirs");
    stripped_ = Stripped::no;
    require(static_cast<std::int64_t>(op.weights.size()) == depth * node().shape.c,
            "the number of weights is wrong");
    require(op.bias.size() == static_cast<std::size_t>(node().shape.c), "the number of biases is wrong");
    for (std::int16_t w : op.weights) require(w != INT16_MIN, "a weight is below -32767");
    for (std::int64_t b : op.bias)
      require(b >= -kMaxMagnitude && b <= kMaxMagnitude, "a bias exceeds 32 bits");
  }

  void check(const QAdd& op) const {
    require(op.multiplier.size() == node().inputs.size(), "the number of multipliers is wrong");
    for (std::size_t i = 0; i < op.multiplier.size(); ++i) {
      require(op.multiplier[i] >= 1 && op.multiplier[i] <= kMaxMagnitude, "a multiplier is out of range");
      require(input(i).shape == node().shape, "the shapes differ");
    }
  }

  void check(const QSumPool& op) const {
    check_arity(1);
    check_window(op.window, input().shape, input().shape.c);
  }

  void check(const QConcat&) const {
    std::int64_t channels = 0;
    for (std::size_t i = 0; i < node().inputs.size(); ++i) {
      const Shape& s = input(i).shape;
      require(s.h == node().shape.h && s.w == node().shape.w, "the shapes differ");
      check_scale(input(i).scale);
      channels += s.c;
    }
    require(channels == node().shape.c, "the output shape is wrong");
  }

  void check(const QGather& op) const {
    check_arity(1);
    check_scale(input().scale);
    require(static_cast<std::int64_t>(op.index.size()) == node().shape.size(),
            "the number of indices is wrong");
    const std::int64_t limit = input().shape.size();
    for (std::int32_t i : op.index) require(i >= -1 && i < limit, "an index is out of range");
  }

  void check_clamp(int shift, std::int64_t low, int bits) const {
    require(shift >= 0 && shift <= kMaxShift, "the shift is out of range");
    require(bits >= 1 && bits <= kMaxActivationBits, "the number of output bits is out of range");
    require(low >= -kMaxMagnitude && low <= kMaxMagnitude, "the lower limit is out of range");
  }

  void check(const QActivation& op) const {
    check_arity(1);
    check_clamp(op.shift, op.low, op.bits);
    check_scale(std::ldexp(input().scale, op.shift));
    if (op.has_pool) {
      check_window(op.pool, input().shape, input().shape.c);
    } else {
      require(input().shape == node().shape, "the output shape is wrong");
    }
  }

  void check(const QQuadratic& op) const {
    check_arity(1);
    check_clamp(op.shift, op.low, op.bits);
    require(op.post_shift >= 0 && op.post_shift <= kMaxShift, "the second shift is out of range");
    constexpr std::int64_t kMaxCoefficient = std::int64_t{1} << 48;
    for (std::int64_t c : {op.c0, op.c1, op.c2}) {
      require(c >= -kMaxCoefficient && c <= kMaxCoefficient, "a coefficient is out of range");
    }
    require(input().shape == node().shape, "the output shape is wrong");
  }

  void check(const QTable& op) const {
    check_arity(1);
    check_clamp(op.shift, op.low, op.bits);
    require(op.bits <= kMaxTableBits, "the number of input bits of a table is out of range");
    require(!op.relu || (op.bits >= 2 && op.low == -(std::int64_t{1} << (op.bits - 1))),
            "the lower limit is not that of a table with a positive part");
    require(op.relu || !op.even, "an even table needs a positive part");
    require(op.cell_bits >= 0 && op.index_bits() >= 1 && op.index_bits() <= kMaxTableIndexBits,
            "the size of the table's cells is out of range");
    require(op.values.size() == std::size_t{1} << op.index_bits(),
            "the number of the table's values is wrong");
    require(op.offset >= -kMaxMagnitude && op.offset <= kMaxMagnitude, "the table's offset is out of range");
    require(input().shape == node().shape, "the output shape is wrong");
  }

  void check(const QProduct& op) const {
    check_arity(2);
    check_clamp(op.shift, op.low, op.bits);
    check_scale(std::ldexp(input(0).scale * input(1).scale, op.shift));
    require(input(0).shape == node().shape, "the output shape is wrong");
    require(input(1).shape == node().shape || input(1).shape == Shape{node().shape.c, 1, 1},
            "the second factor has neither the shape of the first nor one value a channel");
  }

  void check_range() const {
    const QNode& n = node();
    // Ranges follow from the weights: a client knows only that of the image.
    if (rule_ == WeightsRule::absent && at_ > 0) return;
    require(n.low <= n.high && n.low >= -kMaxMagnitude && n.high <= kMaxMagnitude,
            "the range exceeds 32 bits");
    if (const auto* linear = std::get_if<QLinear>(&n.op); linear && linear->weights.empty()) return;
    if (at_ == 0) return;
    std::vector<Interval> inputs;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) inputs.push_back({input(i).low, input(i).high});
    require(output_range(n, inputs, input().shape) == Interval{n.low, n.high},
            "the stored range is not the one that follows from its inputs");
  }

  enum class Stripped { unknown, no, yes };
  const QuantisedNetwork& network_;
  WeightsRule rule_;
  std::size_t at_ = 0;
  std::int64_t weights_ = 0;
  Stripped stripped_ = Stripped::unknown;
  std::vector<bool> used_;
  std::set<std::string> names_;
};

}  // namespace

void validate(const QuantisedNetwork& network, WeightsRule rule) { Validator(network, rule).run(); }

}  // namespace ap::nn
