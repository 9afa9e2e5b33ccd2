// Garbling and evaluation of batches: many instances of one circuit.
//
// Boolean gates: free-XOR (Kolesnikov and Schneider 2008) with half-gates (Zahur, Rosulek, Evans, eprint
// 2014/756), two blocks an AND, one where the garbler knows an input. A wire's label for 1 is its label for 0
// xor R with lsb(R) = 1, so that the lowest bit of a label is a random "visible" bit, the permute bit.
//
// Word gates give the evaluator clear additive pieces of one output word mod 2^w: piece j is
// (x_j & y_j) 2^shift_j + rho_j 2^shift_j, the final piece is value[x, y] - mask - sum_j rho_j 2^shift_j, and
// the sum of the pieces is the word minus the mask. A piece is a table of four rows in the order of the
// visible bits, each encrypted with the low bits of H(X xor sigma(Y), tweak) (two labels, one hash; compare
// the dual-key hash 2A xor 4B of Bellare, Hoang, Keelveedhi, Rogaway, eprint 2013/426). rho_j is free, so it
// is set by the first row's hash and that row is not sent (Naor, Pinkas, Sumner 1999). Why nothing leaks: (1)
// a batch has its own tweak for every gate and instance; keys of the rows that stay closed differ from the
// opened one by R, sigma(R) or R xor sigma(R), all one-to-one in R because sigma is an orthomorphism, so
// under the ideal-permutation model they are as unpredictable as H(X xor R). (2) The opened pieces are rho_j
// + .., uniform and independent in all but the last, and the last is fixed by them and their sum. The
// evaluator's view follows from word - mask, which it is meant to learn. (3) Which row opened is the visible
// bits, uniform by labels.
#pragma once

#include <cstdint>
#include <span>

#include "mpc/core/block.h"
#include "mpc/core/hash.h"
#include "mpc/garble/circuit.h"

namespace ap::mpc {

/// Instances that one key of the hash serves: more would cost security (security/symmetric.h), fewer time.
inline constexpr std::size_t kInstancesPerKey = 4 * kGarbleLanes;

/// Hashes of one instance whose input holds R, at most; kInstancesPerKey times this, or fewer instances,
/// stays below security::kMaxHashesPerKey, or garbling refuses the circuit.
std::size_t hidden_hashes(const Circuit& circuit);

/// Garbles `instances` copies. All arrays are instance-major.
/// @param inputs   labels for 0: instances x circuit.inputs
/// @param known    the garbler's bits: instances x circuit.known_words()
/// @param masks    per instance, subtracted from the output word, below its modulus; empty without a word
/// @param outputs  labels for 0 of the output wires: instances x circuit.outputs.size()
/// @param garbled  circuit.garbled_bytes(instances) bytes
/// @param keys     of the hash, of this session and use alone; a call uses those numbered tweak, tweak +
///                 kInstancesPerKey ..
/// @param tweak    first of circuit.tweaks() * instances tweaks that no other call of the session uses
void garble(const Circuit& circuit, const HashKeys& keys, const Block& delta, std::uint64_t tweak,
            std::size_t instances, std::span<const Block> inputs, std::span<const std::uint64_t> known,
            std::span<const std::uint64_t> masks, std::span<Block> outputs, std::span<std::uint8_t> garbled);

/// Evaluates what `garble` made: active labels in, active labels and words out (words: one per instance, the
/// output word minus the mask mod 2^word_bits or word_modulus; empty without a word). `clear`: for a circuit
/// with a ClampGate, per instance the input bits themselves (bit j = input j), which that gate lets the
/// evaluator use; else empty.
void evaluate(const Circuit& circuit, const HashKeys& keys, std::uint64_t tweak, std::size_t instances,
              std::span<const Block> inputs, std::span<const std::uint64_t> clear,
              std::span<const std::uint8_t> garbled, std::span<Block> outputs,
              std::span<std::uint64_t> words);

}  // namespace ap::mpc
