#include "mpc/garble/circuit.h"

#include <algorithm>
#include <bit>

#include "base/bits.h"
#include "base/error.h"
#include "mpc/garble/clamp_gate.h"
#include "mpc/garble/field_word.h"

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
  if (circuit.has_clamp()) {
    bytes += clamp_bytes(circuit.clamp_gate, circuit.word_bits, lanes);
  } else if (circuit.word_modulus != 0) {
    bytes += field_word_bytes(circuit, lanes);
  } else if (circuit.word_bits > 0) {
    for (const WordGate& gate : circuit.word_gates)
      bytes += packed_bytes(3 * lanes, circuit.word_bits - gate.shift);
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
std::uint64_t Circuit::tweaks() const {
  if (has_clamp()) return ciphertexts() + clamp_tweaks(clamp_gate);
  return ciphertexts() + (word_bits > 0 ? word_gates.size() + 1 : 0);
}

std::size_t Circuit::garbled_bytes(std::size_t instances) const {
  const std::size_t rest = instances % kGarbleLanes;
  return instances / kGarbleLanes * chunk_bytes(*this, kGarbleLanes) + (rest ? chunk_bytes(*this, rest) : 0);
}

void Circuit::check() const {
  AP_ASSERT(knowns <= 192);
  for (std::size_t i = 0; i < gates.size(); ++i) {
    AP_ASSERT(gates[i].x < inputs + i && gates[i].y < inputs + i);
    const bool uses_known = gates[i].kind == GateKind::xor_known || gates[i].kind == GateKind::and_known ||
                            gates[i].kind == GateKind::majority_known;
    AP_ASSERT(!uses_known || gates[i].known < knowns);
  }
  for (const Wire wire : outputs) AP_ASSERT(wire < wires());
  AP_ASSERT(word_bits >= 0 && word_bits <= kMaxWordBits);
  if (word_modulus != 0) {
    AP_ASSERT(!has_clamp() && word_bits <= kMaxWordModulusBits &&
              word_bits == static_cast<int>(std::bit_width(word_modulus)));
    AP_ASSERT(word_modulus > 2 && word_modulus % 2 == 1);  // so that 2^shift is below it
    for (const std::uint64_t value : final_gate.value) AP_ASSERT(value < word_modulus);
  }
  if (has_clamp()) {
    const ClampGate& c = clamp_gate;
    AP_ASSERT(c.low_bits >= 1 && c.high_bits <= kMaxClampHighBits && c.low_bits <= word_bits);
    AP_ASSERT(c.first + static_cast<Wire>(c.low_bits + c.high_bits) <= std::min(inputs, knowns));
    AP_ASSERT(knowns <= 64 && c.carry < wires() && c.guard < wires() && word_bits < kMaxWordBits &&
              word_gates.empty());
    return;
  }
  if (word_bits == 0) return;
  for (const WordGate& gate : word_gates) {
    AP_ASSERT(gate.x < wires() && gate.y < wires() && gate.shift >= 0 && gate.shift < word_bits);
  }
  AP_ASSERT(final_gate.x < wires() && final_gate.y < wires());
}

namespace {

std::uint64_t clamp_plain(const ClampGate& gate, std::span<const std::uint8_t> bit, std::uint64_t known) {
  const auto m = static_cast<std::uint32_t>(gate.low_bits);
  const auto h = static_cast<std::uint32_t>(gate.high_bits);
  const std::uint64_t b = known >> gate.first;
  std::uint64_t low = b & ((std::uint64_t{1} << m) - 1);
  std::uint64_t high = (b >> m) + bit[gate.carry];
  for (std::uint32_t i = 0; i < m; ++i) low += static_cast<std::uint64_t>(bit[gate.first + i]) << i;
  for (std::uint32_t i = 0; i < h; ++i) high += static_cast<std::uint64_t>(bit[gate.first + m + i]) << i;
  high &= (std::uint64_t{1} << h) - 1;
  if (gate.has_guard) low += bit[gate.guard];
  if (high == 0) return low - (static_cast<std::uint64_t>(bit[gate.carry]) << m);
  return high >> (h - 1) ? 0 : (std::uint64_t{1} << m) - 1;
}

}  // namespace

std::uint64_t evaluate_plain(const Circuit& circuit, std::span<const std::uint8_t> inputs,
                             std::span<const std::uint64_t> known, std::uint64_t mask,
                             std::span<std::uint8_t> outputs) {
  AP_ASSERT(known.size() >= circuit.known_words());
  AP_ASSERT(inputs.size() == circuit.inputs && outputs.size() == circuit.outputs.size());
  std::vector<std::uint8_t> bit(inputs.begin(), inputs.end());
  for (const Gate& gate : circuit.gates) {
    const int x = bit[gate.x];
    const int y = bit[gate.y];
    const int k =
        circuit.knowns == 0 ? 0 : static_cast<int>((known[gate.known / 64] >> (gate.known % 64)) & 1);
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
  const std::uint64_t word_mask = (std::uint64_t{1} << circuit.word_bits) - 1;
  if (circuit.has_clamp()) return (clamp_plain(circuit.clamp_gate, bit, known[0]) - mask) & word_mask;
  std::uint64_t word = circuit.final_gate.value[2U * bit[circuit.final_gate.x] + bit[circuit.final_gate.y]];
  for (const WordGate& gate : circuit.word_gates) {
    word += static_cast<std::uint64_t>(bit[gate.x] & bit[gate.y]) << gate.shift;
  }
  if (circuit.word_modulus == 0) return (word - mask) & word_mask;
  return (word + circuit.word_modulus - mask) % circuit.word_modulus;
}

}  // namespace ap::mpc
