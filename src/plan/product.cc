#include "plan/product.h"

#include <algorithm>

#include "base/error.h"

namespace ap::plan {
namespace {

constexpr int kMaxGuardBits = 16;

}  // namespace

Truncation product_truncation(const nn::QProduct& op, const nn::Interval& first, const nn::Interval& second,
                              int guard_bits) {
  const auto [low, high] = std::minmax(
      {first.low * second.low, first.low * second.high, first.high * second.low, first.high * second.high});
  Truncation t;
  t.shift = op.shift;
  t.guard_bits = std::min({guard_bits, op.shift, kMaxGuardBits});
  t.sum_bits = signed_bits((low >> op.shift) - op.low, (high >> op.shift) - op.low, 2);
  return t;
}

activation::ActivationSpec product_spec(const nn::QProduct& op, const ActivationChoice& choice,
                                        std::size_t elements, std::size_t plane) {
  const Truncation& t = choice.truncation;
  activation::ActivationSpec spec;
  spec.inputs = elements;
  spec.outputs = elements;
  spec.sum_bits = t.sum_bits;
  spec.guard_bits = t.guard_bits;
  spec.clamp_bits = op.bits;
  spec.out_bits = choice.out_bits;
  // Rounding, and the lower bound of the clamp.
  spec.product = activation::ProductSpec{t.input_bits(), t.dropped_bits(),
                                         t.offset() - op.low * (std::int64_t{1} << t.shift), plane};
  return spec;
}

void check_product(const ActivationChoice& choice, const Plan& plan, const nn::QuantisedNetwork& network) {
  const nn::QNode& node = network.nodes[static_cast<std::size_t>(choice.node)];
  const auto& op = std::get<nn::QProduct>(node.op);
  const auto in_range = [&](const char* what, int value, int low, int high) {
    if (value < low || value > high)
      fail_input("layer {}: {} is {}, outside {}..{}", node.name, what, value, low, high);
  };
  const auto bits = [&](int index) { return plan.modulus_bits[static_cast<std::size_t>(index)]; };
  if (choice.protocol != kPrivateProtocol) {
    fail_input("layer {} multiplies private tensors and asks for protocol \"{}\"; it needs \"{}\"", node.name,
               choice.protocol, kPrivateProtocol);
  }
  const Truncation& t = choice.truncation;
  in_range("the shift", t.shift, op.shift, op.shift);
  in_range("the number of guard bits", t.guard_bits, 0, std::min(t.shift, kMaxGuardBits));
  in_range("the width of the product", t.sum_bits, 2, kMaxModulusBits - t.shift);
  for (const int input : node.inputs)
    in_range("the sharing modulus of a factor", bits(input), t.input_bits(), kMaxModulusBits);
  in_range("the sharing modulus of its output", choice.out_bits, bits(choice.node), bits(choice.node));
  in_range("the sharing modulus of its output", choice.out_bits, op.bits, kMaxModulusBits);
}

}  // namespace ap::plan
