#include "layers/activation/ot/ot_program.h"

#include <algorithm>

#include "base/error.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {
namespace {

/// A run of digits: its generate, propagate and zero variables, -1 where not needed.
struct Segment {
  int g = -1;
  int p = -1;
  int e = -1;
};

struct Digit {
  int shift = 0;
  int width = 0;
};

class Builder {
 public:
  explicit Builder(int bits, int high_shift) {
    program_.bits = bits;
    program_.high_shift = high_shift;
  }

  int leaf(const Digit& digit, std::vector<LeafOutput> outputs) {
    const int first = add(static_cast<int>(outputs.size()), 0);
    program_.leaves.push_back({digit.shift, digit.width, std::move(outputs), first});
    return first;
  }

  int local(int shift) {
    const int out = add(1, 0);
    program_.locals.push_back({shift, out});
    return out;
  }

  /// The first of the products x y[i].
  int product(int x, const std::vector<int>& y) {
    int level = level_of(x);
    for (const int v : y) level = std::max(level, level_of(v));
    const int out = add(static_cast<int>(y.size()), level + 1);
    program_.ands.push_back({x, y, out, level + 1});
    return out;
  }

  int sum(int x, int y) {
    const int level = std::max(level_of(x), level_of(y));
    const int out = add(1, level);
    program_.xors.push_back({x, y, out, level});
    return out;
  }

  /// `low` may lack p, if nothing below it can carry in.
  Segment merge(const Segment& high, const Segment& low) {
    Segment out;
    std::vector<int> factors = {low.g};
    if (low.p >= 0) factors.push_back(low.p);
    const int products = product(high.p, factors);
    out.g = sum(high.g, products);
    if (low.p >= 0) out.p = products + 1;
    if (high.e >= 0) out.e = product(high.e, {low.e});
    return out;
  }

  /// Merges neighbours until one is left; segments are given lowest first.
  Segment tree(std::vector<Segment> segments) {
    while (segments.size() > 1) {
      std::vector<Segment> merged;
      for (std::size_t i = 0; i + 1 < segments.size(); i += 2) {
        merged.push_back(merge(segments[i + 1], segments[i]));
      }
      if (segments.size() % 2 == 1) merged.push_back(segments.back());
      segments = std::move(merged);
    }
    return segments.front();
  }

  /// The carry tree over bits [shift, shift + width); without_p: nothing carries into it.
  Segment carries(const std::vector<Digit>& digits, bool without_p, bool with_zero) {
    std::vector<Segment> segments;
    for (std::size_t i = 0; i < digits.size(); ++i) {
      std::vector<LeafOutput> outputs = {LeafOutput::generate};
      if (i > 0 || !without_p) outputs.push_back(LeafOutput::propagate);
      if (with_zero) outputs.push_back(LeafOutput::zero);
      Segment segment;
      segment.g = leaf(digits[i], outputs);
      if (outputs.size() > 1) segment.p = segment.g + 1;
      if (with_zero) segment.e = segment.g + 2;
      segments.push_back(segment);
    }
    return tree(std::move(segments));
  }

  int level_of(int variable) const { return levels_[static_cast<std::size_t>(variable)]; }

  ComparisonProgram finish() {
    program_.variables = static_cast<int>(levels_.size());
    program_.levels = *std::max_element(levels_.begin(), levels_.end());
    return std::move(program_);
  }

  ComparisonProgram& program() { return program_; }

 private:
  int add(int count, int level) {
    const int first = static_cast<int>(levels_.size());
    levels_.insert(levels_.end(), static_cast<std::size_t>(count), level);
    return first;
  }

  ComparisonProgram program_;
  std::vector<int> levels_;
};

/// Cuts [shift, shift + width) into as few digits of at most `most` bits as possible, of nearly equal widths.
std::vector<Digit> cut(int shift, int width, int most) {
  std::vector<Digit> digits;
  int left = (width + most - 1) / most;
  while (width > 0) {
    const int now = (width + left - 1) / left;
    digits.push_back({shift, now});
    shift += now;
    width -= now;
    --left;
  }
  return digits;
}

}  // namespace

std::size_t ComparisonProgram::leaf_choice_bits() const {
  std::size_t count = 0;
  for (const Leaf& leaf : leaves) count += static_cast<std::size_t>(leaf.width);
  return count;
}

std::size_t ComparisonProgram::leaf_message_bits() const {
  std::size_t count = 0;
  for (const Leaf& leaf : leaves) count += ((std::size_t{1} << leaf.width) - 1) * leaf.outputs.size();
  return count;
}

std::size_t ComparisonProgram::opened_bits() const {
  std::size_t count = 0;
  for (const AndStep& step : ands) count += 1 + step.y.size();
  return count;
}

ComparisonProgram comparison_program(int guard, int low, int high, int digit, bool want_wrapped) {
  AP_ASSERT(guard >= 0 && low >= 1 && high >= 1 && digit >= 1 && digit <= mpc::kMaxTableBits);
  const int high_shift = guard + low;
  Builder b(high_shift + high, high_shift);
  // The carries out of the guard bits and into the high part.
  int guard_carry = -1;
  if (guard > 0) guard_carry = b.carries(cut(0, guard, digit), true, false).g;
  const Segment lows = b.carries(cut(guard, low, digit), guard == 0, false);
  const int carry = guard > 0 ? b.sum(lows.g, b.product(lows.p, {guard_carry})) : lows.g;
  ComparisonProgram& program = b.program();
  if (high == 1) {
    // Only the sign: h = 0 without the carry is `even`, with it the opposite.
    const int even = b.local(high_shift);
    program.in_range = b.sum(even, carry);
    if (want_wrapped) program.wrapped = b.sum(carry, b.product(carry, {even}));
  } else {
    const int top = high <= digit ? high : std::min(digit, 2);
    const Digit top_digit{high_shift + high - top, top};
    int zero = b.leaf(top_digit, {LeafOutput::zero, LeafOutput::propagate, LeafOutput::nonnegative,
                                  LeafOutput::sign_sensitive});
    int ones = zero + 1;
    int nonnegative = zero + 2;
    int sensitive = zero + 3;
    if (top < high) {
      const Segment rest = b.carries(cut(high_shift, high - top, digit), false, true);
      const int products = b.product(sensitive, {rest.g, rest.p});
      zero = b.product(zero, {rest.e});
      ones = b.product(ones, {rest.p});
      nonnegative = b.sum(nonnegative, products);
      sensitive = products + 1;
    }
    // zero or, with the carry, ones; both with the carry would be a contradiction.
    const int products = b.product(carry, {zero, ones, sensitive});
    program.in_range = b.sum(b.sum(zero, products), products + 1);
    program.above = b.sum(b.sum(nonnegative, products + 2), program.in_range);
    if (want_wrapped) program.wrapped = products + 1;
  }
  if (guard > 0) program.carried = b.product(program.in_range, {guard_carry});
  return b.finish();
}

ComparisonProgram carry_program(int bits, int digit) {
  AP_ASSERT(bits >= 1 && digit >= 1 && digit <= mpc::kMaxTableBits);
  Builder b(bits, bits);
  b.program().in_range = b.carries(cut(0, bits, digit), true, false).g;
  return b.finish();
}

}  // namespace ap::activation
