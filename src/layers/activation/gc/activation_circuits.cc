#include "layers/activation/gc/activation_circuits.h"

#include <algorithm>

#include "layers/activation/gc/prime_sum.h"

namespace ap::activation {
namespace {

using mpc::Circuit;
using mpc::GateKind;
using mpc::Wire;

/// The carries out of bits 0 .. count - 1 of a + b: one AND a bit because b is known, half of one for the
/// lowest.
std::vector<Wire> add_carries(Circuit& circuit, int count) {
  std::vector<Wire> carries = {circuit.add(GateKind::and_known, 0, 0, 0)};
  for (int i = 1; i < count; ++i) {
    const auto bit = static_cast<Wire>(i);
    carries.push_back(circuit.add(GateKind::majority_known, bit, carries.back(), bit));
  }
  return carries;
}

/// The n bits of t.
std::vector<Wire> add_sum(Circuit& circuit, const ActivationSpec& spec) {
  if (spec.in_prime != 0) return add_prime_sum(circuit, spec);
  const int share_bits = spec.share_bits();
  const std::vector<Wire> carries = add_carries(circuit, share_bits - 1);
  std::vector<Wire> sum;
  for (int i = spec.guard_bits; i < share_bits; ++i) {
    const auto bit = static_cast<Wire>(i);
    const Wire half = circuit.add(GateKind::xor_known, bit, 0, bit);
    sum.push_back(i == 0 ? half : circuit.add(GateKind::xor_wires, half, carries[bit - 1]));
  }
  return sum;
}

/// The output word: in range (no bit from m' up set) the low m' bits, else 0 or 2^m - 1 by the sign.
/// The piece of each low bit is added arithmetically, so re-masking needs no second adder.
void add_clamp(Circuit& circuit, const ActivationSpec& spec, const std::vector<Wire>& value) {
  const auto n = static_cast<std::size_t>(spec.sum_bits);
  const std::size_t m = std::min(static_cast<std::size_t>(spec.clamp_bits), n - 1);
  const Wire sign = value[n - 1];
  Wire in_range = circuit.add(GateKind::not_wire, sign);
  for (std::size_t i = m; i + 1 < n; ++i) {
    in_range = circuit.add(GateKind::and_wires, in_range, circuit.add(GateKind::not_wire, value[i]));
  }
  circuit.word_bits = spec.out_bits;
  circuit.word_modulus = spec.out_prime;
  for (std::size_t i = 0; i < m; ++i) circuit.word_gates.push_back({in_range, value[i], static_cast<int>(i)});
  const std::uint64_t top = (std::uint64_t{1} << m) - 1;
  circuit.final_gate = {in_range, sign, {top, 0, 0, 0}};  // index 2 in_range + sign
}

Circuit share_inputs(const ActivationSpec& spec) {
  Circuit circuit;
  circuit.inputs = static_cast<std::uint32_t>(spec.share_bits());
  circuit.knowns = spec.in_prime != 0 ? kPrimeSumKnowns : circuit.inputs;
  return circuit;
}

}  // namespace

mpc::Circuit clamp_sum_circuit(const ActivationSpec& spec) {
  Circuit circuit = share_inputs(spec);
  const int m = std::min(spec.clamp_bits, spec.sum_bits - 1);
  if (spec.in_prime == 0 && spec.out_prime == 0 && spec.sum_bits - m <= mpc::kMaxClampHighBits) {
    const auto g = static_cast<std::uint32_t>(spec.guard_bits);
    const std::vector<Wire> carries = add_carries(circuit, spec.guard_bits + m);
    circuit.word_bits = spec.out_bits;
    circuit.clamp_gate = {g, m, spec.sum_bits - m, carries.back(), g > 0, g > 0 ? carries[g - 1] : 0};
    return circuit;
  }
  add_clamp(circuit, spec, add_sum(circuit, spec));
  return circuit;
}

mpc::Circuit sum_circuit(const ActivationSpec& spec) {
  Circuit circuit = share_inputs(spec);
  circuit.outputs = add_sum(circuit, spec);
  return circuit;
}

mpc::Wire add_less(mpc::Circuit& circuit, std::span<const mpc::Wire> x, std::span<const mpc::Wire> y,
                   std::vector<mpc::Wire>& differs) {
  // Borrow of x - y; at the sign bit the roles swap, so the last borrow is the signed x < y.
  Wire less = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    differs.push_back(circuit.add(GateKind::xor_wires, x[i], y[i]));
    const Wire larger = i + 1 < x.size() ? y[i] : x[i];
    if (i == 0) {
      less = circuit.add(GateKind::and_wires, differs[i], larger);
    } else {
      // where the bits differ the larger side's bit decides, else what the lower bits said
      const Wire change = circuit.add(GateKind::xor_wires, larger, less);
      less = circuit.add(GateKind::xor_wires, less, circuit.add(GateKind::and_wires, differs[i], change));
    }
  }
  return less;
}

mpc::Circuit max_circuit(const ActivationSpec& spec) {
  Circuit circuit;
  const auto n = static_cast<Wire>(spec.sum_bits);
  circuit.inputs = 2 * n;
  std::vector<Wire> wires(circuit.inputs);
  for (Wire i = 0; i < circuit.inputs; ++i) wires[i] = i;
  std::vector<Wire> differs;
  const Wire less = add_less(circuit, std::span(wires).first(n), std::span(wires).subspan(n), differs);
  for (Wire i = 0; i < n; ++i) {
    const Wire take = circuit.add(GateKind::and_wires, less, differs[i]);
    circuit.outputs.push_back(circuit.add(GateKind::xor_wires, i, take));
  }
  return circuit;
}

mpc::Circuit clamp_circuit(const ActivationSpec& spec) {
  Circuit circuit;
  circuit.inputs = static_cast<std::uint32_t>(spec.sum_bits);
  std::vector<Wire> value(circuit.inputs);
  for (Wire i = 0; i < circuit.inputs; ++i) value[i] = i;
  add_clamp(circuit, spec, value);
  return circuit;
}

}  // namespace ap::activation
