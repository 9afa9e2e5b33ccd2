// The output word of a circuit modulo an odd number p: the word gates and the final gate of mpc/garble/garble.h with
// Z_p in place of Z_2^w, so that the evaluator gets (word - mask) mod p without one AND for the reduction or
// the mask.
//
// Piece j is (x_j & y_j) 2^shift_j + rho_j mod p, the final piece value[x, y] - mask - sum_j rho_j mod p. A
// row is the piece minus a pad mod p; pads are floor(h p / 2^128) for the 128-bit row hash h, so within p /
// 2^128 <= 2^-88 of uniform. The pad of a word gate's first row sets rho_j, which leaves that row zero and
// unsent. That nothing leaks follows as in mpc/garble/garble.h: the pieces are uniform in Z_p but for their sum.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "mpc/core/block.h"
#include "mpc/garble/circuit.h"
#include "mpc/garble/clamp_gate.h"

namespace ap::mpc {

/// The four row keys H(X xor sigma(Y), tweak + lane) of gates with two wires, keys[2 a + b] for the visible
/// bits a and b, from the labels for 0.
void hash_row_keys(const Permutation& pi, const Block* x, const Block* y, const Block& delta,
                   std::uint64_t tweak, std::size_t lanes,
                   std::array<std::array<Block, kGarbleLanes>, 4>& keys);

/// Bytes of `lanes` instances: 3 rows a word gate and 4 for the final gate, of word_bits bits each.
std::size_t field_word_bytes(const Circuit& circuit, std::size_t lanes);

/// Garbles lanes <= kGarbleLanes instances. Wire w's labels for 0 lie at wires + w * kGarbleLanes; masks are
/// below word_modulus. Writes field_word_bytes bytes.
void garble_field_word(const Circuit& circuit, const Permutation& pi, const Block& delta, const Block* wires,
                       std::size_t lanes, const std::uint64_t* masks, TweakSlots tweaks, std::uint8_t* out);

/// Evaluates them. Writes one word below word_modulus for each lane, whatever the peer sent.
void evaluate_field_word(const Circuit& circuit, const Permutation& pi, const Block* wires, std::size_t lanes,
                         TweakSlots tweaks, std::span<const std::uint8_t> in, std::uint64_t* words);

}  // namespace ap::mpc
