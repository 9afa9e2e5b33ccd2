#include "nn/quantise/equalise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"

namespace ap::nn {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }
double positions(const Shape& s) { return static_cast<double>(s.h) * s.w; }

/// What an output channel of a layer reads of an input channel.
struct Tap {
  int in = 0, out = 0;
  double largest = 0, square = 0;  ///< over the window: max |w|, sum of w^2
};

/// Calls visit(input channel, output channel, weight) for every weight.
template <typename Weights, typename Visit>
void for_each_weight(const Node& node, const Shape& in, Weights& weights, int groups, Visit visit) {
  const auto outputs = at(node.shape.c);
  const std::size_t each = weights.size() / outputs;
  const auto channels_in = std::holds_alternative<ConvOp>(node.op) ? at(in.c / groups) : at(in.c);
  const std::size_t taps = each / channels_in;
  for (std::size_t o = 0; o < outputs; ++o) {
    const std::size_t first = o / (outputs / at(groups)) * channels_in;
    for (std::size_t i = 0; i < channels_in; ++i) {
      for (std::size_t k = 0; k < taps; ++k) visit(first + i, o, weights[(o * channels_in + i) * taps + k]);
    }
  }
}

struct Layer {
  int node = 0, input = 0;
  double window = 1;   ///< weights of one Tap
  double repeats = 1;  ///< how often an element of the input is used, per weight
  std::vector<Tap> taps;
};

class Equaliser {
 public:
  Equaliser(const IntegerGraph& graph, std::span<const NodeStatistics> statistics, int weight_bits,
            int activation_bits, int input_bits)
      : graph_(graph.graph), statistics_(statistics) {
    weight_levels_ = std::ldexp(1.0, weight_bits - 1) - 1;
    activation_levels_ = std::ldexp(1.0, activation_bits) - 1;
    input_levels_ = std::ldexp(1.0, input_bits) - 1;
    number_channels();
    join_channels();
    bound_factors();
    list_layers();
    find_sensitivities();
  }

  std::vector<std::vector<double>> run() {
    constexpr int kIterations = 120;
    log_factor_.assign(group_.size(), 0);
    for (int k = 0; k < kIterations; ++k) step();
    std::vector<std::vector<double>> out(nodes().size());
    for (std::size_t i = 0; i < nodes().size(); ++i) {
      for (int c = 0; c < nodes()[i].shape.c; ++c) out[i].push_back(factor(i, at(c)));
    }
    return out;
  }

 private:
  const std::vector<Node>& nodes() const { return graph_.nodes; }

  void number_channels() {
    std::size_t count = 0;
    for (const Node& n : nodes()) {
      first_.push_back(count);
      count += at(n.shape.c);
    }
    group_.resize(count);
    std::iota(group_.begin(), group_.end(), std::size_t{0});
  }

  std::size_t find(std::size_t i) {
    while (group_[i] != i) i = group_[i] = group_[group_[i]];
    return i;
  }
  void join(std::size_t node_a, std::size_t a, std::size_t node_b, std::size_t b) {
    group_[find(first_[node_a] + a)] = find(first_[node_b] + b);
  }
  double factor(std::size_t node, std::size_t channel) const {
    return std::exp(log_factor_[group_[first_[node] + channel]]);
  }

