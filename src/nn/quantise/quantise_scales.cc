#include "nn/quantise/quantise_scales.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "nn/quantise/quantise_smooth.h"
#include "nn/quantise/quantise_tree.h"

namespace ap::nn {
namespace {

constexpr int kMaxShift = 24;
constexpr int kFreeShift = 8;  ///< where nothing asks for another
/// How much finer than weights of 8 bits need a sum may be for the sake of tensors whose scale is given; weights of
/// more bits are finer themselves.
constexpr int kMaxFinerBits = 5;
/// Bits of precision that a quadratic's argument has beyond its result: the slope doubles its rounding error.
constexpr int kQuadraticGuardBits = 2;
/// Bits of what tables of bounded functions read.
constexpr int kMaxSmoothBits = 8;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// floor(log2(ratio)), where a ratio a hair below a power of two counts as that power.
int floor_log2(double ratio) { return static_cast<int>(std::floor(std::log2(ratio) + 1e-9)); }

int ceil_log2(double ratio) { return static_cast<int>(std::ceil(std::log2(ratio) - 1e-9)); }

/// 1, 2, 4, ..., up to rounding of the last digits.
bool is_power_of_two(double ratio) {
  const double octaves = std::log2(ratio);
  return octaves > -1e-9 && std::abs(octaves - std::round(octaves)) < 1e-9;
}

/// A node that rounds to a step of its own: what it may and does hold.
struct Producer {
  int node = 0;
  double clip_low = 0, clip_high = 0;  ///< of the operation
  double low = 0, high = 0;            ///< seen, within the former
  double elements = 0;
  const std::vector<float>* samples = nullptr;
  double levels = 255;

  double range() const { return high - low; }

  /// The smallest integer for step s, such that the clip's own limits stay where they are.
  std::int64_t lowest(double s) const {
    if (std::isfinite(clip_low)) return std::llround(clip_low / s);
    if (std::isfinite(clip_high) && high >= clip_high) return std::llround(clip_high / s - levels);
    if (low >= 0 || range() <= 0) return 0;
    if (high <= 0) return static_cast<std::int64_t>(-levels);
    return -std::llround(levels * -low / range());
  }

  double error(double s) const {
    const auto first = static_cast<double>(lowest(s));
    double sum = 0;
    for (float x : *samples) {
      const double e = x - s * std::clamp(std::round(x / s), first, first + levels);
      sum += e * e;
    }
    return sum / static_cast<double>(samples->size());
  }
};

class ScaleChooser {
 public:
  ScaleChooser(const IntegerGraph& graph, std::span<const NodeStatistics> statistics,
               const QuantiseOptions& options)
      : graph_(graph),
        statistics_(statistics),
        options_(options),
        scales_(nodes().size()),
        group_(nodes().size()) {
    std::iota(group_.begin(), group_.end(), 0);
    group_scale_.assign(nodes().size(), 0);
  }

  std::vector<NodeScale> run() {
    join_groups();
    const int count = static_cast<int>(nodes().size());
    for (int i = 0; i < count; ++i) {
      const Node& node = nodes()[at(i)];
      if (std::holds_alternative<InputOp>(node.op)) {
        choose_step(i, {}, [](double) { return 0.0; });
      } else if (std::holds_alternative<ClipOp>(node.op)) {
        choose_clip(i);
      } else if (std::holds_alternative<QuadraticOp>(node.op)) {
        choose_quadratic(i);
      } else if (std::holds_alternative<SmoothOp>(node.op)) {
        choose_smooth(i);
      } else if (std::holds_alternative<ProductOp>(node.op)) {
        choose_product(i);
      } else if (!graph_.accumulator[at(i)] && graph_.pooled_by[at(i)] < 0) {
        const auto* pool = std::get_if<AveragePoolOp>(&node.op);
        const double in = scales_[at(node.inputs[0])].scale;
        scales_[at(i)].scale = pool ? in / pool_divisor(*pool) : in;
      }
    }
    if (graph_.accumulator.back() && scales_.back().scale == 0) {
      const AccumulatorTree tree = tree_above(count - 1);
      tree.assign(tree.finest() > 0 ? tree.finest() : 1, scales_);
    }
    return std::move(scales_);
  }

