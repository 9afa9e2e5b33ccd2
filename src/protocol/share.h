// A party's additive share of a tensor: one element a word, reduced mod 2^bits of its node. Wiped when freed.
#pragma once

#include <cstdint>
#include <span>

#include "base/memory.h"

namespace ap::protocol {

using Share = SecretVector<std::uint64_t>;
using ShareView = std::span<const std::uint64_t>;

/// All ones in the low `bits` (1..64) bits.
constexpr std::uint64_t low_mask(int bits) {
  return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

/// The representative of v mod 2^bits in [-2^(bits-1), 2^(bits-1)).
constexpr std::int64_t to_signed(std::uint64_t v, int bits) {
  return static_cast<std::int64_t>(v << (64 - bits)) >> (64 - bits);
}

}  // namespace ap::protocol