  /// Channels that must have one factor, since something adds, moves or clips them.
  void join_channels() {
    for (std::size_t i = 0; i < nodes().size(); ++i) {
      const Node& n = nodes()[i];
      if (const auto* gather = std::get_if<GatherOp>(&n.op)) {
        const auto in = at(n.inputs[0]);
        const auto plane_in = static_cast<std::size_t>(positions(nodes()[in].shape)),
                   plane = static_cast<std::size_t>(positions(n.shape));
        for (std::size_t k = 0; k < gather->index.size(); ++k) {
          if (gather->index[k] >= 0) join(i, k / plane, in, at(gather->index[k]) / plane_in);
        }
      } else if (std::holds_alternative<ConcatOp>(n.op)) {
        std::size_t c = 0;
        for (int k : n.inputs) {
          for (std::size_t j = 0; j < at(nodes()[at(k)].shape.c); ++j) join(i, c++, at(k), j);
        }
      } else if (std::holds_alternative<AddOp>(n.op) || std::holds_alternative<ClipOp>(n.op) ||
                 std::holds_alternative<MaxPoolOp>(n.op) || std::holds_alternative<AveragePoolOp>(n.op)) {
        for (int k : n.inputs) {
          for (std::size_t c = 0; c < at(n.shape.c); ++c) join(i, c, at(k), c);
        }
      }
    }
    for (std::size_t i = 0; i < group_.size(); ++i) group_[i] = find(i);
  }

  void bound(std::size_t node, std::size_t channel, double low, double high) {
    const std::size_t g = group_[first_[node] + channel];
    log_low_[g] = std::max(log_low_[g], std::log(low));
    log_high_[g] = std::max(log_low_[g], std::min(log_high_[g], std::log(high)));
  }

  void bound_factors() {
    constexpr double kLargest = 1 << 12;
    // Distance from a limit that a value never seen may take.
    constexpr double kHeadroom = 1.25;
    log_low_.assign(group_.size(), -std::log(kLargest));
    log_high_.assign(group_.size(), std::log(kLargest));
    for (std::size_t i = 0; i < nodes().size(); ++i) {
      const Node& n = nodes()[i];
      const NodeStatistics* seen = &statistics_[i];
      const bool quadratic = std::holds_alternative<QuadraticOp>(n.op);
      const bool fixed = std::holds_alternative<InputOp>(n.op) || quadratic || i + 1 == nodes().size();
      for (std::size_t c = 0; c < at(n.shape.c); ++c) {
        if (fixed) bound(i, c, 1, 1);
        if (const auto* clip = std::get_if<ClipOp>(&n.op)) {
          const auto limit = [&](float l, double value) {
            if (!std::isfinite(l) || l == 0) return;
            // A channel that reaches the limit cannot move, one that stays on the other side of zero may.
            const double ratio = double{l} / value;
            bound(i, c, 1, value == 0 || ratio < 0 ? kLargest : std::max(1.0, ratio / kHeadroom));
          };
          limit(clip->low, seen->channel_low[c]);
          limit(clip->high, seen->channel_high[c]);
        }
      }
      if (quadratic) {
        for (std::size_t c = 0; c < at(n.shape.c); ++c) bound(at(n.inputs[0]), c, 1, 1);
      }
    }
  }

  void list_layers() {
    for (std::size_t i = 0; i < nodes().size(); ++i) {
      const Node& n = nodes()[i];
      const auto* conv = std::get_if<ConvOp>(&n.op);
      const auto* full = std::get_if<FullyConnectedOp>(&n.op);
      if (!conv && !full) continue;
      Layer layer;
      layer.node = static_cast<int>(i);
      layer.input = n.inputs[0];
      const Shape& in = nodes()[at(layer.input)].shape;
      layer.window = conv ? double(conv->window.kernel_h) * conv->window.kernel_w : positions(in);
      layer.repeats = positions(n.shape) / positions(in);
      std::size_t last_in = std::numeric_limits<std::size_t>::max(), last_out = last_in;
      for_each_weight(n, in, conv ? conv->weights : full->weights, conv ? conv->groups : 1,
                      [&](std::size_t c, std::size_t o, float w) {
                        if (c != last_in || o != last_out) {
                          layer.taps.push_back({static_cast<int>(c), static_cast<int>(o)});
                        }
                        last_in = c, last_out = o;
                        Tap& tap = layer.taps.back();
                        tap.largest = std::max(tap.largest, std::abs(double{w}));
                        tap.square += double{w} * w;
                      });
      layers_.push_back(std::move(layer));
    }
  }