 private:
  const std::vector<Node>& nodes() const { return graph_.graph.nodes; }

  int find(int i) const {
    while (group_[at(i)] != i) i = group_[at(i)];
    return i;
  }

  /// Concatenation, selection and maximum keep the step of what they join.
  void join_groups() {
    for (int i = 0; i < static_cast<int>(nodes().size()); ++i) {
      const Node& node = nodes()[at(i)];
      const bool keeps = std::holds_alternative<ConcatOp>(node.op) ||
                         std::holds_alternative<GatherOp>(node.op) ||
                         std::holds_alternative<MaxPoolOp>(node.op);
      const int clip = graph_.pooled_by[at(i)];
      if (clip >= 0) {
        group_[at(find(i))] = find(clip);
      } else if (keeps && !graph_.accumulator[at(i)]) {
        for (int k : node.inputs) group_[at(find(k))] = find(i);
      }
    }
  }

  AccumulatorTree tree_above(int root) const {
    return AccumulatorTree(graph_, statistics_, scales_, root, weight_limit(options_.weight_bits));
  }

  /// What node i, its pooling included, reads.
  int source(int i) const {
    const int input = nodes()[at(i)].inputs[0];
    return graph_.pool[at(i)] == input ? nodes()[at(input)].inputs[0] : input;
  }

  Producer producer(int i) const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const Node& node = nodes()[at(i)];
    const int result = graph_.pool[at(i)] > i ? graph_.pool[at(i)] : i;
    const NodeStatistics& seen = statistics_[at(result)];
    const bool is_input = std::holds_alternative<InputOp>(node.op);
    Producer p{.node = i, .clip_low = -kInfinity, .clip_high = kInfinity, .low = seen.low, .high = seen.high};
    if (const auto* clip = std::get_if<ClipOp>(&node.op)) {
      p.clip_low = clip->low;
      p.clip_high = clip->high;
    }
    if (const auto* op = std::get_if<SmoothOp>(&node.op); op && smooth_slope(*op) == 0) {
      const SmoothRange bounds = smooth_bounds(*op);
      p.clip_low = bounds.low;
      p.clip_high = bounds.high;
    }
    if (std::isfinite(p.clip_low)) p.low = p.clip_low;
    p.low = std::min(p.low, std::isfinite(p.clip_low) ? p.clip_low : 0.0);
    p.high = std::max(p.high, p.low);
    p.elements = static_cast<double>(nodes()[at(result)].shape.size());
    p.samples = &seen.samples;
    p.levels = static_cast<double>(
        (std::int64_t{1} << (is_input ? options_.input_bits : options_.activation_bits)) - 1);
    return p;
  }

  /// Decides the step of node i's group, unless done, and i's own lowest integer. `extra` lists steps to try
  /// beside the regular ones; `tree_error(step)` is the mean squared error that the step causes before
  /// rounding.
  template <typename TreeError>
  double choose_step(int i, const std::vector<double>& extra, TreeError tree_error) {
    double& step = group_scale_[at(find(i))];
    if (step == 0) step = best_step(i, extra, tree_error);
    scales_[at(i)].scale = step;
    scales_[at(i)].low = producer(i).lowest(step);
    if (graph_.pool[at(i)] > i) scales_[at(graph_.pool[at(i)])].scale = step;
    return step;
  }

