// Residues modulo several primes <-> one integer below their product (the Chinese remainder theorem), for
// products below 2^120. Constant time in the values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ring/modulus.h"

namespace ap::ring {

class Crt {
 public:
  /// Distinct primes with a product below 2^120. @throws Error(internal) otherwise.
  explicit Crt(std::span<const std::uint64_t> primes);

  Uint128 product() const { return product_; }
  std::size_t size() const { return parts_.size(); }
  const Modulus& modulus(std::size_t i) const { return parts_[i].prime; }

  /// The x in [0, product) with x mod prime[i] = residues[i * stride].
  Uint128 compose(const std::uint64_t* residues, std::size_t stride) const {
    if (parts_.size() == 1) return residues[0];
    // x = sum_i (x_i (Q/q_i)^-1 mod q_i) Q/q_i, which is below size * Q.
    Uint128 sum = 0;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const Part& part = parts_[i];
      sum += part.prime.mul_shoup(residues[i * stride], part.inverse, part.inverse_shoup) * part.cofactor;
    }
    for (std::size_t i = 1; i < parts_.size(); ++i) sum = subtract_if_not_below(sum, product_);
    return sum;
  }
  /// x mod prime[i].
  std::uint64_t residue(Uint128 x, std::size_t i) const { return parts_[i].prime.reduce(x); }

  /// x - limit if x >= limit, else x; x, limit < 2^127.
  static Uint128 subtract_if_not_below(Uint128 x, Uint128 limit) {
    const Uint128 difference = x - limit;
    const Uint128 below = static_cast<Uint128>(0) - (difference >> 127);  // all ones if x < limit
    return difference + (limit & below);
  }

 private:
  struct Part {
    Modulus prime;
    Uint128 cofactor;                      // Q / prime
    std::uint64_t inverse, inverse_shoup;  // (Q / prime)^-1 mod prime
  };
  std::vector<Part> parts_;
  Uint128 product_ = 1;
};

}  // namespace ap::ring
