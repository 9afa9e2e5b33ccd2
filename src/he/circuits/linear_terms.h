// Sums of constants times ciphertexts, straight into a sum of given scale: each constant is rounded once, at the scale
// that its term lacks. For constants of up to 2^120 with their scale, which sums before rescaling need.
#pragma once

#include <span>

#include "he/ckks/plaintext.h"
#include "he/rlwe/key_switch.h"

namespace ap::circuits {

struct LinearTerm {
  const ckks::Ciphertext* x = nullptr;  ///< degree 1, at least as many primes as the sum
  double factor = 0;
};

/// sum += sum_k factor_k x_k. Each factor becomes round(factor sum.scale() / x_k.scale()).
/// @throws Error(input) if that is not below 2^120.
void add_terms(ckks::Ciphertext& sum, std::span<const LinearTerm> terms);
/// Every slot += value, rounded to a multiple of 1 / sum.scale(). @throws Error(input) as above.
void add_wide_constant(ckks::Ciphertext& sum, double value);

/// relinearised if it is of degree 2, and divided by the last prime of the level with rounding.
ckks::Ciphertext rescaled_sum(const ckks::Ciphertext& sum, const rlwe::RelinearisationKey& key);

/// A positive double, exactly. @throws Error(input) if it is not positive and finite.
ckks::Scale exact_scale(double x);

}  // namespace ap::circuits