  template <typename TreeError>
  double best_step(int i, const std::vector<double>& extra, TreeError tree_error) {
    std::vector<Producer> members;
    double largest = 0, cap = std::numeric_limits<double>::infinity(), elements = 0, floor = 0;
    for (int k = 0; k < static_cast<int>(nodes().size()); ++k) {
      const QuadraticOp* quadratic = std::get_if<QuadraticOp>(&nodes()[at(k)].op);
      const bool produces = quadratic || std::holds_alternative<SmoothOp>(nodes()[at(k)].op) ||
                            std::holds_alternative<ProductOp>(nodes()[at(k)].op) ||
                            std::holds_alternative<InputOp>(nodes()[at(k)].op) ||
                            std::holds_alternative<ClipOp>(nodes()[at(k)].op);
      if (!produces || find(k) != find(i)) continue;
      members.push_back(producer(k));
      const Producer& p = members.back();
      largest = std::max(largest, p.range() / p.levels);
      floor = std::max(floor, smooth_floor(k, p.range() / p.levels));
      cap = std::min(cap, (p.clip_high - p.clip_low) / p.levels);
      elements += p.elements;
    }
    if (largest <= 0) return 1;  // constant zero
    largest = std::max(largest, floor);
    const bool cover = !options_.clip_outliers || std::holds_alternative<InputOp>(nodes()[at(i)].op);
    std::vector<double> candidates = {largest};
    for (double r = 0.965; r > 0.25 && !cover; r *= 0.965) candidates.push_back(largest * r);
    for (double s : extra) {
      const int octaves = ceil_log2(largest / s);
      for (int k = cover ? 0 : -2; k <= 0; ++k) candidates.push_back(std::ldexp(s, octaves + k));
    }
    double best = largest, least = std::numeric_limits<double>::infinity();
    for (double s : candidates) {
      if (s > cap * (1 + 1e-9) || s < floor * (1 - 1e-9)) continue;
      double error = tree_error(s);
      for (const Producer& p : members) error += p.error(s) * p.elements / elements;
      if (error < least) {
        least = error;
        best = s;
      }
    }
    return best;
  }

  /// The shift for step s, or -1 if the weights do not fit any. Where tensors of given scales are added, their
  /// multipliers are whole numbers of the sum's scale: it gets finer while that takes more of the error away
  /// than a small part of what rounding to s leaves anyway.
  int shift_for(const AccumulatorTree& tree, double s) const {
    if (tree.finest() <= 0) return kFreeShift;
    const int first = std::min(floor_log2(s / tree.finest()), kMaxShift);
    if (first < 0 || !tree.adds_given()) return first;
    constexpr double kWorthABit = 0.1;
    const double rounding = s * s / 12;
    int last = first + std::clamp(kMaxFinerBits + 8 - options_.weight_bits, 0, kMaxFinerBits);
    // Multipliers are at least 1: a sum that is coarser than an accumulator that it takes would lose that one.
    for (const double given : tree.given_accumulator_scales()) {
      if (given >= tree.smallest_scale()) last = std::max(last, ceil_log2(s / given));
    }
    int best = first;
    double least = tree.error(std::ldexp(s, -first));
    for (int shift = first + 1; shift <= std::min(last, kMaxShift); ++shift) {
      const double error = tree.error(std::ldexp(s, -shift));
      if (error + kWorthABit * rounding * (shift - best) >= least) continue;
      best = shift;
      least = error;
    }
    return best;
  }

  /// `slope`: how many steps of the result one of what it reads makes.
  void choose_clip(int i, double slope = 1) {
    const AccumulatorTree tree = tree_above(source(i));
    std::vector<double> extra = tree.full_range_scales();
    if (tree.forced() > 0) extra.push_back(tree.forced());
    // Where a sum takes accumulators of an earlier sum, steps a power of two off add them exactly.
    for (double given : tree.given_accumulator_scales()) extra.push_back(given);
    for (double& s : extra) s *= slope;
    const double step = choose_step(i, extra, [&](double result) {
      const double s = result / slope;
      // A given scale is best met by a shift; else the larger the step, the less bad.
      if (tree.forced() > 0) return is_power_of_two(s / tree.forced()) ? 0.0 : 1e30 / s;
      const int shift = shift_for(tree, s);
      return shift < 0 ? 1e30 / s : tree.error(std::ldexp(s, -shift));
    });
    read_in_steps_of(step / slope, tree, i);
  }

