#include "mpc/garble/clamp_gate.h"

#include <algorithm>
#include <array>

#include "base/bits.h"
#include "base/cpu.h"
#include "base/declassify.h"
#include "base/wipe_objects.h"
#include "mpc/core/hash.h"
#include "mpc/core/packed_field.h"

namespace ap::mpc {
namespace {

using Lanes = std::array<Block, kGarbleLanes>;
using Words = std::array<std::uint64_t, kGarbleLanes>;

constexpr std::size_t kMaxRows = std::size_t{2} << kMaxClampHighBits;

std::size_t row_count(const ClampGate& gate) { return std::size_t{2} << gate.high_bits; }
std::uint64_t low_mask(int bits) { return (std::uint64_t{1} << bits) - 1; }

/// Twice the block as an element of GF(2^128) = GF(2)[x] / (x^128 + x^7 + x^2 + x + 1).
Block twice(const Block& a) {
  return {(a.lo << 1) ^ ((0 - (a.hi >> 63)) & 0x87), (a.hi << 1) | (a.lo >> 63)};
}

/// pack_bits, several narrow values in one step.
void pack_rows(std::span<std::uint64_t> rows, int bits, std::uint8_t* out) {
  const auto together = static_cast<std::size_t>(kMaxWordBits / bits);
  const std::size_t groups = rows.size() / together / 8 * 8;  // eight groups end on a whole byte
  for (std::size_t g = 0; g < groups; ++g) {
    std::uint64_t joined = 0;
    for (std::size_t j = together; j-- > 0;)
      joined = (joined << bits) | (rows[g * together + j] & low_mask(bits));
    rows[g] = joined;
  }
  const int group_bits = bits * static_cast<int>(together);
  const std::size_t group_bytes = packed_bytes(groups, group_bits);
  pack_bits(rows.first(groups), group_bits, {out, group_bytes});
  const auto rest = rows.subspan(groups * together);
  pack_bits(rest, bits, {out + group_bytes, packed_bytes(rest.size(), bits)});
}

/// What the rows of the table are made from, for each lane; arrays, so that a row's loop over lanes is one of
/// vectors.
struct RowFacts {
  Words lambda;
  Words rho;           ///< of the low bits, all together
  Words guard_rho[2];  ///< of the guard, for e = 0 and 1
  Words permuted;      ///< permute bits of the index wires
  Words b;             ///< the garbler's bits from `first` on
  Words mask;
};

/// Row r of each lane: visible bits r stand for the carry and upper bits r xor permuted.
inline __attribute__((always_inline)) void row_of_lanes(const RowFacts& facts, const ClampGate& gate,
                                                        int word_bits, std::uint64_t r, const Block* pads,
                                                        std::size_t lanes, std::uint64_t* __restrict out) {
  const int m = gate.low_bits;
  const int h = gate.high_bits;
  const std::uint64_t top = low_mask(m);
  const std::uint64_t high = low_mask(h);
  const std::uint64_t word_mask = low_mask(word_bits);
  for (std::size_t i = 0; i < lanes; ++i) {
    const std::uint64_t index = r ^ facts.permuted[i];
    const std::uint64_t carry = index & 1;
    const std::uint64_t sum = ((index >> 1) + (facts.b[i] >> m) + carry) & high;
    const std::uint64_t in_range = (sum - 1) >> 63;
    const std::uint64_t above = (in_range ^ 1) & ((sum >> (h - 1)) ^ 1);
    const std::uint64_t e = in_range ^ facts.lambda[i];
    const std::uint64_t value = ((0 - in_range) & ((facts.b[i] & top) - (carry << m))) + ((0 - above) & top);
    const std::uint64_t back = (facts.rho[i] ^ (e - 1)) - (e - 1);  // rho if e, else -rho
    const std::uint64_t guard =
        facts.guard_rho[0][i] ^ ((0 - e) & (facts.guard_rho[0][i] ^ facts.guard_rho[1][i]));
    const std::uint64_t word = (value + back - guard - facts.mask[i]) & word_mask;
    out[i] = (word | (e << word_bits)) ^ pads[i].lo;
  }
}

using FillRow = void (*)(const RowFacts&, const ClampGate&, int, std::uint64_t, const Block*, std::size_t,
                         std::uint64_t*);

void fill_row_plain(const RowFacts& facts, const ClampGate& gate, int word_bits, std::uint64_t r,
                    const Block* pads, std::size_t lanes, std::uint64_t* out) {
  row_of_lanes(facts, gate, word_bits, r, pads, lanes, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void fill_row_avx2(const RowFacts& facts, const ClampGate& gate,
                                                   int word_bits, std::uint64_t r, const Block* pads,
                                                   std::size_t lanes, std::uint64_t* out) {
  row_of_lanes(facts, gate, word_bits, r, pads, lanes, out);
}
#endif

/// The wires that index the table: the carry, then the upper bits from the lowest.
Wire index_wire(const ClampGate& gate, int j) {
  return j == 0 ? gate.carry : gate.first + static_cast<Wire>(gate.low_bits + j - 1);
}

}  // namespace

std::uint64_t clamp_tweaks(const ClampGate& gate) {
  return static_cast<std::uint64_t>(gate.low_bits) + (gate.has_guard ? 4 : 2);
}

std::size_t clamp_bytes(const ClampGate& gate, int word_bits, std::size_t lanes) {
  std::size_t bytes = packed_bytes(row_count(gate) * lanes, word_bits + 1);
  if (gate.has_guard) bytes += 2 * packed_bytes(lanes, word_bits);
  for (int i = 0; i < gate.low_bits; ++i) bytes += packed_bytes(lanes, word_bits - i);
  return bytes;
}

void garble_clamp(const ClampGate& gate, int word_bits, const Permutation& pi, const Block& delta,
                  const Block* wires, std::size_t lanes, const std::uint64_t* known,
                  const std::uint64_t* masks, TweakSlots tweaks, std::uint8_t* out) {
  static const FillRow fill_row = [] {
#if defined(__x86_64__)
    if (cpu().avx2) return fill_row_avx2;
#endif
    return fill_row_plain;
  }();
  const int m = gate.low_bits;
  const int h = gate.high_bits;
  Lanes hash;
  Lanes other;
  std::uint64_t slot = 0;
  const auto next_tweak = [&] { return tweaks.base + slot++ * tweaks.stride; };
  const auto put = [&](std::span<std::uint64_t> rows, int bits) {
    pack_rows(rows, bits, out);
    out += packed_bytes(rows.size(), bits);
  };

  RowFacts facts{};
  Words& lambda = facts.lambda;
  Words& rho = facts.rho;
  Words(&guard_rho)[2] = facts.guard_rho;
  other.fill(delta);
  pi.hash(other.data(), next_tweak(), hash.data(), lanes);
  for (std::size_t i = 0; i < lanes; ++i) lambda[i] = low_bit(hash[i]);

  Words row;
  for (int j = 0; j < m; ++j) {
    const Block* x = wires + (gate.first + static_cast<Wire>(j)) * kGarbleLanes;
    const std::uint64_t tweak = next_tweak();
    for (std::size_t i = 0; i < lanes; ++i) other[i] = x[i] ^ delta;
    pi.hash(x, tweak, hash.data(), lanes);
    pi.hash(other.data(), tweak, other.data(), lanes);
    for (std::size_t i = 0; i < lanes; ++i) {
      rho[i] += hash[i].lo << j;
      row[i] = (hash[i].lo + lambda[i]) ^ other[i].lo;
    }
    put(std::span(row).first(lanes), word_bits - j);
  }

  if (gate.has_guard) {
    const Block* x = wires + gate.guard * kGarbleLanes;
    for (std::uint64_t e = 0; e < 2; ++e) {
      const std::uint64_t tweak = next_tweak();
      for (std::size_t i = 0; i < lanes; ++i) hash[i] = x[i] ^ (low_bit_mask(x[i]) & delta);
      for (std::size_t i = 0; i < lanes; ++i) other[i] = hash[i] ^ delta;
      pi.hash(hash.data(), tweak, hash.data(), lanes);
      pi.hash(other.data(), tweak, other.data(), lanes);
      for (std::size_t i = 0; i < lanes; ++i) {
        const std::uint64_t in_range = e ^ lambda[i];
        const std::uint64_t p = low_bit(x[i]);  // the value of the row with visible bit 0
        guard_rho[e][i] = hash[i].lo - (in_range & p);
        row[i] = (guard_rho[e][i] + (in_range & (p ^ 1))) ^ other[i].lo;
      }
      put(std::span(row).first(lanes), word_bits);
    }
  }

  // Keys of the row whose visible bits are all zero, and what the visible bits stand for.
  Lanes base{};
  Words& permuted = facts.permuted;
  std::array<Block, kMaxClampHighBits + 1> offsets;  // 2^j R
  for (int j = h; j >= 0; --j) {
    const Block* x = wires + index_wire(gate, j) * kGarbleLanes;
    for (std::size_t i = 0; i < lanes; ++i) {
      base[i] = twice(base[i]) ^ x[i] ^ (low_bit_mask(x[i]) & delta);
      permuted[i] = 2 * permuted[i] + low_bit(x[i]);
    }
  }
  offsets[0] = delta;
  for (std::size_t j = 1; j <= static_cast<std::size_t>(h); ++j) offsets[j] = twice(offsets[j - 1]);

  const std::uint64_t tweak = next_tweak();
  for (std::size_t i = 0; i < lanes; ++i) facts.b[i] = known[i] >> gate.first;
  std::copy_n(masks, lanes, facts.mask.begin());
  std::array<std::uint64_t, kMaxRows * kGarbleLanes> rows;
  for (std::size_t r = 0; r < row_count(gate); ++r) {
    Block offset{0, 0};
    for (std::size_t j = 0; j <= static_cast<std::size_t>(h); ++j)
      offset ^= mask_of((r >> j) & 1) & offsets[j];
    for (std::size_t i = 0; i < lanes; ++i) hash[i] = base[i] ^ offset;
    pi.hash(hash.data(), tweak, hash.data(), lanes);
    fill_row(facts, gate, word_bits, r, hash.data(), lanes, rows.data() + r * lanes);
  }
  put(std::span(rows).first(row_count(gate) * lanes), word_bits + 1);
  wipe_objects(facts, hash, other, base, offsets);
}

void evaluate_clamp(const ClampGate& gate, int word_bits, const Permutation& pi, const Block* wires,
                    std::size_t lanes, const std::uint64_t* clear, TweakSlots tweaks,
                    std::span<const std::uint8_t> in, std::uint64_t* words) {
  const int m = gate.low_bits;
  Lanes hash;
  std::uint64_t slot = 1;  // slot 0 is the garbler's lambda
  const auto next_tweak = [&] { return tweaks.base + slot++ * tweaks.stride; };
  // The evaluator's own bits choose what it reads; they are its to see.
  const auto field = [&](std::size_t index, int bits) {
    return packed_field(in, std::uint64_t{index} * static_cast<unsigned>(bits), bits);
  };

  Words low{};  // lambda a_low + rho
  for (int j = 0; j < m; ++j) {
    const int bits = word_bits - j;
    pi.hash(wires + (gate.first + static_cast<Wire>(j)) * kGarbleLanes, next_tweak(), hash.data(), lanes);
    for (std::size_t i = 0; i < lanes; ++i) {
      const std::uint64_t bit = (clear[i] >> (gate.first + static_cast<Wire>(j))) & 1;
      low[i] += (hash[i].lo ^ ((0 - bit) & field(i, bits))) << j;
    }
    in = in.subspan(packed_bytes(lanes, bits));
  }

  Words guard[2]{};
  if (gate.has_guard) {
    const Block* x = wires + gate.guard * kGarbleLanes;
    for (Words& word : guard) {
      pi.hash(x, next_tweak(), hash.data(), lanes);
      for (std::size_t i = 0; i < lanes; ++i) {
        word[i] = hash[i].lo ^ ((0 - low_bit(x[i])) & field(i, word_bits));
      }
      in = in.subspan(packed_bytes(lanes, word_bits));
    }
  }

  Words row{};
  std::fill(hash.begin(), hash.end(), Block{0, 0});
  for (int j = gate.high_bits; j >= 0; --j) {
    const Block* x = wires + index_wire(gate, j) * kGarbleLanes;
    for (std::size_t i = 0; i < lanes; ++i) {
      hash[i] = twice(hash[i]) ^ x[i];
      row[i] = 2 * row[i] + low_bit(x[i]);
    }
  }
  pi.hash(hash.data(), next_tweak(), hash.data(), lanes);
  declassify(row);  // visible bits, uniform whatever the values are
  for (std::size_t i = 0; i < lanes; ++i) {
    const std::uint64_t opened = field(row[i] * lanes + i, word_bits + 1) ^ hash[i].lo;
    const std::uint64_t e = (opened >> word_bits) & 1;
    const std::uint64_t a_low = (clear[i] >> gate.first) & low_mask(m);
    const std::uint64_t signed_low = (low[i] ^ (0 - e)) + e;  // -low if e, else low
    const std::uint64_t guard_word = guard[0][i] ^ ((0 - e) & (guard[0][i] ^ guard[1][i]));
    words[i] = (opened + signed_low + guard_word + ((0 - e) & a_low)) & low_mask(word_bits);
  }
}

}  // namespace ap::mpc
