// The automorphisms f(X) -> f(X^g) of Z[X]/(X^n + 1), g odd modulo 2n: the Galois group of the 2n-th cyclotomic field,
// Z_2n^* = <-1> x <5> (= <-1> x <3>). On coefficients they move and negate; on the values of a transform (ring/ntt.h)
// they permute. Group elements are public; run time depends on them and not on values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ring/modulus.h"

namespace ap::ring {

/// The map on polynomials in NTT form. In bit-reversed order eight neighbours stay together: block k comes from block
/// `block[k]` with its lanes in the order lanes[turn[k]].
struct Automorphism {
  /// n a power of two from 16 on; `element` odd, below 2n.
  Automorphism(std::size_t n, std::uint32_t element);
  std::vector<std::uint32_t> block;
  std::vector<std::uint8_t> turn;
  std::array<std::array<std::uint64_t, 8>, 8> lanes;
};

/// The map on n coefficients below q, natural order: coefficient i goes to i g mod 2n, and to the negative of the one
/// n below it from n on. `out` must not be `x`.
void apply_to_coefficients(std::span<const std::uint64_t> x, std::uint32_t element, const Modulus& q,
                           std::span<std::uint64_t> out);

/// base^exponent modulo 2n: compositions of one automorphism with itself. n a power of two.
std::uint32_t element_power(std::uint32_t base, std::uint64_t exponent, std::size_t n);
/// The element of the inverse automorphism.
std::uint32_t inverse_element(std::uint32_t element, std::size_t n);

}  // namespace ap::ring
