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
  const std::vector<double> slope = element_values(x, constant_input(node, 1, "slope"), node.name());
  std::vector<double> rest;
  for (const double s : slope) rest.push_back(1 - s);
  const Value line = affine(x, slope, {0}, node.name());
  const bool is_one_slope = slope.size() == 1;
  if (!is_one_slope && std::all_of(slope.begin(), slope.end(), [](double s) { return s <= 1; })) {
    // s x + relu((1 - s) x): both factors go into the layer before.
    const Value bend = clipped(affine(x, rest, {0}, node.name()), 0, kInfinity, node.name());
    return define(node, sum_of(line, bend, node.name()));
  }
  const Value positive = clipped(x, 0, kInfinity, node.name());
  define(node, sum_of(line, affine(positive, rest, {0}, node.name()), node.name()));
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

/// Where with a comparison of x and two lines of the same x that meet at the limit.
void OnnxLowering::where(const OnnxNode& node) {
  const auto found = comparisons_.find(node.input(0));
  if (found == comparisons_.end())
    throw Unsupported{"its condition is neither a constant nor a comparison with one"};
  const Comparison& c = found->second;
  const auto branch = [&](std::size_t i) {
    if (!is_constant(node.input(i))) return tensor(node, i);
    const Constant& number = constant(node.input(i));
    if (number.size() != 1) throw Unsupported{"it chooses constants that differ from element to element"};
    Value value = c.value;
    value.c0 = number.at(0);
    value.c1 = value.c2 = 0;
    return value;
  };
  define(node, chosen(node, c, branch(1), branch(2)));
}

/// b(x) + (slope a - slope b) relu(x - limit), in the form whose factors are positive where one is.
Value OnnxLowering::chosen(const OnnxNode& node, const Comparison& c, Value upper, Value lower) {
  if (c.value.degree() != 1) throw Unsupported{"its condition compares something that is not linear"};
  for (const Value& value : {upper, lower}) {
    if (value.node != c.value.node || value.dims != c.value.dims || value.degree() > 1) {
      throw Unsupported{
          "it chooses between tensors that are not linear functions of the one that it compares"};
    }
  }
  // The condition in terms of the node's own output.
  const double limit = (c.limit - c.value.c0) / c.value.c1;
  if (c.above != (c.value.c1 > 0)) std::swap(upper, lower);
  const double high = upper.c0 + upper.c1 * limit, low = lower.c0 + lower.c1 * limit;
  if (!(std::abs(high - low) <= 1e-6 * std::max({1.0, std::abs(high), std::abs(low)}))) {
    throw Unsupported{fmt::format("its result jumps from {} to {} where the condition changes", low, high)};
  }
  if (upper.c1 == lower.c1) return upper;
  Value x = c.value;
  x.c0 = 0;
  x.c1 = 1;
  const auto above = [&](double slope) {
    return affine(clipped(x, limit, kInfinity, node.name()), {slope}, {0}, node.name());
  };
  const auto below = [&](double slope) {
    return affine(clipped(x, -kInfinity, limit, node.name()), {slope}, {0}, node.name());
  };
  Value out;
  if (lower.c1 == 0) {
    out = above(upper.c1);
    out.c0 += high - upper.c1 * limit;
    return out;
  }
  if (upper.c1 == 0) {
    out = below(lower.c1);
    out.c0 += low - lower.c1 * limit;
    return out;
  }
  const double step = upper.c1 - lower.c1;
  const Value base = affine(x, {step > 0 ? lower.c1 : upper.c1}, {0}, node.name());
  out = sum_of(base, step > 0 ? above(step) : below(-step), node.name());
  out.c0 += (step > 0 ? low - lower.c1 * limit : high - upper.c1 * limit) - std::abs(step) * limit;
  return out;
}

}  // namespace ap::nn
