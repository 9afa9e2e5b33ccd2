#include "nn/quantise/quantise_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace ap::nn {
namespace {

/// Multipliers of given tensors start here: their rounding error is then below 2^-8.
constexpr double kSmallestMultiplier = 128;
constexpr std::size_t kWeightSamples = 4096;
/// A sum of given tensors may not be finer than this part of its largest value: its worst case must fit 32 bits.
constexpr double kFinestSum = 1.0 / (1 << 30);
/// Activations may hold somewhat more than was seen of them.
constexpr double kUnseen = 2;

}  // namespace

AccumulatorTree::AccumulatorTree(const IntegerGraph& graph, std::span<const NodeStatistics> statistics,
                                 std::span<const NodeScale> scales, int root, std::int64_t largest_weight)
    : graph_(&graph), statistics_(statistics), scales_(scales), root_(root), largest_weight_(largest_weight) {
  walk(root, 1, false);
  std::vector<std::size_t> order(inner_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [this](std::size_t a, std::size_t b) { return inner_[a] < inner_[b]; });
  std::vector<int> nodes;
  std::vector<double> ratios;
  for (std::size_t i : order) {
    nodes.push_back(inner_[i]);
    ratios.push_back(inner_ratio_[i]);
  }
  inner_ = std::move(nodes);
  inner_ratio_ = std::move(ratios);
  smallest_scale_ = room() * kFinestSum;
}

void AccumulatorTree::walk(int i, double ratio, bool under_add) {
  const auto at = static_cast<std::size_t>(i);
  const Node& node = graph_->graph.nodes[at];
  Leaf leaf{.node = i, .ratio = ratio, .under_add = under_add, .weights = {}};
  if (scales_[at].scale > 0) {
    leaf.given = scales_[at].scale;
    const auto& square = statistics_[at].channel_square;
    leaf.power = std::accumulate(square.begin(), square.end(), 0.0) / static_cast<double>(square.size());
    if (!under_add) forced_ = leaf.given / ratio;
    leaves_.push_back(std::move(leaf));
    return;
  }
  // A node met before hangs under an Add twice; its scale is whatever the first meeting decides.
  const bool met = std::find(inner_.begin(), inner_.end(), i) != inner_.end() ||
                   std::any_of(leaves_.begin(), leaves_.end(), [i](const Leaf& l) { return l.node == i; });
  if (met) return;
  if (const auto* conv = std::get_if<ConvOp>(&node.op)) {
    add_linear_leaf(std::move(leaf), conv->weights, double(conv->window.kernel_h) * conv->window.kernel_w,
                    conv->groups);
  } else if (const auto* full = std::get_if<FullyConnectedOp>(&node.op)) {
    const Shape& in = graph_->graph.nodes[static_cast<std::size_t>(node.inputs[0])].shape;
    add_linear_leaf(std::move(leaf), full->weights, double(in.h) * in.w, 1);
  } else {
    const bool is_add = std::holds_alternative<AddOp>(node.op);
    inner_.push_back(i);
    inner_ratio_.push_back(ratio);
    const auto* pool = std::get_if<AveragePoolOp>(&node.op);
    for (int k : node.inputs) walk(k, pool ? ratio * pool_divisor(*pool) : ratio, under_add || is_add);
  }
}

void AccumulatorTree::add_linear_leaf(Leaf leaf, const std::vector<float>& weights, double taps, int groups) {
  const auto input =
      static_cast<std::size_t>(graph_->graph.nodes[static_cast<std::size_t>(leaf.node)].inputs[0]);
  leaf.input_scale = scales_[input].scale;
  AP_ASSERT(leaf.input_scale > 0);
  float largest = 0;
  for (float w : weights) largest = std::max(largest, std::abs(w));
  leaf.needed = leaf.input_scale * double{largest} / static_cast<double>(largest_weight_);
  const auto& square = statistics_[input].channel_square;
  leaf.power = taps * std::accumulate(square.begin(), square.end(), 0.0) / groups;
  const std::size_t step = std::max<std::size_t>(1, weights.size() / kWeightSamples) | 1;
  for (std::size_t k = 0; k < weights.size(); k += step) leaf.weights.push_back(weights[k]);
  leaves_.push_back(std::move(leaf));
}

