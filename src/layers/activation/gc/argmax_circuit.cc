#include "layers/activation/gc/argmax_circuit.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "layers/activation/argmax_spec.h"
#include "layers/activation/gc/activation_circuits.h"

namespace ap::activation {
namespace {

using mpc::Circuit;
using mpc::GateKind;
using mpc::Wire;

/// A bit of a number: known to everybody, or a wire.
struct Bit {
  std::optional<bool> constant;
  Wire wire = 0;
};

/// The best of some of the values.
struct Leader {
  std::vector<Wire> value;
  std::vector<Bit> number;
};

Wire with_constant(Circuit& circuit, Wire wire, bool flip) {
  return flip ? circuit.add(GateKind::not_wire, wire) : wire;
}

/// `right` if `take`, else `left`.
Bit choose(Circuit& circuit, Wire take, const Bit& left, const Bit& right) {
  if (left.constant && right.constant) {
    if (*left.constant == *right.constant) return left;
    return {std::nullopt, with_constant(circuit, take, *left.constant)};
  }
  if (left.constant) {
    const Wire differs = with_constant(circuit, right.wire, *left.constant);
    const Wire change = circuit.add(GateKind::and_wires, take, differs);
    return {std::nullopt, with_constant(circuit, change, *left.constant)};
  }
  const Wire differs = right.constant ? with_constant(circuit, left.wire, *right.constant)
                                      : circuit.add(GateKind::xor_wires, left.wire, right.wire);
  const Wire change = circuit.add(GateKind::and_wires, take, differs);
  return {std::nullopt, circuit.add(GateKind::xor_wires, left.wire, change)};
}

/// The right one only if it is strictly larger: the first of equals wins. `last`: its value is not wanted.
Leader winner(Circuit& circuit, const Leader& left, const Leader& right, bool last) {
  std::vector<Wire> differs;
  const Wire take = add_less(circuit, left.value, right.value, differs);
  Leader out;
  for (std::size_t i = 0; i < differs.size() && !last; ++i) {
    const Wire change = circuit.add(GateKind::and_wires, take, differs[i]);
    out.value.push_back(circuit.add(GateKind::xor_wires, left.value[i], change));
  }
  for (std::size_t i = 0; i < left.number.size(); ++i) {
    out.number.push_back(choose(circuit, take, left.number[i], right.number[i]));
  }
  return out;
}

}  // namespace

mpc::Circuit argmax_circuit(std::size_t count, int bits) {
  const int index_bits = argmax_index_bits(count);
  Circuit circuit;
  circuit.inputs = static_cast<std::uint32_t>(count) * static_cast<std::uint32_t>(bits);
  std::vector<Leader> leaders(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (int j = 0; j < bits; ++j) {
      leaders[i].value.push_back(static_cast<Wire>(i) * static_cast<Wire>(bits) + static_cast<Wire>(j));
    }
    for (int j = 0; j < index_bits; ++j) leaders[i].number.push_back({((i >> j) & 1) != 0, 0});
  }
  while (leaders.size() > 1) {
    std::vector<Leader> next;
    for (std::size_t i = 0; i + 1 < leaders.size(); i += 2) {
      next.push_back(winner(circuit, leaders[i], leaders[i + 1], leaders.size() == 2));
    }
    if (leaders.size() % 2 == 1) next.push_back(std::move(leaders.back()));
    leaders = std::move(next);
  }
  // The final gate takes the two lowest bits, word gates one each. No bit of 0..count - 1 is constant.
  const std::vector<Bit>& number = leaders.front().number;
  circuit.word_bits = index_bits;
  for (int i = 2; i < index_bits; ++i) {
    const Wire bit = number[static_cast<std::size_t>(i)].wire;
    circuit.word_gates.push_back({bit, bit, i});
  }
  if (index_bits == 1) {
    circuit.final_gate = {number[0].wire, number[0].wire, {0, 0, 0, 1}};
  } else {
    circuit.final_gate = {number[1].wire, number[0].wire, {0, 1, 2, 3}};
  }
  return circuit;
}

}  // namespace ap::activation
