#include "plan/quadratic.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ap::plan {
namespace {

__extension__ typedef __int128 Wide;

constexpr int kMaxGuardBits = 16;
/// Bits of the result's truncation that are exact if t is not: what the rest adds, 2^-3 of a step, is small
/// beside the rounding of t.
constexpr int kResultGuardBits = 3;

nn::Interval argument_range(const nn::QQuadratic& op, const nn::Interval& x) {
  // Rounded up or down, and x itself may be off by a little.
  return {(x.low >> op.shift) - 1, (x.high >> op.shift) + 2};
}

Wide value_at(const nn::QQuadratic& op, Wide t) { return op.c0 + (op.c1 + op.c2 * t) * t; }

/// The values of the polynomial over an interval of t, cut to what 62 bits hold.
nn::Interval value_range(const nn::QQuadratic& op, const nn::Interval& t) {
  Wide low = std::min(value_at(op, t.low), value_at(op, t.high));
  Wide high = std::max(value_at(op, t.low), value_at(op, t.high));
  if (op.c2 != 0) {
    const Wide vertex = -Wide{op.c1} / (2 * Wide{op.c2});
    for (Wide at = vertex - 1; at <= vertex + 1; ++at) {
      if (at <= t.low || at >= t.high) continue;
      low = std::min(low, value_at(op, at));
      high = std::max(high, value_at(op, at));
    }
  }
  constexpr Wide kLimit = Wide{1} << 61;
  return {static_cast<std::int64_t>(std::clamp(low, -kLimit, kLimit)),
          static_cast<std::int64_t>(std::clamp(high, -kLimit, kLimit))};
}

}  // namespace

QuadraticRings quadratic_rings(const nn::QQuadratic& op, const nn::Interval& range, int guard_bits) {
  QuadraticRings rings;
  const nn::Interval value = value_range(op, argument_range(op, range));
  rings.result.shift = op.post_shift;
  // The step that makes some bits of the argument exact costs nearly as much as all: all or none.
  const bool exact = std::min(guard_bits, kMaxGuardBits) >= op.shift;
  rings.argument.guard_bits = exact ? op.shift : 0;
  rings.result.guard_bits =
      std::min({exact ? guard_bits : std::min(guard_bits, kResultGuardBits), op.post_shift, kMaxGuardBits});
  rings.result.sum_bits =
      signed_bits((value.low >> op.post_shift) - op.low, (value.high >> op.post_shift) - op.low, 2);
  rings.argument.shift = op.shift;
  rings.argument.sum_bits = activation::square_argument_bits(rings.result.input_bits(), op.c1, op.c2);
  return rings;
}

activation::ActivationSpec quadratic_spec(const nn::QQuadratic& op, const ActivationChoice& choice,
                                          std::size_t elements) {
  const Truncation& result = choice.truncation;
  activation::ActivationSpec spec;
  spec.inputs = elements;
  spec.outputs = elements;
  spec.sum_bits = result.sum_bits;
  spec.guard_bits = result.guard_bits;
  spec.clamp_bits = op.bits;
  spec.out_bits = choice.out_bits;
  activation::SquareSpec square;
  square.argument_bits = choice.argument.sum_bits;
  square.guard_bits = choice.argument.guard_bits;
  square.value_bits = result.input_bits();
  // Rounding, and the lower bound of the clamp: low 2^post_shift has no bits among those that are dropped.
  square.constant = op.c0 + result.offset() - op.low * (std::int64_t{1} << result.shift);
  square.linear = op.c1;
  square.square = op.c2;
  square.dropped_bits = result.dropped_bits();
  spec.square = square;
  return spec;
}

void check_quadratic(const ActivationChoice& choice, const Plan& plan, const nn::QuantisedNetwork& network) {
  const nn::QNode& node = network.nodes[static_cast<std::size_t>(choice.node)];
  const auto& op = std::get<nn::QQuadratic>(node.op);
  const auto in_range = [&](const char* what, int value, int low, int high) {
    if (value < low || value > high)
      fail_input("layer {}: {} is {}, outside {}..{}", node.name, what, value, low, high);
  };
  if (choice.protocol != kQuadraticProtocol) {
    fail_input("layer {} is a quadratic activation and asks for protocol \"{}\"; it needs \"{}\"", node.name,
               choice.protocol, kQuadraticProtocol);
  }
  const Truncation& argument = choice.argument;
  const Truncation& result = choice.truncation;
  in_range("the shift of the argument", argument.shift, op.shift, op.shift);
  in_range("the number of guard bits of the argument", argument.guard_bits, 0,
           std::min(argument.shift, kMaxGuardBits));
  in_range("the shift of the result", result.shift, op.post_shift, op.post_shift);
  in_range("the number of guard bits of the result", result.guard_bits, 0,
           std::min(result.shift, kMaxGuardBits));
  in_range("the width of the result", result.sum_bits, 2, kMaxModulusBits - result.shift);
  in_range("the width of the argument", argument.sum_bits,
           activation::square_argument_bits(result.input_bits(), op.c1, op.c2),
           kMaxModulusBits - argument.shift);
  const auto bits = [&](int index) { return plan.modulus_bits[static_cast<std::size_t>(index)]; };
  in_range("the sharing modulus of its input", bits(node.inputs.front()), argument.input_bits(),
           kMaxModulusBits);
  in_range("the sharing modulus of its output", choice.out_bits, bits(choice.node), bits(choice.node));
  in_range("the sharing modulus of its output", choice.out_bits, op.bits, kMaxModulusBits);
}

double quadratic_error_step(const nn::QQuadratic& op, const nn::Interval& range) {
  const double c1 = std::abs(static_cast<double>(op.c1)), c2 = std::abs(static_cast<double>(op.c2));
  const nn::Interval t = argument_range(op, range);
  double largest = static_cast<double>(std::max(std::abs(t.low), std::abs(t.high)));
  // Beyond this |t| the square alone exceeds twice what the clamp lets through.
  const double reach = std::ldexp(1.0, op.post_shift + op.bits + 1);
  if (c2 > 0) largest = std::min(largest, std::sqrt(reach / c2) + c1 / c2);
  const double slope = c1 + 2 * c2 * largest;
  return std::max(1.0, std::ldexp(1.0, op.shift + op.post_shift) / std::max(slope, 1.0));
}

}  // namespace ap::plan
