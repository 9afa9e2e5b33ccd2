// The 128-bit block that wire labels, OT messages and hash values are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ap::mpc {

/// 128 bits, little endian: bit 0 of `lo` is the permute bit of a wire label.
struct alignas(16) Block {
  std::uint64_t lo;
  std::uint64_t hi;
  friend bool operator==(const Block&, const Block&) = default;
};
static_assert(sizeof(Block) == 16);

/// The 128 bits of a block as one vector register, so that the operators below are single instructions.
/// (Emscripten's library lacks std::bit_cast, its compiler does not.)
using BlockVector = std::uint64_t __attribute__((vector_size(16)));

inline Block operator^(const Block& a, const Block& b) {
  return __builtin_bit_cast(Block, __builtin_bit_cast(BlockVector, a) ^ __builtin_bit_cast(BlockVector, b));
}
inline Block operator&(const Block& a, const Block& b) {
  return __builtin_bit_cast(Block, __builtin_bit_cast(BlockVector, a) & __builtin_bit_cast(BlockVector, b));
}
inline Block& operator^=(Block& a, const Block& b) { return a = a ^ b; }

inline std::uint64_t low_bit(const Block& a) { return a.lo & 1; }

/// All ones if `bit` (0 or 1) is set, else zero. Choosing by AND keeps branches free of secrets.
inline Block mask_of(std::uint64_t bit) { return {0 - bit, 0 - bit}; }
inline Block low_bit_mask(const Block& a) { return mask_of(low_bit(a)); }

/// The linear orthomorphism sigma(l || r) = (l xor r) || l of Guo, Katz, Wang, Yu (eprint 2019/074,
/// section 7.3): x -> sigma(x) and x -> sigma(x) xor x are both one-to-one.
inline Block sigma(const Block& a) { return {a.hi, a.hi ^ a.lo}; }

inline Block load_block(const std::uint8_t* bytes) {
  Block a;
  std::memcpy(&a, bytes, sizeof a);
  return a;
}
inline void store_block(std::uint8_t* bytes, const Block& a) { std::memcpy(bytes, &a, sizeof a); }

}  // namespace ap::mpc
