#include "layers/activation/gc/prime_sum.h"

#include <bit>

namespace ap::activation {
namespace {

using mpc::GateKind;
using mpc::Wire;

/// Known words of one share: what carries into w, c - 1, and d.
constexpr Wire kThreshold = 0;
constexpr Wire kAddend = 64;
constexpr Wire kChange = 128;

}  // namespace

std::vector<Wire> add_prime_sum(mpc::Circuit& circuit, const ActivationSpec& spec) {
  const auto width = static_cast<Wire>(spec.share_bits());
  const auto guard = static_cast<Wire>(spec.guard_bits);
  const auto low = static_cast<Wire>(std::countr_zero(spec.in_prime - 1));
  Wire wraps = circuit.add(GateKind::and_known, 0, 0, kThreshold);
  for (Wire i = 1; i < width; ++i) wraps = circuit.add(GateKind::majority_known, i, wraps, kThreshold + i);

  std::vector<Wire> value;
  Wire carry = circuit.add(GateKind::not_wire, wraps);
  for (Wire i = 0; i < width; ++i) {
    const Wire known = kAddend + i;
    Wire addend = 0;
    if (i >= low) {
      addend = i == low ? wraps : circuit.add(GateKind::and_known, wraps, 0, kChange + i);
      addend = circuit.add(GateKind::xor_known, addend, 0, known);
    }
    const Wire with_carry = circuit.add(GateKind::xor_wires, i, carry);
    if (i >= guard) {
      value.push_back(i < low ? circuit.add(GateKind::xor_known, with_carry, 0, known)
                              : circuit.add(GateKind::xor_wires, with_carry, addend));
    }
    if (i + 1 == width) break;
    if (i < low) {
      carry = circuit.add(GateKind::majority_known, i, carry, known);
    } else {
      // where a and the carry differ the addend decides, else both are the carry
      const Wire change = circuit.add(GateKind::xor_wires, addend, carry);
      carry = circuit.add(GateKind::xor_wires, carry, circuit.add(GateKind::and_wires, with_carry, change));
    }
  }
  return value;
}

SecretVector<std::uint64_t> prime_sum_knowns(std::uint64_t prime, std::span<const std::uint64_t> b) {
  const auto width = static_cast<int>(std::bit_width(prime));
  const int low = std::countr_zero(prime - 1);
  const std::uint64_t mask = (std::uint64_t{1} << width) - 1;
  const std::uint64_t half = prime / 2;
  SecretVector<std::uint64_t> words(3 * b.size());
  for (std::size_t i = 0; i < b.size(); ++i) {
    const std::uint64_t above = (half - b[i]) >> 63;  // b > h
    const std::uint64_t c = b[i] - (prime & (0 - above));
    const std::uint64_t upper = (c - 1) >> low;
    words[3 * i] = (mask - half + c) & mask;
    words[3 * i + 1] = (c - 1) & mask;
    words[3 * i + 2] = ((upper ^ (upper - (prime >> low))) << low) & mask;
  }
  return words;
}

}  // namespace ap::activation
