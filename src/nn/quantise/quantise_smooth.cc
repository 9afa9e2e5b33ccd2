#include "nn/quantise/quantise_smooth.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "base/error.h"

namespace ap::nn {
namespace {

constexpr double kFar = 64;  ///< where every function is as good as its limit
constexpr int kMaxIndexBits = 8;
constexpr int kMaxValueBits = 16;
/// Steps off the function at most, where many bits ask for more cells than there are.
constexpr std::int64_t kMaxTolerance = 8;
/// The clamp's lowest argument stands for all below it.
constexpr double kEndWeight = 16;
/// Bits that a bit of the value costs besides its table: it enters a result of about so many bits.
constexpr double kRingBits = 20;
constexpr double kCarryBits = 24;  ///< what it costs that cells hold several arguments

struct Cell {
  std::int64_t low = std::numeric_limits<std::int64_t>::min();  ///< values within one of the function's
  std::int64_t high = std::numeric_limits<std::int64_t>::max();
  double sum = 0, weight = 0;
};

struct Candidate {
  QTable table;
  double bits = 0;
};

/// The table whose values are within `tolerance` of the function's, rounded, if there is one with these cells.
std::optional<Candidate> candidate(const SmoothOp& op, QTable table, double argument, double step,
                                   std::int64_t tolerance) {
  std::vector<Cell> cells(std::size_t{1} << table.index_bits());
  const std::int64_t count = std::int64_t{1} << table.bits;
  const std::int64_t half = count / 2;
  for (std::int64_t u = 0; u < count; ++u) {
    const std::int64_t t = u + table.low;
    const double base = table.relu && t > 0 ? static_cast<double>(t) : 0;
    const double exact = smooth(op, argument * static_cast<double>(t)) / step - base;
    const std::int64_t rounded = std::llround(exact);
    const std::int64_t place = table.even ? (t < 0 ? -t : t) & (half - 1) : u;
    Cell& cell = cells[static_cast<std::size_t>(place >> table.cell_bits)];
    cell.low = std::max(cell.low, rounded - tolerance);
    cell.high = std::min(cell.high, rounded + tolerance);
    const double weight = u == 0 ? kEndWeight : 1;
    cell.sum += weight * exact;
    cell.weight += weight;
  }
  std::int64_t least_high = std::numeric_limits<std::int64_t>::max(), largest_low = -least_high;
  for (const Cell& cell : cells) {
    if (cell.low > cell.high) return std::nullopt;
    least_high = std::min(least_high, cell.high);
    largest_low = std::max(largest_low, cell.low);
  }
  const bool single = table.cell_bits == 0 && !table.even;
  // Cells of one argument have their own value; the others may move a little to save a bit.
  const auto wanted = [&](const Cell& cell) {
    return single ? cell.low + tolerance
                  : std::clamp(std::llround(cell.sum / cell.weight), 0LL + cell.low, 0LL + cell.high);
  };
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max(), highest = -lowest;
  for (const Cell& cell : cells) {
    lowest = std::min<std::int64_t>(lowest, wanted(cell));
    highest = std::max<std::int64_t>(highest, wanted(cell));
  }
  const auto width = [](std::int64_t span) {
    return std::max(
        1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(std::max<std::int64_t>(span, 0)))));
  };
  const int value_bits = single ? width(highest - lowest) : width(largest_low - least_high);
  if (value_bits > kMaxValueBits) return std::nullopt;
  const std::int64_t span = (std::int64_t{1} << value_bits) - 1;
  table.offset = lowest;
  if (highest - lowest > span) table.offset = std::clamp(lowest, largest_low - span, least_high);
  for (const Cell& cell : cells) {
    const std::int64_t value = std::clamp<std::int64_t>(wanted(cell), std::max(cell.low, table.offset),
                                                        std::min(cell.high, table.offset + span));
    table.values.push_back(static_cast<std::uint16_t>(value - table.offset));
  }
  const double size = static_cast<double>(table.values.size()) * value_bits;
  return Candidate{std::move(table), size + kRingBits * value_bits + (table.cell_bits > 0 ? kCarryBits : 0)};
}

}  // namespace

SmoothRange smooth_bounds(const SmoothOp& op) { return {op.kind == SmoothKind::sigmoid ? 0.0 : -1.0, 1.0}; }

SmoothRange smooth_reach(const SmoothOp& op, SmoothRange seen, double step) {
  const double slope = smooth_slope(op);
  const auto rest = [&](double x) { return smooth(op, x) - std::max(slope * x, 0.0); };
  // Coarse enough for any step, from the outside inwards.
  constexpr double kStride = 1.0 / 16;
  SmoothRange reach = seen;
  const double left = rest(-kFar), right = rest(kFar);
  for (double x = -kFar; x < 0 && std::abs(rest(x) - left) < step / 2; x += kStride)
    reach.low = std::max(seen.low, x);
  for (double x = kFar; x > 0 && std::abs(rest(x) - right) < step / 2; x -= kStride)
    reach.high = std::min(seen.high, x);
  return reach;
}

QTable make_table(const SmoothOp& op, int shift, std::int64_t low, int bits, double argument, double step,
                  const std::string& node) {
  QTable table{.shift = shift, .low = low, .bits = bits, .relu = smooth_slope(op) > 0, .values = {}};
  std::optional<Candidate> best;
  std::int64_t tolerance = 1;
  for (; !best && tolerance <= kMaxTolerance; tolerance *= 2) {
    for (const bool even : {true, false}) {
      if (even && !table.relu) continue;
      table.even = even;
      for (table.cell_bits = 0; table.index_bits() >= 1; ++table.cell_bits) {
        if (table.index_bits() > kMaxIndexBits) continue;
        std::optional<Candidate> found = candidate(op, table, argument, step, tolerance);
        if (found && (!best || found->bits < best->bits)) best = std::move(found);
      }
    }
  }
  if (!best) {
    fail_input(
        "node '{}' ({}): no table of {} cells is within {} steps of the function at {} bits; use fewer activation bits",
        node, name_of(op.kind), 1 << kMaxIndexBits, kMaxTolerance, bits);
  }
  return best->table;
}

}  // namespace ap::nn
