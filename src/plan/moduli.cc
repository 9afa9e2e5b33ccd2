#include "plan/moduli.h"

#include <algorithm>

#include "base/error.h"
#include "plan/product.h"
#include "plan/quadratic.h"

namespace ap::plan {

std::int64_t Truncation::offset() const {
  const std::int64_t rounding = shift > 0 ? std::int64_t{1} << (shift - 1) : 0;
  const std::int64_t centring = dropped_bits() > 0 ? std::int64_t{1} << (dropped_bits() - 1) : 0;
  return rounding + centring;
}

int signed_bits(std::int64_t low, std::int64_t high, std::int64_t margin) {
  for (int bits = 2; bits < 63; ++bits) {
    const std::int64_t half = std::int64_t{1} << (bits - 1);
    if (low - margin >= -half && high + margin < half) return bits;
  }
  return 63;
}

Truncation truncation_of(const nn::QActivation& activation, const nn::Interval& range, int guard_bits) {
  return truncation_of(nn::Clamp{activation.shift, activation.low, activation.bits}, range, guard_bits);
}

Truncation truncation_of(const nn::Clamp& activation, const nn::Interval& range, int guard_bits) {
  Truncation t;
  t.shift = activation.shift;
  t.guard_bits = std::min(guard_bits, activation.shift);
  // Arithmetic right shift of a signed value is floor division, as the integer network defines it.
  t.sum_bits =
      signed_bits((range.low >> t.shift) - activation.low, (range.high >> t.shift) - activation.low, 2);
  return t;
}

Truncation truncation_of(const nn::QActivation& activation, const nn::QNode& input, int guard_bits) {
  return truncation_of(activation, nn::Interval{input.low, input.high}, guard_bits);
}

std::vector<nn::Interval> exact_ranges(const nn::QuantisedNetwork& network) {
  std::vector<nn::Interval> ranges;
  for (const nn::QNode& node : network.nodes) ranges.push_back({node.low, node.high});
  return ranges;
}

std::vector<int> assign_moduli(const nn::QuantisedNetwork& network, int guard_bits) {
  return assign_moduli(network, exact_ranges(network), guard_bits);
}

std::vector<int> assign_moduli(const nn::QuantisedNetwork& network, std::span<const nn::Interval> ranges,
                               int guard_bits) {
  const auto& nodes = network.nodes;
  std::vector<int> bits(nodes.size(), 1);
  const auto need = [&](int node, int wanted, const nn::QNode& consumer) {
    if (wanted > kMaxModulusBits) {
      fail_input("layer {} needs {}-bit shares of {}, more than the {} supported; quantise with fewer bits",
                 consumer.name, wanted, nodes[static_cast<std::size_t>(node)].name, kMaxModulusBits);
    }
    int& held = bits[static_cast<std::size_t>(node)];
    held = std::max(held, wanted);
  };
  const int last = static_cast<int>(nodes.size()) - 1;
  need(last, signed_bits(ranges.back().low, ranges.back().high, 2), nodes.back());
  for (int i = last; i > 0; --i) {
    const nn::QNode& node = nodes[static_cast<std::size_t>(i)];
    if (const auto* activation = std::get_if<nn::QActivation>(&node.op)) {
      const int input = node.inputs.front();
      need(i, activation->bits + 1, node);
      need(input,
           truncation_of(*activation, ranges[static_cast<std::size_t>(input)], guard_bits).input_bits(),
           node);
    } else if (const auto* quadratic = std::get_if<nn::QQuadratic>(&node.op)) {
      const int input = node.inputs.front();
      const QuadraticRings rings =
          quadratic_rings(*quadratic, ranges[static_cast<std::size_t>(input)], guard_bits);
      need(i, quadratic->bits + 1, node);
      // The value of the polynomial has a ring of its own, but of the same limit.
      need(input, rings.argument.input_bits(), node);
      if (rings.result.input_bits() > kMaxModulusBits) {
        fail_input(
            "layer {}: its quadratic needs shares of {} bits, more than the {} supported; quantise with fewer "
            "bits or use ReLU or Clip there",
            node.name, rings.result.input_bits(), kMaxModulusBits);
      }
    } else if (const auto* table = std::get_if<nn::QTable>(&node.op)) {
      const int input = node.inputs.front();
      // Its signed result, and the clamped value inside the protocol.
      need(i, std::max(signed_bits(node.low, node.high, 0), table->bits + 1), node);
      need(input,
           truncation_of(*nn::clamp_of(node.op), ranges[static_cast<std::size_t>(input)], guard_bits)
               .input_bits(),
           node);
    } else if (const auto* product = std::get_if<nn::QProduct>(&node.op)) {
      need(i, product->bits + 1, node);
      const auto& x = ranges[static_cast<std::size_t>(node.inputs[0])];
      const auto& gate = ranges[static_cast<std::size_t>(node.inputs[1])];
      const int width = product_truncation(*product, x, gate, guard_bits).input_bits();
      for (const int input : node.inputs) need(input, width, node);
    } else {
      for (const int input : node.inputs) need(input, bits[static_cast<std::size_t>(i)], node);
    }
  }
  return bits;
}

}  // namespace ap::plan
