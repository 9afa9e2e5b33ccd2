#include "nn/ir/quantised_bounds.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"

namespace ap::nn {
namespace {

/// The kernel rows (or columns) [first, last) that lie inside the input at some output position.
using Taps = std::pair<int, int>;

std::vector<Taps> tap_ranges(int in, int out, int kernel, int stride, int pad) {
  std::vector<Taps> ranges;
  for (int o = 0; o < out; ++o) {
    const int start = o * stride - pad;
    const Taps taps{std::max(0, -start), std::min(kernel, in - start)};
    if (taps.first < taps.second) ranges.push_back(taps);
  }
  std::sort(ranges.begin(), ranges.end());
  ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
  return ranges;
}

/// Drops the ranges that another one contains: with zero among the inputs they cannot give a larger sum.
std::vector<Taps> maximal(const std::vector<Taps>& ranges) {
  std::vector<Taps> kept;
  for (const Taps& a : ranges) {
    const bool inside = std::any_of(ranges.begin(), ranges.end(), [&](const Taps& b) {
      return a != b && b.first <= a.first && a.second <= b.second;
    });
    if (!inside) kept.push_back(a);
  }
  return kept;
}

/// 62-bit interval arithmetic in 128 bits: a sum of fewer than 2^32 products of 47-bit values cannot
/// overflow.
__extension__ typedef __int128 Wide;

std::int64_t narrow(Wide value, const QNode& node, std::int64_t limit = kMaxMagnitude) {
  if (value > limit || value < -Wide{limit}) {
    fail_input(
        "node '{}' ({}): its values could exceed the limit of +-{}; quantise with fewer bits or smaller layers",
        node.name, op_name(node.op), limit);
  }
  return static_cast<std::int64_t>(value);
}

Interval linear_range(const QNode& node, const QLinear& op, Interval in) {
  const Window& w = op.window;
  const bool padded = w.pad != Padding{};
  if (padded) in = {std::min<std::int64_t>(in.low, 0), std::max<std::int64_t>(in.high, 0)};
  const auto rows = maximal(tap_ranges(op.in_shape.h, node.shape.h, w.kernel_h, w.stride_h, w.pad.top));
  const auto columns = maximal(tap_ranges(op.in_shape.w, node.shape.w, w.kernel_w, w.stride_w, w.pad.left));
  const std::size_t depth = static_cast<std::size_t>(op.in_shape.c / op.groups);
  const std::size_t taps = static_cast<std::size_t>(w.kernel_h) * static_cast<std::size_t>(w.kernel_w);
  Interval out;
  bool first = true;
  for (std::size_t o = 0; o < static_cast<std::size_t>(node.shape.c); ++o) {
    for (const Taps& row : rows) {
      for (const Taps& column : columns) {
        std::int64_t positive = 0, negative = 0;  // sums of at most 2^31 16-bit weights
        for (std::size_t c = 0; c < depth; ++c) {
          const std::int16_t* kernel = op.weights.data() + (o * depth + c) * taps;
          for (int y = row.first; y < row.second; ++y) {
            for (int x = column.first; x < column.second; ++x) {
              const std::int64_t weight = kernel[y * w.kernel_w + x];
              (weight > 0 ? positive : negative) += weight;
            }
          }
        }
        const std::int64_t low =
            narrow(Wide{positive} * in.low + Wide{negative} * in.high + op.bias[o], node);
        const std::int64_t high =
            narrow(Wide{positive} * in.high + Wide{negative} * in.low + op.bias[o], node);
        out = first ? Interval{low, high} : Interval{std::min(out.low, low), std::max(out.high, high)};
        first = false;
      }
    }
  }
  return out;
}

Interval sum_pool_range(const QNode& node, const Window& w, const Interval& in, const Shape& shape) {
  const auto rows = tap_ranges(shape.h, node.shape.h, w.kernel_h, w.stride_h, w.pad.top);
  const auto columns = tap_ranges(shape.w, node.shape.w, w.kernel_w, w.stride_w, w.pad.left);
  auto lengths = [](const std::vector<Taps>& taps) {
    Interval r{taps.front().second - taps.front().first, 0};
    for (const Taps& t : taps) {
      r.low = std::min<std::int64_t>(r.low, t.second - t.first);
      r.high = std::max<std::int64_t>(r.high, t.second - t.first);
    }
    return r;
  };
  const Interval h = lengths(rows), v = lengths(columns);
  const Wide fewest = Wide{h.low} * v.low, most = Wide{h.high} * v.high;
  return {narrow(in.low < 0 ? most * in.low : fewest * in.low, node),
          narrow(in.high > 0 ? most * in.high : fewest * in.high, node)};
}

/// floor((x + 2^(shift-1)) / 2^shift)
Wide rounded_shift(Wide x, int shift) { return shift == 0 ? x : (x + (Wide{1} << (shift - 1))) >> shift; }

Interval clamped(Wide low, Wide high, std::int64_t floor, int bits, const QNode& node) {
  const Wide ceiling = Wide{floor} + (Wide{1} << bits) - 1;
  return {narrow(std::clamp<Wide>(low, floor, ceiling), node),
          narrow(std::clamp<Wide>(high, floor, ceiling), node)};
}

Interval quadratic_range(const QNode& node, const QQuadratic& op, const Interval& in) {
  const Wide t_low = rounded_shift(in.low, op.shift), t_high = rounded_shift(in.high, op.shift);
  constexpr std::int64_t kLimit = std::int64_t{1} << 62;
  auto at = [&](Wide t) {
    return Wide{narrow(op.c0 + t * narrow(op.c1 + op.c2 * t, node, kLimit), node, kLimit)};
  };
  Wide low = std::min(at(t_low), at(t_high)), high = std::max(at(t_low), at(t_high));
  if (op.c2 != 0) {
    // The vertex -c1 / (2 c2) lies between two integers; where they are in range they hold the extreme value.
    const Wide vertex = -Wide{op.c1} / (2 * Wide{op.c2});
    for (Wide t = vertex - 1; t <= vertex + 1; ++t) {
      if (t <= t_low || t >= t_high) continue;
      low = std::min(low, at(t));
      high = std::max(high, at(t));
    }
  }
  return clamped(rounded_shift(low, op.post_shift), rounded_shift(high, op.post_shift), op.low, op.bits,
                 node);
}

Interval table_range(const QTable& op, const Interval& in) {
  const auto first = static_cast<std::int64_t>(rounded_shift(in.low, op.shift)) - op.low;
  const auto last = static_cast<std::int64_t>(rounded_shift(in.high, op.shift)) - op.low;
  const std::int64_t top = (std::int64_t{1} << op.bits) - 1;
  Interval out{kMaxMagnitude, -kMaxMagnitude};
  for (std::int64_t u = std::clamp<std::int64_t>(first, 0, top); u <= std::clamp<std::int64_t>(last, 0, top);
       ++u) {
    const std::int64_t value = op.at(u);
    out = {std::min(out.low, value), std::max(out.high, value)};
  }
  return out;
}

Interval product_range(const QNode& node, const QProduct& op, const Interval& x, const Interval& gate) {
  const Wide ends[] = {Wide{x.low} * gate.low, Wide{x.low} * gate.high, Wide{x.high} * gate.low,
                       Wide{x.high} * gate.high};
  const auto [low, high] = std::minmax_element(std::begin(ends), std::end(ends));
  return clamped(rounded_shift(narrow(*low, node), op.shift), rounded_shift(narrow(*high, node), op.shift),
                 op.low, op.bits, node);
}

}  // namespace

Interval output_range(const QNode& node, std::span<const Interval> inputs, const Shape& input_shape) {
  if (std::holds_alternative<QInput>(node.op)) return {node.low, node.high};
  const Interval& in = inputs[0];
  if (const auto* linear = std::get_if<QLinear>(&node.op)) return linear_range(node, *linear, in);
  if (const auto* add = std::get_if<QAdd>(&node.op)) {
    Wide low = 0, high = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      low += Wide{add->multiplier[i]} * inputs[i].low;
      high += Wide{add->multiplier[i]} * inputs[i].high;
    }
    return {narrow(low, node), narrow(high, node)};
  }
  if (const auto* pool = std::get_if<QSumPool>(&node.op))
    return sum_pool_range(node, pool->window, in, input_shape);
  if (const auto* activation = std::get_if<QActivation>(&node.op)) {
    return clamped(rounded_shift(in.low, activation->shift), rounded_shift(in.high, activation->shift),
                   activation->low, activation->bits, node);
  }
  if (const auto* quadratic = std::get_if<QQuadratic>(&node.op)) return quadratic_range(node, *quadratic, in);
  if (const auto* table = std::get_if<QTable>(&node.op)) {
    const Interval out = table_range(*table, in);
    return {narrow(out.low, node), narrow(out.high, node)};
  }
  if (const auto* product = std::get_if<QProduct>(&node.op))
    return product_range(node, *product, in, inputs[1]);
  Interval out = in;  // Concat and Gather
  for (const Interval& r : inputs) out = {std::min(out.low, r.low), std::max(out.high, r.high)};
  if (const auto* gather = std::get_if<QGather>(&node.op)) {
    if (std::find(gather->index.begin(), gather->index.end(), -1) != gather->index.end()) {
      out = {std::min<std::int64_t>(out.low, 0), std::max<std::int64_t>(out.high, 0)};
    }
  }
  return out;
}

void set_ranges(QuantisedNetwork& network, int end) {
  std::vector<Interval> inputs;
  for (std::size_t n = 1; n < static_cast<std::size_t>(end); ++n) {
    QNode& node = network.nodes[n];
    inputs.clear();
    for (int i : node.inputs) {
      const QNode& input = network.nodes[static_cast<std::size_t>(i)];
      inputs.push_back({input.low, input.high});
    }
    const Interval range =
        output_range(node, inputs, network.nodes[static_cast<std::size_t>(node.inputs[0])].shape);
    node.low = range.low;
    node.high = range.high;
  }
}

}  // namespace ap::nn
