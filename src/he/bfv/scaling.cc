#include "he/bfv/scaling.h"

#include <bit>

#include "base/error.h"

namespace ap::bfv {
namespace {

int bit_width(ring::Uint128 x) {
  const auto high = static_cast<std::uint64_t>(x >> 64);
  return high ? 64 + std::bit_width(high) : std::bit_width(static_cast<std::uint64_t>(x));
}

// floor(2^exponent / q) for exponent <= 183, one quotient bit at a time: q is public and this runs once.
std::uint64_t power_over(int exponent, ring::Uint128 q) {
  std::uint64_t quotient = 0;
  ring::Uint128 remainder = 1;
  for (int i = 0; i < exponent; ++i) {
    remainder <<= 1;
    quotient <<= 1;
    if (remainder >= q) {
      remainder -= q;
      quotient |= 1;
    }
  }
  return quotient;
}

}  // namespace

void check_log2_p(const ring::Crt& crt, int log2_p) {
  if (log2_p < 1 || log2_p > 60 || crt.product() >> log2_p == 0) {
    fail_input(
        "a plaintext modulus of 2^{} does not fit: the exponent must be 1 to 60 and below the {} bits of q",
        log2_p, bit_width(crt.product()));
  }
}

ScaleUp::ScaleUp(const ring::Crt& crt, int log2_p) : log2_p_(log2_p) {
  check_log2_p(crt, log2_p);
  mask_ = (std::uint64_t{1} << log2_p) - 1;
  half_ = std::uint64_t{1} << (log2_p - 1);
  low_ = static_cast<std::uint64_t>(crt.product()) & mask_;
  for (std::size_t i = 0; i < crt.size(); ++i) {
    const std::uint64_t high = crt.residue(crt.product() >> log2_p, i);
    primes_.push_back({crt.modulus(i), high, crt.modulus(i).shoup(high)});
  }
}

Scaling::Scaling(const ring::Crt& crt)
    : q_(crt.product()), q_bits_(bit_width(q_)), reciprocal_(power_over(q_bits_ + 63, q_)) {}

}  // namespace ap::bfv