  /// The variance that an error of variance 1 in every element of a channel, independent of each other, adds to
  /// the output, per element.
  void find_sensitivities() {
    constexpr double kActive = 0.5;  ///< of what a ReLU gets
    sensitivity_.assign(group_.size(), 0);
    std::size_t layer = layers_.size();
    for (std::size_t i = nodes().size(); i-- > 0;) {
      const Node& n = nodes()[i];
      double* own = &sensitivity_[first_[i]];
      if (i + 1 == nodes().size()) std::fill_n(own, n.shape.c, 1.0);
      if (layer > 0 && layers_[layer - 1].node == static_cast<int>(i)) {
        const Layer& l = layers_[--layer];
        double* in = &sensitivity_[first_[at(l.input)]];
        for (const Tap& tap : l.taps) in[tap.in] += tap.square * l.repeats * own[tap.out];
        continue;
      }
      std::size_t c = 0;
      for (int k : n.inputs) {
        const Shape& from = nodes()[at(k)].shape;
        double* in = &sensitivity_[first_[at(k)]];
        const double ratio = positions(n.shape) / positions(from);
        if (const auto* gather = std::get_if<GatherOp>(&n.op)) {
          const auto plane = static_cast<std::size_t>(positions(n.shape)),
                     plane_in = static_cast<std::size_t>(positions(from));
          for (std::size_t e = 0; e < gather->index.size(); ++e) {
            if (gather->index[e] < 0) continue;
            in[at(gather->index[e]) / plane_in] += own[e / plane] / positions(from);
          }
          continue;
        }
        double share = 1;
        if (const auto* pool = std::get_if<AveragePoolOp>(&n.op)) share = ratio / pool_divisor(*pool);
        if (std::holds_alternative<MaxPoolOp>(n.op)) share = ratio;
        if (const auto* clip = std::get_if<ClipOp>(&n.op); clip && std::isfinite(clip->low)) share = kActive;
        for (std::size_t j = 0; j < at(from.c); ++j) in[j] += share * own[c + j];
        if (std::holds_alternative<ConcatOp>(n.op)) c += at(from.c);
      }
    }
  }

  /// Of the norm that stands for a maximum: its slope is shared by all that are nearly the largest.
  static constexpr double kNorm = 16;

  /// One multiplicative step: what falls with a factor against what grows with it.
  void step() {
    falls_.assign(group_.size(), 0);
    grows_.assign(group_.size(), 0);
    for (std::size_t i = 0; i < nodes().size(); ++i) round_tensor(i);
    for (const Layer& l : layers_) round_weights(l);
    constexpr double kSpeed = 0.12;
    for (std::size_t g = 0; g < group_.size(); ++g) {
      if (falls_[g] <= 0 || grows_[g] <= 0) continue;
      const double move = std::clamp(std::log(falls_[g] / grows_[g]), -4.0, 4.0);
      log_factor_[g] = std::clamp(log_factor_[g] + kSpeed * move, log_low_[g], log_high_[g]);
    }
  }

  /// What rounding of tensor i does, if it has a step of its own.
  void round_tensor(std::size_t i) {
    const Node& n = nodes()[i];
    const bool input = std::holds_alternative<InputOp>(n.op);
    if (!input && !std::holds_alternative<ClipOp>(n.op)) return;
    const NodeStatistics& seen = statistics_[i];
    const auto reach = [&](std::size_t c) {
      return std::max(std::abs(double{seen.channel_low[c]}), std::abs(double{seen.channel_high[c]})) *
             factor(i, c);
    };
    double largest = 0;
    for (std::size_t c = 0; c < at(n.shape.c); ++c) largest = std::max(largest, reach(c));
    if (largest <= 0) return;
    double norm = 0, noise = 0;
    for (std::size_t c = 0; c < at(n.shape.c); ++c) norm += std::pow(reach(c) / largest, kNorm);
    const double step = largest / (input ? input_levels_ : activation_levels_);
    const double variance = step * step / 12 * positions(n.shape);
    for (std::size_t c = 0; c < at(n.shape.c); ++c) {
      const double a = factor(i, c);
      const double own = variance / (a * a) * sensitivity_[first_[i] + c];
      falls_[group_[first_[i] + c]] += own;
      noise += own;
    }
    for (std::size_t c = 0; c < at(n.shape.c); ++c) {
      grows_[group_[first_[i] + c]] += noise * std::pow(reach(c) / largest, kNorm) / norm;
    }
  }

