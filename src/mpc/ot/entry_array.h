// Arrays of 2^w entries of `bits` bits, packed without gaps into 64-bit words (entry j at bit j bits), and
// what lookups do with them. No branch and no index depends on the numbers of entries, which are secret.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ap::mpc {

inline constexpr int kMaxLookupBits = 8;         ///< w
inline constexpr int kMaxLookupOutputBits = 16;  ///< bits of one entry

/// Bits of an array.
constexpr std::size_t entry_array_bits(int w, int bits) { return static_cast<std::size_t>(bits) << w; }
constexpr std::size_t words_of(std::size_t bits) { return (bits + 63) / 64; }

/// Room for the largest array twice.
using EntryArray =
    std::array<std::uint64_t, 2 * words_of(entry_array_bits(kMaxLookupBits, kMaxLookupOutputBits))>;

/// array >>= distance if `take` is all ones, nothing if it is zero: the lowest `kept` of its `total` words
/// become right. 0 < distance.
inline void shift_down_if(std::uint64_t take, std::size_t distance, std::size_t kept, std::size_t total,
                          std::uint64_t* words) {
  const std::size_t skip = distance / 64;
  const std::size_t shift = distance % 64;
  for (std::size_t k = 0; k < kept; ++k) {
    std::uint64_t lower = 0;
    if (k + skip < total) lower = words[k + skip] >> shift;
    if (shift != 0 && k + skip + 1 < total) lower |= words[k + skip + 1] << (64 - shift);
    words[k] ^= (words[k] ^ lower) & take;
  }
}

/// The entry of number `index` < 2^w. Overwrites the array.
inline std::uint64_t take_entry(std::uint64_t* words, int w, int bits, std::uint64_t index) {
  std::size_t total = words_of(entry_array_bits(w, bits));
  for (int i = w - 1; i >= 0; --i) {
    const std::size_t half = static_cast<std::size_t>(bits) << i;
    shift_down_if(0 - ((index >> i) & 1), half, words_of(half), total, words);
    total = words_of(half);
  }
  return words[0] & (~std::uint64_t{0} >> (64 - bits));
}

/// From an array that is there twice, one copy behind the other without a gap, to the first copy rotated:
/// entry j becomes entry j + by modulo 2^w, for by < 2^w.
inline void rotate_entries(std::uint64_t* words, int w, int bits, std::uint64_t by) {
  const std::size_t size = entry_array_bits(w, bits);
  std::size_t total = words_of(2 * size);
  for (int i = w - 1; i >= 0; --i) {
    // What the shorter distances still ask for, beside the array itself.
    const std::size_t distance = static_cast<std::size_t>(bits) << i;
    const std::size_t kept = words_of(size + distance);
    shift_down_if(0 - ((by >> i) & 1), distance, kept, total, words);
    total = kept;
  }
}

}  // namespace ap::mpc
