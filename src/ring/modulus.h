// Arithmetic modulo one word-sized prime: Barrett reduction and Shoup's multiplication by a prepared operand.
// Every operation on values is free of branches, divisions and table look-ups (values may be secret); the
// constructor and the functions marked "public values" are not.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

namespace ap::ring {

__extension__ typedef unsigned __int128 Uint128;
__extension__ typedef __int128 Int128;

constexpr std::uint64_t multiply_high(std::uint64_t x, std::uint64_t y) {
  return static_cast<std::uint64_t>((static_cast<Uint128>(x) * y) >> 64);
}

/// x - limit if x >= limit, else x, for x < 2^64: x - limit wraps to a larger number exactly when x < limit.
constexpr std::uint64_t subtract_if_not_below(std::uint64_t x, std::uint64_t limit) {
  return std::min(x, x - limit);
}

class Modulus {
 public:
  /// 2 <= value < 2^62. @throws Error(internal) otherwise.
  explicit Modulus(std::uint64_t value);

  std::uint64_t value() const { return value_; }
  int bits() const { return std::bit_width(value_); }

  /// x, y < value.
  std::uint64_t add(std::uint64_t x, std::uint64_t y) const { return subtract_if_not_below(x + y, value_); }
  std::uint64_t sub(std::uint64_t x, std::uint64_t y) const {
    return subtract_if_not_below(x + value_ - y, value_);
  }
  std::uint64_t negate(std::uint64_t x) const { return subtract_if_not_below(value_ - x, value_); }

  /// x mod value for any x (Barrett).
  std::uint64_t reduce(std::uint64_t x) const {
    return subtract_if_not_below(x - multiply_high(x, ratio_high_) * value_, value_);
  }
  /// z mod value for any z: the quotient floor(z floor(2^128 / value) / 2^128) is right or one too small.
  std::uint64_t reduce(Uint128 z) const {
    const auto low = static_cast<std::uint64_t>(z);
    const auto high = static_cast<std::uint64_t>(z >> 64);
    const Uint128 first = static_cast<Uint128>(low) * ratio_high_ + multiply_high(low, ratio_low_);
    const Uint128 second = static_cast<Uint128>(high) * ratio_low_ + static_cast<std::uint64_t>(first);
    const std::uint64_t quotient = high * ratio_high_ + static_cast<std::uint64_t>(first >> 64) +
                                   static_cast<std::uint64_t>(second >> 64);
    return subtract_if_not_below(low - quotient * value_, value_);
  }
  /// x mod value for a signed x of magnitude at most 2^31.
  std::uint64_t reduce_signed(std::int64_t x) const {
    return reduce(static_cast<std::uint64_t>(x + static_cast<std::int64_t>(offset_)));
  }
  std::uint64_t mul(std::uint64_t x, std::uint64_t y) const { return reduce(static_cast<Uint128>(x) * y); }

  /// floor(w 2^64 / value) for w < value: the second half of a prepared operand. Public values.
  std::uint64_t shoup(std::uint64_t w) const {
    return static_cast<std::uint64_t>((static_cast<Uint128>(w) << 64) / value_);
  }
  /// x w mod value, plus value or not: in [0, 2 value) for any x.
  std::uint64_t mul_shoup_lazy(std::uint64_t x, std::uint64_t w, std::uint64_t w_shoup) const {
    return x * w - multiply_high(x, w_shoup) * value_;
  }
  std::uint64_t mul_shoup(std::uint64_t x, std::uint64_t w, std::uint64_t w_shoup) const {
    return subtract_if_not_below(mul_shoup_lazy(x, w, w_shoup), value_);
  }

  /// Public values.
  std::uint64_t pow(std::uint64_t base, std::uint64_t exponent) const;
  /// The inverse of x != 0; value must be prime. Public values.
  std::uint64_t inverse(std::uint64_t x) const { return pow(x, value_ - 2); }

 private:
  std::uint64_t value_;
  std::uint64_t ratio_high_, ratio_low_;  // floor(2^128 / value)
  std::uint64_t offset_;                  // the smallest multiple of value that is at least 2^31
};

}  // namespace ap::ring
