#include "mpc/circuit.h"

#include "base/bits.h"
#include "base/error.h"
#include "mpc/garble.h"

namespace ap::mpc {
namespace {

std::size_t gate_blocks(GateKind kind) {
  switch (kind) {
    case GateKind::and_known:
      return 1;
    case GateKind::and_wires:
    case GateKind::majority_known:
      return 2;
    default:
      return 0;
  }
}

/// Garbled bytes of one chunk of at most kGarbleLanes instances.
std::size_t chunk_bytes(const Circuit& circuit, std::size_t lanes) {
  std::size_t bytes = circuit.ciphertexts() * lanes * 16;
  if (circuit.word_bits > 0) {
    for (const WordGate& gate : circuit.word_gates) bytes += packed_bytes(3 * lanes, circuit.word_bits - gate.shift);
    bytes += packed_bytes(4 * lanes, circuit.word_bits);
  }
  return bytes;
}

}  // namespace

std::size_t Circuit::and_gates() const {
  std::size_t count = 0;
  for (const Gate& gate : gates) count += gate_blocks(gate.kind) == 2;
  return count;
}

std::size_t Circuit::ciphertexts() const {
  std::size_t count = 0;
  for (const Gate& gate : gates) count += gate_blocks(gate.kind);
  return count;
}

// A half-gate takes one tweak for each ciphertext; a word gate and the final gate one each.
std::size_t Circuit::tweaks() const { return ciphertexts() + (word_bits > 0 ? word_gates.size() + 1 : 0); }

std::size_t Circuit::garbled_bytes(std::size_t instances) const {
  const std::size_t rest = instances % kGarbleLanes;
  return instances / kGarbleLanes * chunk_bytes(*this, kGarbleLanes) + (rest ? chunk_bytes(*this, rest) : 0);
}

void Circuit::check() const {
  AP_ASSERT(knowns <= 64);
  for (std::size_t i = 0; i < gates.size(); ++i) {
    AP_ASSERT(gates[i].x < inputs + i && gates[i].y < inputs + i);
    const bool uses_known = gates[i].kind == GateKind::xor_known || gates[i].kind == GateKind::and_known ||
                            gates[i].kind == GateKind::majority_known;
    AP_ASSERT(!uses_known || gates[i].known < knowns);
  }
  for (const Wire wire : outputs) AP_ASSERT(wire < wires());
  AP_ASSERT(word_bits >= 0 && word_bits <= kMaxWordBits);
  if (word_bits == 0) return;
  for (const WordGate& gate : word_gates) {
    AP_ASSERT(gate.x < wires() && gate.y < wires() && gate.shift >= 0 && gate.shift < word_bits);
  }
  AP_ASSERT(final_gate.x < wires() && final_gate.y < wires());
}

std::uint64_t evaluate_plain(const Circuit& circuit, std::span<const std::uint8_t> inputs, std::uint64_t known,
                             std::uint64_t mask, std::span<std::uint8_t> outputs) {
  AP_ASSERT(inputs.size() == circuit.inputs && outputs.size() == circuit.outputs.size());
  std::vector<std::uint8_t> bit(inputs.begin(), inputs.end());
  for (const Gate& gate : circuit.gates) {
    const int x = bit[gate.x];
    const int y = bit[gate.y];
    const int k = static_cast<int>((known >> gate.known) & 1);
    int value = 0;
    switch (gate.kind) {
      case GateKind::xor_wires:
        value = x ^ y;
        break;
      case GateKind::not_wire:
        value = x ^ 1;
        break;
      case GateKind::xor_known:
        value = x ^ k;
        break;
      case GateKind::and_known:
        value = x & k;
        break;
      case GateKind::and_wires:
        value = x & y;
        break;
      case GateKind::majority_known:
        value = (x + y + k) >= 2;
        break;
    }
    bit.push_back(static_cast<std::uint8_t>(value));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i] = bit[circuit.outputs[i]];
  if (circuit.word_bits == 0) return 0;
  std::uint64_t word = circuit.final_gate.value[2U * bit[circuit.final_gate.x] + bit[circuit.final_gate.y]] - mask;
  for (const WordGate& gate : circuit.word_gates) {
    word += static_cast<std::uint64_t>(bit[gate.x] & bit[gate.y]) << gate.shift;
  }
  return word & ((std::uint64_t{1} << circuit.word_bits) - 1);
}

}  // namespace ap::mpc
