// Exact scaling between plaintexts modulo p = 2^k and ciphertexts modulo q, in constant time: round(q m / p)
// and round(p x / q), by multiplication with prepared reciprocals and a branch-free correction.
#pragma once

#include <cstdint>
#include <vector>

#include "ring/crt.h"

namespace ap::bfv {

/// The plaintext modulus of one operation, m -> round(q m / p) mod each prime (halves rounded up).
class ScaleUp {
 public:
  /// 1 <= log2_p <= 60 and 2^log2_p < q. @throws Error(input) otherwise.
  ScaleUp(const ring::Crt& crt, int log2_p);

  /// round(q m / p) mod prime i; m is taken mod p.
  std::uint64_t operator()(std::uint64_t m, std::size_t i) const {
    // q = high 2^k + low: the quotient is high m + round(low m / 2^k), without a word over 128 bits.
    m &= mask_;
    const Prime& prime = primes_[i];
    const auto rounded =
        static_cast<std::uint64_t>((static_cast<ring::Uint128>(low_) * m + half_) >> log2_p_);
    if (primes_.size() == 1) return m * prime.high + rounded;  // below q already
    return prime.modulus.reduce(prime.modulus.mul_shoup_lazy(m, prime.high, prime.high_shoup) + rounded);
  }

 private:
  struct Prime {
    ring::Modulus modulus;
    std::uint64_t high, high_shoup;  // floor(q / p) mod prime
  };
  std::vector<Prime> primes_;
  int log2_p_;
  std::uint64_t mask_, half_, low_;
};

class Scaling {
 public:
  explicit Scaling(const ring::Crt& crt);

  int q_bits() const { return q_bits_; }

  /// round(p x / q) mod p for x < q and p = 2^log2_p, 1 <= log2_p <= 60. (q is odd: there are no halves.)
  std::uint64_t down(ring::Uint128 x, int log2_p) const {
    // floor((2^k x + (q-1)/2) / q). With b = q_bits, top = floor(x 2^(64-b)) and reciprocal = floor(2^(b+63)
    // / q) give top * reciprocal <= 2^127 x / q, less than 2^65 below it: for k <= 60 the estimate is the
    // quotient or one less. The remainder, below 2q, is exact modulo 2^128.
    const auto top = static_cast<std::uint64_t>(q_bits_ > 64 ? x >> (q_bits_ - 64) : x << (64 - q_bits_));
    const auto estimate =
        static_cast<std::uint64_t>((static_cast<ring::Uint128>(top) * reciprocal_) >> (127 - log2_p));
    const ring::Uint128 remainder = (x << log2_p) + (q_ >> 1) - q_ * estimate;
    const std::uint64_t quotient = estimate + 1 - static_cast<std::uint64_t>((remainder - q_) >> 127);
    return quotient & ((std::uint64_t{1} << log2_p) - 1);
  }

  /// round(p x / q) mod p for q of at most 62 bits, where one word holds the remainder.
  std::uint64_t down(std::uint64_t x, int log2_p) const {
    const auto q = static_cast<std::uint64_t>(q_);
    const std::uint64_t estimate = ring::multiply_high(x << (64 - q_bits_), reciprocal_) >> (63 - log2_p);
    const std::uint64_t remainder = (x << log2_p) + (q >> 1) - q * estimate;
    const std::uint64_t quotient = estimate + 1 - ((remainder - q) >> 63);
    return quotient & ((std::uint64_t{1} << log2_p) - 1);
  }

 private:
  ring::Uint128 q_;
  int q_bits_;
  std::uint64_t reciprocal_;
};

/// @throws Error(input) unless 1 <= log2_p <= 60 and 2^log2_p < q.
void check_log2_p(const ring::Crt& crt, int log2_p);

}  // namespace ap::bfv