  /// Shifts what node i reads so that it comes in this step.
  void read_in_steps_of(double step, AccumulatorTree tree, int i) {
    NodeScale& out = scales_[at(i)];
    if (tree.forced() > 0) {
      tree.assign(tree.forced(), scales_);
      rescale(out, tree.forced(), step);
      return;
    }
    out.shift = shift_for(tree, step);
    if (out.shift < 0) {
      // A clip so steep that its step is below that of the weights: they get all the bits there are.
      tree = AccumulatorTree(graph_, statistics_, scales_, source(i), weight_limit(kMostWeightBits));
      out.shift = shift_for(tree, step);
    }
    if (out.shift < 0) {
      step = coarser_step(i, tree.finest());
      out.shift = shift_for(tree, step);
    }
    tree.assign(std::ldexp(step, -out.shift), scales_);
  }

  SmoothRange reach_of(int i, const SmoothOp& op, double step) const {
    const NodeStatistics& seen = statistics_[at(source(i))];
    return smooth_reach(op, {seen.low, seen.high}, step);
  }

  /// The smallest step of a function with a slope: its table reads twice as many negative arguments as it gives
  /// results, at most. 0 for other nodes.
  double smooth_floor(int i, double coarse) const {
    const auto* op = std::get_if<SmoothOp>(&nodes()[at(i)].op);
    if (!op || smooth_slope(*op) == 0) return 0;
    const double below = std::max(0.0, -reach_of(i, *op, coarse).low);
    return smooth_slope(*op) * below / std::ldexp(1.0, options_.activation_bits + 1);
  }

  void choose_smooth(int i) {
    const SmoothOp op = std::get<SmoothOp>(nodes()[at(i)].op);
    NodeScale& out = scales_[at(i)];
    if (const double slope = smooth_slope(op); slope > 0) {
      choose_clip(i, slope);
      out.argument = out.scale / slope;
      const double below = -reach_of(i, op, out.scale).low;
      const bool wider = below > std::ldexp(out.argument, options_.activation_bits) * (1 + 1e-9);
      out.low = -(std::int64_t{1} << (options_.activation_bits + (wider ? 1 : 0)));
      return;
    }
    choose_step(i, {}, [](double) { return 0.0; });
    const int bits = std::min(options_.activation_bits, kMaxSmoothBits);
    const SmoothRange reach = reach_of(i, op, out.scale);
    const double step = std::max(reach.high - reach.low, 1e-6) / (std::ldexp(1.0, bits) - 1);
    read_in_steps_of(step, tree_above(source(i)), i);
    out.argument = step;
    out.low = std::llround(reach.low / step);
  }

  /// Its scale is the product of both factors', up to a power of two.
  void choose_product(int i) {
    const Node& node = nodes()[at(i)];
    const double given = scales_[at(node.inputs[0])].scale * scales_[at(node.inputs[1])].scale;
    const double step =
        choose_step(i, {given}, [&](double s) { return is_power_of_two(s / given) ? 0.0 : 1e30 / s; });
    if (!is_power_of_two(step / given)) {
      fail_input(
          "node '{}' (product): what it is joined with has a step that it cannot meet; join its result later",
          node.name);
    }
    scales_[at(i)].shift = static_cast<int>(std::round(std::log2(step / given)));
    scales_[at(i)].scale = std::ldexp(given, scales_[at(i)].shift);
  }

