// One garbled gate for a whole clipped sum: the evaluator knows a, the garbler b, and the evaluator learns
//   clamp(t, 0, 2^m - 1) - mask  mod 2^w,   t = a + b as a signed number of m + h bits.
// It takes the carry of the low m bits (a wire, from ordinary gates) and replaces the h - 1 carries above,
// the tests of the upper bits and the m ANDs that select the low bits.
//
// Table. One row for each value of (carry, upper bits of a): 2^(h + 1) rows, in the order of the visible
// bits, each encrypted under H(sum_j 2^j X_j) with the labels X_j as elements of GF(2^128). A row fixes
// S = upper bits of t, hence `in` = [S = 0] and the sign, and holds
//   e = in xor lambda, with lambda a random bit of the garbler's, and a word.
//
// Low bits. If in = 1 the result is a_low + b_low - 2^m carry. The row's word holds all but a_low, and a_low
// times `in` comes from in = lambda xor e:
//   in a_low = (1 - 2e) lambda a_low + e a_low.
// The evaluator knows e and a, and lambda a_low + rho comes bit by bit from the labels it has:
// rho_i = H(label 0 of a_i) costs nothing, and one row (rho_i + lambda) xor H(label 1 of a_i) is sent, of
// w - i bits, in units of 2^i. The row's word takes (1 - 2e) rho and the mask away.
//
// Guard. A carry g into the low bits, a wire, adds in g: for either value of e a table of two rows under the
// labels of g holds (lambda xor e) g + rho'_e, the first row again free; the row's word takes the rho'_e of
// its e away.
//
// Why nothing leaks. Closed rows are under keys that differ from the opened one by R times a non-zero
// polynomial of degree <= h, so by a one-to-one image of R: unpredictable by the argument of
// mpc/garble/garble.h. Of what is open,
//   e is uniform by lambda;
//   every lambda a_i + rho_i is uniform: if a_i = 1 then rho_i is the hash of a label that the evaluator
//   lacks, and if a_i = 0 then it is rho_i alone;
//   the guard's two words have a rho' each;
//   the row's word is fixed by these and by the result.
// lambda is the lowest bit of H(R, tweak), by definition of circular correlation robustness a random bit.
#pragma once

#include <cstdint>
#include <span>

#include "mpc/core/block.h"
#include "mpc/core/hash.h"
#include "mpc/garble/circuit.h"

namespace ap::mpc {

/// Where the gate finds its tweaks: slot s of lane i is base + s * stride + i.
struct TweakSlots {
  std::uint64_t base;
  std::uint64_t stride;
};

/// Tweak slots one instance takes.
std::uint64_t clamp_tweaks(const ClampGate& gate);
/// Bytes of `lanes` instances.
std::size_t clamp_bytes(const ClampGate& gate, int word_bits, std::size_t lanes);

/// Garbles lanes <= kGarbleLanes instances. Wire w's labels for 0 lie at wires + w * kGarbleLanes; known[i]
/// bit j is the garbler's bit beside input wire j. Writes clamp_bytes bytes.
void garble_clamp(const ClampGate& gate, int word_bits, const Permutation& pi, const Block& delta,
                  const Block* wires, std::size_t lanes, const std::uint64_t* known,
                  const std::uint64_t* masks, TweakSlots tweaks, std::uint8_t* out);

/// Evaluates them; clear[i] bit j is the value of input wire j. Writes one word for each lane.
void evaluate_clamp(const ClampGate& gate, int word_bits, const Permutation& pi, const Block* wires,
                    std::size_t lanes, const std::uint64_t* clear, TweakSlots tweaks,
                    std::span<const std::uint8_t> in, std::uint64_t* words);

}  // namespace ap::mpc
