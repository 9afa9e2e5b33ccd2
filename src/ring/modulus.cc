#include "ring/modulus.h"

#include "base/error.h"

namespace ap::ring {

Modulus::Modulus(std::uint64_t value) : value_(value) {
  AP_ASSERT(value >= 2 && value < (std::uint64_t{1} << 62));
  // floor((2^128 - 1) / value) differs from floor(2^128 / value) only for powers of two, and is then one too
  // small, which Barrett's reduction tolerates.
  const Uint128 ratio = ~static_cast<Uint128>(0) / value;
  ratio_high_ = static_cast<std::uint64_t>(ratio >> 64);
  ratio_low_ = static_cast<std::uint64_t>(ratio);
  offset_ = ((std::uint64_t{1} << 31) + value - 1) / value * value;
}

std::uint64_t Modulus::pow(std::uint64_t base, std::uint64_t exponent) const {
  std::uint64_t result = 1 % value_;
  std::uint64_t square = reduce(base);
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = mul(result, square);
    square = mul(square, square);
  }
  return result;
}

}  // namespace ap::ring
