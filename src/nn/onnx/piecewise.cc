// Functions of pieces of straight lines: each is a sum of linear functions and of Clips of one tensor, so ReLU and Clip
// express it exactly.
#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

/// x for x > 0, else slope x.
void OnnxLowering::leaky_relu(const OnnxNode& node) {
  const Value x = tensor(node, 0);
  const double slope = node.number("alpha", 0.01);
  const Value positive = clipped(x, 0, kInfinity, node.name());
  const Value line = affine(x, {slope}, {0}, node.name());
  if (slope == 0) return define(node, positive);
  // The sum's inputs both have positive factors where that is possible, which cost nothing.
  if (slope > 1) {
    const Value negative = clipped(x, -kInfinity, 0, node.name());
    return define(node, sum_of(x, affine(negative, {slope - 1}, {0}, node.name()), node.name()));
  }
  define(node, sum_of(line, affine(positive, {1 - slope}, {0}, node.name()), node.name()));
}

void OnnxLowering::prelu(const OnnxNode& node) {
  Value x = tensor(node, 0);
  const Constant& slopes = constant_input(node, 1, "slope");
  const std::vector<double> slope = element_values(x, slopes, node.name());
  const Value positive = clipped(x, 0, kInfinity, node.name());
  std::vector<double> rest, ratio;
  bool is_near_one = false;
  for (const double s : slope) {
    rest.push_back(1 - s);
    ratio.push_back(s / (1 - s));
    is_near_one = is_near_one || std::abs(1 - s) < 0.125;
  }
  if (slope.size() == 1 && slope[0] > 0 && slope[0] < 1) {
    const Value line = affine(x, slope, {0}, node.name());
    return define(node, sum_of(line, affine(positive, rest, {0}, node.name()), node.name()));
  }
  if (is_near_one) {
    const Value line = affine(x, slope, {0}, node.name());
    return define(node, sum_of(line, affine(positive, rest, {0}, node.name()), node.name()));
  }
  // (1 - s) (s / (1 - s) x + relu(x)): the layer before takes the inner factor, the layer behind the outer one.
  const Value sum = sum_of(affine(x, ratio, {0}, node.name()), positive, node.name());
  define(node, affine(sum, rest, {0}, node.name()));
}

/// |x| = 2 relu(x) - x.
void OnnxLowering::abs(const OnnxNode& node) {
  const Value x = tensor(node, 0);
  const Value positive = clipped(x, 0, kInfinity, node.name());
  const Value negative = affine(x, {-1}, {0}, node.name());
  define(node, sum_of(affine(positive, {2}, {0}, node.name()), negative, node.name()));
}

/// Max and Min of any number of tensors and constants.
void OnnxLowering::extremum(const OnnxNode& node) {
  const bool is_max = node.op() == "Max";
  std::optional<Value> best;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (is_constant(node.input(i))) continue;
    const Value& x = tensor(node, i);
    if (!best) {
      best = x;
      continue;
    }
    // max(a, b) = a + relu(b - a), min(a, b) = a + min(b - a, 0)
    const Value difference = sum_of(x, affine(*best, {-1}, {0}, node.name()), node.name());
    const Value gain = is_max ? clipped(difference, 0, kInfinity, node.name())
                              : clipped(difference, -kInfinity, 0, node.name());
    best = sum_of(*best, gain, node.name());
  }
  if (!best) bad(node, "compares nothing");
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!is_constant(node.input(i))) continue;
    std::vector<double> limit = element_values(*best, constant(node.input(i)), node.name());
    if (limit.size() == 1) {
      best = is_max ? clipped(*best, limit[0], kInfinity, node.name())
                    : clipped(*best, -kInfinity, limit[0], node.name());
      continue;
    }
    // max(x, l) = l + relu(x - l)
    std::vector<double> negative;
    for (const double l : limit) negative.push_back(-l);
    const Value difference = affine(*best, {1}, negative, node.name());
    const Value gain = is_max ? clipped(difference, 0, kInfinity, node.name())
                              : clipped(difference, -kInfinity, 0, node.name());
    best = affine(gain, {1}, limit, node.name());
  }
  define(node, std::move(*best));
}

