// Small signed polynomials (secrets and errors) and their residues.
#pragma once

#include <span>

#include "base/memory.h"
#include "he/bfv/scheme.h"
#include "ring/modulus.h"

namespace ap::bfv {

/// x mod q for |x| < q, without a branch.
inline std::uint64_t small_residue(std::int8_t x, std::uint64_t q) {
  const auto wide = static_cast<std::int64_t>(x);
  return static_cast<std::uint64_t>(wide) + (q & static_cast<std::uint64_t>(wide >> 63));
}

/// `count` fresh errors, or zeros for ErrorSource::none_for_tests.
inline SecretVector<std::int8_t> draw_errors(std::size_t count, Prng& prng, ErrorSource source) {
  SecretVector<std::int8_t> errors(count);
  if (source == ErrorSource::centred_binomial) sample_error(prng, errors);
  return errors;
}

/// A ternary polynomial in NTT form modulo every prime.
SecretVector<std::uint64_t> draw_ternary(const Context& context, Prng& prng);

/// from_and_to -= x y, pointwise modulo prime i (all in NTT form, n values).
void subtract_product(const Context& context, std::size_t i, std::span<const std::uint64_t> x,
                      std::span<const std::uint64_t> y, std::span<std::uint64_t> from_and_to);

}  // namespace ap::bfv