  void round_weights(const Layer& l) {
    const auto in = at(l.input), out = at(l.node);
    std::vector<double> a, b;
    for (std::size_t c = 0; c < at(nodes()[in].shape.c); ++c) a.push_back(factor(in, c));
    for (std::size_t c = 0; c < at(nodes()[out].shape.c); ++c) b.push_back(factor(out, c));
    double largest = 0;
    for (const Tap& t : l.taps) largest = std::max(largest, t.largest * b[at(t.out)] / a[at(t.in)]);
    if (largest <= 0) return;
    const double step = largest / weight_levels_;
    const double variance = step * step / 12 * l.window * positions(nodes()[out].shape);
    double noise = 0, norm = 0;
    for (const Tap& t : l.taps) {
      const double ratio = a[at(t.in)] / b[at(t.out)];
      const double own = variance * ratio * ratio * statistics_[in].channel_square[at(t.in)] *
                         sensitivity_[first_[out] + at(t.out)];
      grows_[group_[first_[in] + at(t.in)]] += own;
      falls_[group_[first_[out] + at(t.out)]] += own;
      noise += own;
      norm += power(t.largest / ratio / largest);
    }
    for (const Tap& t : l.taps) {
      const double share = noise * power(t.largest * b[at(t.out)] / a[at(t.in)] / largest) / norm;
      falls_[group_[first_[in] + at(t.in)]] += share;
      grows_[group_[first_[out] + at(t.out)]] += share;
    }
  }

  /// x^kNorm.
  static double power(double x) {
    const double x2 = x * x, x4 = x2 * x2, x8 = x4 * x4;
    return x8 * x8;
  }

  const Graph& graph_;
  std::span<const NodeStatistics> statistics_;
  double weight_levels_ = 0, activation_levels_ = 0, input_levels_ = 0;
  std::vector<std::size_t> first_;  ///< by node: number of its channel 0
  std::vector<std::size_t> group_;  ///< by channel: the channel whose factor it has
  std::vector<double> log_factor_, log_low_, log_high_, falls_, grows_;  ///< by channel; of groups
  std::vector<double> sensitivity_;                                      ///< by channel
  std::vector<Layer> layers_;
};

}  // namespace

std::vector<std::vector<double>> equalisation_factors(const IntegerGraph& graph,
                                                      std::span<const NodeStatistics> statistics,
                                                      int weight_bits, int activation_bits, int input_bits) {
  return Equaliser(graph, statistics, weight_bits, activation_bits, input_bits).run();
}

void apply_factors(Graph& graph, std::span<const std::vector<double>> factors) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& n = graph.nodes[i];
    auto* conv = std::get_if<ConvOp>(&n.op);
    auto* full = std::get_if<FullyConnectedOp>(&n.op);
    if (!conv && !full) continue;
    const std::vector<double>&a = factors[at(n.inputs[0])], &b = factors[i];
    for_each_weight(n, graph.nodes[at(n.inputs[0])].shape, conv ? conv->weights : full->weights,
                    conv ? conv->groups : 1,
                    [&](std::size_t c, std::size_t o, float& w) { w = static_cast<float>(w * b[o] / a[c]); });
    std::vector<float>& bias = conv ? conv->bias : full->bias;
    for (std::size_t o = 0; o < bias.size(); ++o) bias[o] = static_cast<float>(bias[o] * b[o]);
  }
}

}  // namespace ap::nn
