// Boolean circuits for garbling: a straight-line list of gates over wires. Every instance of a batch has
// evaluator inputs (wires with labels), bits that the garbler knows (no wires: they shape the gates), and
// either output wires (labels, for a further circuit) or one masked word that the evaluator
// learns in the clear.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ap::mpc {

using Wire = std::uint32_t;

enum class GateKind : std::uint8_t {
  xor_wires,       ///< x ^ y, free
  not_wire,        ///< !x, free
  xor_known,       ///< x ^ k, k known to the garbler, free
  and_known,       ///< x & k, one ciphertext: the generator half-gate
  and_wires,       ///< x & y, two ciphertexts: half-gates
  majority_known,  ///< ((x ^ k) & (y ^ k)) ^ k, two ciphertexts: the carry of x + k + y
};

/// The result of gate number i is wire inputs + i.
struct Gate {
  GateKind kind;
  Wire x = 0;
  Wire y = 0;
  std::uint32_t known = 0;
};

/// Adds (x & y) << shift to the output word.
struct WordGate {
  Wire x = 0;
  Wire y = 0;
  int shift = 0;
};

/// Adds value[2 x + y] to the output word and takes the garbler's mask away.
struct FinalGate {
  Wire x = 0;
  Wire y = 0;
  std::array<std::uint64_t, 4> value{};
};

/// Makes the output word clamp(t, 0, 2^m - 1) - mask for t = the signed (m + h)-bit sum of input bits first..
/// and the known bits of the same numbers and of `guard`, if it is used; see mpc/garble/clamp_gate.h. `guard`
/// is the wire of the carry into bit `first`, `carry` that out of the low m bits.
struct ClampGate {
  std::uint32_t first = 0;
  int low_bits = 0;   ///< m, at least 1
  int high_bits = 0;  ///< h, 1..kMaxClampHighBits; 0: no such gate
  Wire carry = 0;
  bool has_guard = false;
  Wire guard = 0;
};

/// The table of a ClampGate has 2^(h + 1) rows; above this, gates are shorter.
inline constexpr int kMaxClampHighBits = 5;

/// Instances garbled side by side, so that the AES pipeline is always full.
inline constexpr std::size_t kGarbleLanes = 32;

/// Widest modulus of an output word: pads reduced from 128 random bits are within 2^-88 of uniform.
inline constexpr int kMaxWordModulusBits = 40;

/// Widest output word: the evaluator reads a row with one unaligned 64-bit load.
inline constexpr int kMaxWordBits = 56;

struct Circuit {
  std::uint32_t inputs = 0;
  std::uint32_t knowns = 0;  ///< garbler bits per instance, at most 192
  std::vector<Gate> gates;
  std::vector<Wire> outputs;  ///< wires whose labels are the result
  int word_bits = 0;          ///< width w of the output word (1..kMaxWordBits); 0: none
  /// The output word and its mask are taken modulo this number of w bits instead of 2^w; 0: modulo 2^w.
  std::uint64_t word_modulus = 0;
  std::vector<WordGate> word_gates;
  FinalGate final_gate;
  ClampGate clamp_gate;  ///< instead of word gates and final gate

  bool has_clamp() const { return clamp_gate.high_bits > 0; }
  Wire add(GateKind kind, Wire x, Wire y = 0, std::uint32_t known = 0) {
    gates.push_back({kind, x, y, known});
    return inputs + static_cast<Wire>(gates.size()) - 1;
  }
  std::size_t wires() const { return inputs + gates.size(); }
  /// 64-bit words that hold the garbler's bits of one instance: known k is bit k % 64 of word k / 64.
  std::size_t known_words() const { return (knowns + 63) / 64; }

  /// Gates with two ciphertexts, per instance.
  std::size_t and_gates() const;
  /// Ciphertext blocks per instance.
  std::size_t ciphertexts() const;
  /// Tweaks per instance.
  std::uint64_t tweaks() const;
  /// Garbled bytes of a batch of `instances`.
  std::size_t garbled_bytes(std::size_t instances) const;
  /// Checks that wires, shifts and counts are in range; throws Error(internal).
  void check() const;
};

/// What garbling must reproduce, in the clear: one instance. `inputs` and `outputs` are bits, one each;
/// `known` holds the garbler's bits, known_words() words or more. Returns (word - mask) mod 2^word_bits or
/// mod word_modulus, or 0 without a word.
std::uint64_t evaluate_plain(const Circuit& circuit, std::span<const std::uint8_t> inputs,
                             std::span<const std::uint64_t> known, std::uint64_t mask,
                             std::span<std::uint8_t> outputs);
/// One instance in the clear, for circuits with at most 64 known bits.
inline std::uint64_t evaluate_plain(const Circuit& circuit, std::span<const std::uint8_t> inputs,
                                    std::uint64_t known, std::uint64_t mask,
                                    std::span<std::uint8_t> outputs) {
  return evaluate_plain(circuit, inputs, std::span<const std::uint64_t>(&known, 1), mask, outputs);
}

}  // namespace ap::mpc
