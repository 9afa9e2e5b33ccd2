// A party's additive share of a tensor, one element a word, and what it is taken modulo.
#pragma once

#include <bit>
#include <cstdint>
#include <span>

#include "base/memory.h"
#include "ring/modulus.h"

namespace ap::protocol {

/// Reduced modulo the modulus of its node. Wiped when freed.
using Share = SecretVector<std::uint64_t>;
using ShareView = std::span<const std::uint64_t>;

/// All ones in the low `bits` (1..64) bits.
constexpr std::uint64_t low_mask(int bits) {
  return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

/// What the shares of a tensor are taken modulo: 2^bits, or a prime where layers pack for SIMD. Nothing here
/// branches on a value or divides by one; what Barrett's reduction needs is computed once.
class ShareModulus {
 public:
  /// 2 <= value < 2^62.
  explicit ShareModulus(std::uint64_t value) : modulus_(value) {}
  static ShareModulus power_of_two(int bits) { return ShareModulus(std::uint64_t{1} << bits); }

  std::uint64_t value() const { return modulus_.value(); }
  /// Width of an element in a message.
  int bits() const { return std::bit_width(value() - 1); }

  std::uint64_t reduce(std::uint64_t x) const { return modulus_.reduce(x); }
  std::uint64_t from_signed(std::int64_t x) const {
    const std::uint64_t sign = 0 - (static_cast<std::uint64_t>(x) >> 63);
    const std::uint64_t residue = modulus_.reduce((static_cast<std::uint64_t>(x) ^ sign) - sign);
    return (modulus_.negate(residue) & sign) | (residue & ~sign);
  }
  /// x, y < value.
  std::uint64_t add(std::uint64_t x, std::uint64_t y) const { return modulus_.add(x, y); }
  std::uint64_t subtract(std::uint64_t x, std::uint64_t y) const { return modulus_.sub(x, y); }
  std::uint64_t multiply(std::uint64_t x, std::uint64_t y) const { return modulus_.mul(x, y); }
  /// The representative of x < value in [-value/2, value/2).
  std::int64_t to_signed(std::uint64_t x) const {
    const std::uint64_t half = (value() + 1) / 2;
    const std::uint64_t above = 0 - ((half - 1 - x) >> 63);
    return static_cast<std::int64_t>(x - (value() & above));
  }

 private:
  ring::Modulus modulus_;
};

}  // namespace ap::protocol
