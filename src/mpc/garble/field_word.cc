#include "mpc/garble/field_word.h"

#include <algorithm>

#include "base/bits.h"
#include "base/declassify.h"
#include "base/wipe_objects.h"
#include "mpc/core/hash.h"
#include "mpc/core/packed_field.h"

namespace ap::mpc {
namespace {

__extension__ using Wide = unsigned __int128;
using Lanes = std::array<Block, kGarbleLanes>;
using Words = std::array<std::uint64_t, kGarbleLanes>;

/// value mod p for value < 2p, without a branch.
std::uint64_t reduce_once(std::uint64_t value, std::uint64_t p) {
  const std::uint64_t less = value - p;
  return less + (p & (0 - (less >> 63)));
}
std::uint64_t add(std::uint64_t x, std::uint64_t y, std::uint64_t p) { return reduce_once(x + y, p); }
std::uint64_t subtract(std::uint64_t x, std::uint64_t y, std::uint64_t p) {
  return reduce_once(x + p - y, p);
}

/// floor(h p / 2^128): as good as uniform below p, by multiplications alone.
std::uint64_t pad_of(const Block& h, std::uint64_t p) {
  const Wide high = Wide{h.hi} * p + static_cast<std::uint64_t>((Wide{h.lo} * p) >> 64);
  return static_cast<std::uint64_t>(high >> 64);
}

}  // namespace

void hash_row_keys(const Permutation& pi, const Block* x, const Block* y, const Block& delta,
                   std::uint64_t tweak, std::size_t lanes,
                   std::array<std::array<Block, kGarbleLanes>, 4>& keys) {
  const Block shifted = sigma(delta);
  for (std::size_t i = 0; i < lanes; ++i) {
    keys[0][i] = x[i] ^ (low_bit_mask(x[i]) & delta) ^ sigma(y[i] ^ (low_bit_mask(y[i]) & delta));
    keys[1][i] = keys[0][i] ^ shifted;
    keys[2][i] = keys[0][i] ^ delta;
    keys[3][i] = keys[0][i] ^ shifted ^ delta;
  }
  for (Lanes& row : keys) pi.hash(row.data(), tweak, row.data(), lanes);
}

std::size_t field_word_bytes(const Circuit& circuit, std::size_t lanes) {
  return circuit.word_gates.size() * packed_bytes(3 * lanes, circuit.word_bits) +
         packed_bytes(4 * lanes, circuit.word_bits);
}

void garble_field_word(const Circuit& circuit, const Permutation& pi, const Block& delta, const Block* wires,
                       std::size_t lanes, const std::uint64_t* masks, TweakSlots tweaks, std::uint8_t* out) {
  const std::uint64_t p = circuit.word_modulus;
  std::array<Lanes, 4> keys;
  std::array<std::uint64_t, 4 * kGarbleLanes> rows;
  Words rest{};  // what the final piece still has to take away
  std::uint64_t slot = 0;
  /// For row r of every lane: the pad and the values of the two wires where the visible bits are r.
  const auto for_rows = [&](Wire wx, Wire wy, const auto& body) {
    const Block* x = wires + wx * kGarbleLanes;
    const Block* y = wires + wy * kGarbleLanes;
    hash_row_keys(pi, x, y, delta, tweaks.base + slot++ * tweaks.stride, lanes, keys);
    for (std::size_t i = 0; i < lanes; ++i) {
      for (std::uint64_t r = 0; r < 4; ++r) {
        body(i, r, pad_of(keys[r][i], p), low_bit(x[i]) ^ (r >> 1), low_bit(y[i]) ^ (r & 1));
      }
    }
  };
  const auto put = [&](std::size_t count) {
    const std::size_t bytes = packed_bytes(count, circuit.word_bits);
    pack_bits(std::span(rows).first(count), circuit.word_bits, {out, bytes});
    out += bytes;
  };

  Words rho{};
  for (const WordGate& gate : circuit.word_gates) {
    for_rows(gate.x, gate.y,
             [&](std::size_t i, std::uint64_t r, std::uint64_t pad, std::uint64_t x, std::uint64_t y) {
               const std::uint64_t value = (x & y) << gate.shift;
               if (r == 0) {  // rows come in order
                 rho[i] = subtract(pad, value, p);
                 rest[i] = add(rest[i], rho[i], p);
               } else {
                 rows[3 * i + r - 1] = subtract(add(value, rho[i], p), pad, p);
               }
             });
    put(3 * lanes);
  }
  for (std::size_t i = 0; i < lanes; ++i) rest[i] = add(rest[i], masks[i], p);
  const auto& value = circuit.final_gate.value;
  for_rows(circuit.final_gate.x, circuit.final_gate.y,
           [&](std::size_t i, std::uint64_t r, std::uint64_t pad, std::uint64_t x, std::uint64_t y) {
             std::uint64_t chosen = 0;
             for (std::uint64_t j = 0; j < 4; ++j) {
               chosen |= value[j] & (0 - ((x ^ (j >> 1) ^ 1) & (y ^ j ^ 1) & 1));
             }
             rows[4 * i + r] = subtract(subtract(chosen, rest[i], p), pad, p);
           });
  put(4 * lanes);
  wipe_objects(keys, rest);
}

void evaluate_field_word(const Circuit& circuit, const Permutation& pi, const Block* wires, std::size_t lanes,
                         TweakSlots tweaks, std::span<const std::uint8_t> in, std::uint64_t* words) {
  const std::uint64_t p = circuit.word_modulus;
  const int bits = circuit.word_bits;
  Lanes keys;
  std::uint64_t slot = 0;
  std::fill_n(words, lanes, 0);
  /// Adds one opened row a lane. The visible bits are the evaluator's own to see, and uniform whatever the
  /// values are: an index by them is no leak.
  const auto add_pieces = [&](Wire wx, Wire wy, std::size_t count) {
    const Block* x = wires + wx * kGarbleLanes;
    const Block* y = wires + wy * kGarbleLanes;
    for (std::size_t i = 0; i < lanes; ++i) keys[i] = x[i] ^ sigma(y[i]);
    pi.hash(keys.data(), tweaks.base + slot++ * tweaks.stride, keys.data(), lanes);
    const std::size_t unsent = 4 - count;
    for (std::size_t i = 0; i < lanes; ++i) {
      std::size_t row = 2 * low_bit(x[i]) + low_bit(y[i]);
      declassify(row);
      const std::size_t at = count * i + std::max(row, unsent) - unsent;
      const std::uint64_t sent =
          row < unsent ? 0 : packed_field(in, std::uint64_t{at} * static_cast<unsigned>(bits), bits);
      const std::uint64_t piece = add(reduce_once(sent, p), pad_of(keys[i], p), p);  // sent < 2^bits < 2p
      words[i] = add(words[i], piece, p);
    }
    in = in.subspan(packed_bytes(count * lanes, bits));
  };
  for (const WordGate& gate : circuit.word_gates) add_pieces(gate.x, gate.y, 3);
  add_pieces(circuit.final_gate.x, circuit.final_gate.y, 4);
}

}  // namespace ap::mpc