std::vector<double> AccumulatorTree::full_range_scales() const {
  std::vector<double> out;
  for (const Leaf& leaf : leaves_) {
    if (leaf.needed > 0) out.push_back(leaf.needed / leaf.ratio);
  }
  return out;
}

std::vector<double> AccumulatorTree::given_accumulator_scales() const {
  std::vector<double> out;
  for (const Leaf& leaf : leaves_) {
    const bool accumulator = graph_->accumulator[static_cast<std::size_t>(leaf.node)];
    if (leaf.given > 0 && accumulator) out.push_back(leaf.given / leaf.ratio);
  }
  return out;
}

bool AccumulatorTree::adds_given() const {
  return std::any_of(leaves_.begin(), leaves_.end(),
                     [](const Leaf& leaf) { return leaf.given > 0 && leaf.under_add; });
}

double AccumulatorTree::finest() const {
  if (forced_ > 0) return forced_;
  double smallest = std::numeric_limits<double>::infinity(), largest = 0, multiplier = smallest,
         strongest = 0;
  const auto strength = [](const Leaf& leaf) { return std::sqrt(leaf.power) / leaf.ratio; };
  for (const Leaf& leaf : leaves_) {
    if (leaf.given > 0) strongest = std::max(strongest, strength(leaf));
  }
  for (const Leaf& leaf : leaves_) {
    if (leaf.given > 0) {
      // What is small beside the other summands may be multiplied as much less accurately.
      const double share = strongest > 0 ? std::max(strength(leaf) / strongest, 1 / kSmallestMultiplier) : 1;
      multiplier = std::min(multiplier, leaf.given / leaf.ratio / (kSmallestMultiplier * share));
    }
    if (leaf.needed > 0) {
      smallest = std::min(smallest, leaf.needed / leaf.ratio);
      largest = std::max(largest, leaf.needed / leaf.ratio);
    }
  }
  // A branch with much smaller weights than its sibling is not worth the width it would cost.
  // Nor are weights that make a sum's worst case too wide: a layer has as many bits as its sums have room for.
  if (largest > 0) return std::max({smallest, largest / 8, smallest_scale_});
  return std::isfinite(multiplier) ? std::max(multiplier, smallest_scale_) : 0;
}

double AccumulatorTree::room() const {
  const std::vector<Node>& nodes = graph_->graph.nodes;
  // Of the nodes whose scale this tree decides, and of those that take their accumulators: the scale over the root's.
  std::vector<double> ratio(nodes.size(), 0);
  ratio[static_cast<std::size_t>(root_)] = 1;
  for (const Leaf& leaf : leaves_) {
    if (leaf.given == 0) ratio[static_cast<std::size_t>(leaf.node)] = leaf.ratio;
  }
  for (std::size_t i = 0; i < inner_.size(); ++i)
    ratio[static_cast<std::size_t>(inner_[i])] = inner_ratio_[i];
  double out = 0;
  for (std::size_t k = 0; k < nodes.size(); ++k) {
    const Node& node = nodes[k];
    const bool linear =
        std::holds_alternative<ConvOp>(node.op) || std::holds_alternative<FullyConnectedOp>(node.op);
    if (ratio[k] == 0 && graph_->accumulator[k] && !linear) {
      const auto* pool = std::get_if<AveragePoolOp>(&node.op);
      for (const int input : node.inputs) {
        const double from = ratio[static_cast<std::size_t>(input)];
        if (from > 0) ratio[k] = pool ? from / pool_divisor(*pool) : from;
      }
    }
    if (ratio[k] > 0) out = std::max(out, largest_value(static_cast<int>(k)) / ratio[k]);
  }
  return out;
}