  /// A clip nearly as steep as a comparison gets as few levels as its input tells apart: with an upper limit the
  /// most bits whose step is at least `finest`.
  double coarser_step(int i, double finest) {
    if (!std::holds_alternative<ClipOp>(nodes()[at(i)].op)) fail_narrow(i);
    for (int k = 0; k < static_cast<int>(nodes().size()); ++k) {
      if (k != i && k != graph_.pool[at(i)] && find(k) == find(i)) fail_narrow(i);
    }
    const Producer p = producer(i);
    double step = finest;
    if (std::isfinite(p.clip_high)) {
      const auto with = [&](int bits) { return (p.clip_high - p.low) / (std::ldexp(1.0, bits) - 1); };
      int bits = options_.activation_bits;
      while (bits > 1 && with(bits) < finest) --bits;
      if (with(bits) < finest) fail_narrow(i);
      scales_[at(i)].bits = bits;
      step = with(bits);
    }
    group_scale_[at(find(i))] = step;
    return choose_step(i, {}, [](double) { return 0.0; });
  }

  /// The input's scale is given: shift by a power of two if that meets the step, else multiply first.
  static void rescale(NodeScale& out, double given, double step) {
    constexpr int kRescaleBits = 8;
    const double octaves = std::log2(step / given);
    if (is_power_of_two(step / given)) {
      out.shift = static_cast<int>(std::round(octaves));
      return;
    }
    out.shift = std::max(kRescaleBits, static_cast<int>(std::ceil(octaves)) + kRescaleBits);
    out.rescale = std::max<std::int64_t>(1, std::llround(std::ldexp(given / step, out.shift)));
  }

  /// The argument t keeps two bits more than the result; its own rounding error is then comparable.
  void choose_quadratic(int i) {
    const int root = source(i);
    const NodeStatistics& seen = statistics_[at(root)];
    const double largest = std::max({std::abs(double{seen.low}), std::abs(double{seen.high}), 1e-30});
    const double base =
        largest / static_cast<double>(weight_limit(options_.activation_bits + kQuadraticGuardBits));
    const AccumulatorTree tree = tree_above(root);
    NodeScale& out = scales_[at(i)];
    const double fine = tree.finest() > 0 ? tree.finest() : std::ldexp(base, -kFreeShift);
    out.shift = std::clamp(floor_log2(base / fine), 0, kMaxShift);
    tree.assign(tree.forced() > 0 ? tree.forced() : fine, scales_);
    const double t = std::ldexp(fine, out.shift);
    const QuadraticOp& op = std::get<QuadraticOp>(nodes()[at(i)].op);
    // Powers of two times |c2| t^2 make the quadratic coefficient exact, and as short as can be: the ring in
    // which the value is computed privately has as many bits more (plan/quadratic.h).
    std::vector<double> extra;
    if (op.c2 != 0) extra.push_back(std::abs(double{op.c2}) * t * t);
    choose_step(i, extra, [&](double s) {
      return op.c2 == 0 || is_power_of_two(std::ldexp(s / extra[0], 64)) ? 0.0 : 1e30 / s;
    });
  }

  [[noreturn]] void fail_narrow(int i) const {
    fail_input(
        "node '{}' ({}): its values lie within {:.3g} and {:.3g} on the calibration images, so close together that "
        "the weights before it do not fit {} bits at that step; calibrate with typical images that are not all "
        "alike",
        nodes()[at(i)].name, op_name(nodes()[at(i)].op), statistics_[at(i)].low, statistics_[at(i)].high,
        kMostWeightBits);
  }

  const IntegerGraph& graph_;
  std::span<const NodeStatistics> statistics_;
  const QuantiseOptions& options_;
  std::vector<NodeScale> scales_;
  std::vector<int> group_;
  std::vector<double> group_scale_;  ///< at the group's representative
};

}  // namespace

std::vector<NodeScale> choose_scales(const IntegerGraph& graph, std::span<const NodeStatistics> statistics,
                                     const QuantiseOptions& options) {
  return ScaleChooser(graph, statistics, options).run();
}

}  // namespace ap::nn