void OnnxLowering::hard_sigmoid(const OnnxNode& node) {
  const double alpha = node.number("alpha", 0.2), beta = node.number("beta", 0.5);
  define(node, clipped(affine(tensor(node, 0), {alpha}, {beta}, node.name()), 0, 1, node.name()));
}

void OnnxLowering::thresholded_relu(const OnnxNode& node) {
  if (node.number("alpha", 1) != 0)
    throw Unsupported{"it jumps at alpha; only alpha = 0, a plain ReLU, is supported"};
  relu(node);
}

void OnnxLowering::compare(const OnnxNode& node) {
  const bool first = is_constant(node.input(0));
  if (first == is_constant(node.input(1))) throw Unsupported{"it compares two computed tensors"};
  const Constant& c = constant(node.input(first ? 0 : 1));
  const Value& value = tensor(node, first ? 1 : 0);
  for (std::size_t i = 1; i < static_cast<std::size_t>(c.size()); ++i) {
    if (c.at(i) != c.at(0)) throw Unsupported{"its limits differ from element to element"};
  }
  if (c.size() == 0 || broadcast_dims(value.dims, c.dims) != value.dims || !std::isfinite(c.at(0))) {
    throw Unsupported{"its limit is not a single number"};
  }
  // At the limit itself both sides of a Where must agree, so it does not matter where it belongs.
  const bool above = (node.op().starts_with("Greater")) != first;
  comparisons_[node.output()] = {value, c.at(0), above};
}

/// Where with a comparison of x and two lines of the same x that meet at the limit: b(x) + (slope a - slope b) relu(x - limit).
void OnnxLowering::where(const OnnxNode& node) {
  const auto found = comparisons_.find(node.input(0));
  if (found == comparisons_.end())
    throw Unsupported{"its condition is neither a constant nor a comparison with one"};
  const Comparison& c = found->second;
  if (c.value.degree() != 1) throw Unsupported{"its condition compares something that is not linear"};
  const auto branch = [&](std::size_t i) {
    if (!is_constant(node.input(i))) {
      const Value& value = tensor(node, i);
      if (value.node != c.value.node || value.dims != c.value.dims || value.degree() > 1) {
        throw Unsupported{
            "it chooses between tensors that are not linear functions of the one that it compares"};
      }
      return value;
    }
    const Constant& number = constant(node.input(i));
    if (number.size() != 1) throw Unsupported{"it chooses constants that differ from element to element"};
    Value value = c.value;
    value.c0 = number.at(0);
    value.c1 = 0;
    return value;
  };
  Value upper = branch(1), lower = branch(2);
  // The condition in terms of the node's own output.
  const double limit = (c.limit - c.value.c0) / c.value.c1;
  if (c.above != (c.value.c1 > 0)) std::swap(upper, lower);
  const double high = upper.c0 + upper.c1 * limit, low = lower.c0 + lower.c1 * limit;
  if (!(std::abs(high - low) <= 1e-6 * std::max({1.0, std::abs(high), std::abs(low)}))) {
    throw Unsupported{fmt::format("its result jumps from {} to {} where the condition changes", low, high)};
  }
  Value x = c.value;
  x.c0 = 0;
  x.c1 = 1;
  if (upper.c1 == lower.c1) return define(node, upper);
  const auto line = [&](const Value& v, double slope) {
    return affine(
        clipped(x, &v == &upper ? limit : -kInfinity, &v == &upper ? kInfinity : limit, node.name()), {slope},
        {0}, node.name());
  };
  if (lower.c1 == 0) {
    Value out = line(upper, upper.c1);
    out.c0 += high - upper.c1 * limit;
    return define(node, std::move(out));
  }
  if (upper.c1 == 0) {
    Value out = line(lower, lower.c1);
    out.c0 += low - lower.c1 * limit;
    return define(node, std::move(out));
  }
  // slope_low x + (slope_up - slope_low) max(x, limit) + c, or the other way round, whichever has the positive factor.
  const double step = upper.c1 - lower.c1;
  const Value bend = step > 0 ? line(upper, step) : line(lower, -step);
  const Value base = affine(x, {step > 0 ? lower.c1 : upper.c1}, {0}, node.name());
  Value out = sum_of(base, bend, node.name());
  out.c0 += step > 0 ? low - lower.c1 * limit - step * limit : high - upper.c1 * limit + step * limit;
  define(node, std::move(out));
}

}  // namespace ap::nn