/// The largest magnitude that a node's integers can stand for, whatever the image.
double AccumulatorTree::largest_value(int i) const {
  const Node& node = graph_->graph.nodes[static_cast<std::size_t>(i)];
  const auto layer = [&](const std::vector<float>& weights, const std::vector<float>& bias) {
    const double input = largest_value(node.inputs[0]);
    const std::size_t run = weights.size() / bias.size();
    double largest = 0;
    for (std::size_t o = 0; o < bias.size(); ++o) {
      double sum = 0;
      for (std::size_t k = o * run; k < (o + 1) * run; ++k) sum += std::abs(double{weights[k]});
      largest = std::max(largest, sum * input + std::abs(double{bias[o]}));
    }
    return largest;
  };
  if (const auto* conv = std::get_if<ConvOp>(&node.op)) return layer(conv->weights, conv->bias);
  if (const auto* full = std::get_if<FullyConnectedOp>(&node.op)) return layer(full->weights, full->bias);
  // An average can reach as far as what it averages, however seldom it does.
  const bool averages = std::holds_alternative<AveragePoolOp>(node.op);
  if (!averages && !graph_->accumulator[static_cast<std::size_t>(i)]) {
    const NodeStatistics& seen = statistics_[static_cast<std::size_t>(i)];
    return kUnseen * std::max(std::abs(double{seen.low}), std::abs(double{seen.high}));
  }
  double sum = 0, largest = 0;
  for (const int k : node.inputs) {
    const double value = largest_value(k);
    sum += value;
    largest = std::max(largest, value);
  }
  if (std::holds_alternative<AddOp>(node.op)) return sum;
  const auto* pool = std::get_if<AveragePoolOp>(&node.op);
  return pool ? largest * double{pool->factor} : largest;
}

double AccumulatorTree::leaf_scale(const Leaf& leaf, double root_scale) const {
  if (leaf.given > 0) return leaf.given;
  double scale = leaf.ratio * root_scale;
  // 1 + 1e-9: the scale at which the weights fit exactly counts as fitting.
  while (leaf.under_add && scale * (1 + 1e-9) < leaf.needed) scale *= 2;
  return scale;
}

double AccumulatorTree::error(double root_scale) const {
  double total = 0;
  for (const Leaf& leaf : leaves_) {
    const double scale = leaf_scale(leaf, root_scale);
    if (leaf.given > 0) {
      if (!leaf.under_add) continue;
      const double exact = scale / (leaf.ratio * root_scale);
      const double relative = std::max(1.0, std::round(exact)) / exact - 1;
      total += relative * relative * leaf.power / (leaf.ratio * leaf.ratio);
    } else {
      const double step = scale / leaf.input_scale;
      const auto limit = static_cast<double>(largest_weight_);
      double sum = 0;
      for (float w : leaf.weights) {
        const double e = w - step * std::clamp(std::round(w / step), -limit, limit);
        sum += e * e;
      }
      total += sum / static_cast<double>(std::max<std::size_t>(1, leaf.weights.size())) * leaf.power;
    }
  }
  return total;
}

void AccumulatorTree::assign(double root_scale, std::span<NodeScale> scales) const {
  for (const Leaf& leaf : leaves_) {
    scales[static_cast<std::size_t>(leaf.node)].scale = leaf_scale(leaf, root_scale);
  }
  for (std::size_t k = 0; k < inner_.size(); ++k) {
    const Node& node = graph_->graph.nodes[static_cast<std::size_t>(inner_[k])];
    const double in = scales[static_cast<std::size_t>(node.inputs[0])].scale;
    double& scale = scales[static_cast<std::size_t>(inner_[k])].scale;
    if (std::holds_alternative<AddOp>(node.op)) {
      scale = inner_ratio_[k] * root_scale;
    } else if (const auto* pool = std::get_if<AveragePoolOp>(&node.op)) {
      scale = in / pool_divisor(*pool);
    } else {
      scale = in;
    }
  }
}

}  // namespace ap::nn
