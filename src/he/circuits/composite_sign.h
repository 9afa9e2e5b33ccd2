// The sign as a composition of odd minimax polynomials, each on the two intervals around -1 and 1 that the one before
// leads to (Lee, Lee, No et al., 2020/834), with degrees of the least depth and then of the fewest products, by dynamic
// programming over both; and ReLU(x) = x (1 + sgn x) / 2 (Lee, Lee, Lee, Kim, Kim, No and Choi, 2105.10879).
#pragma once

#include <vector>

#include "he/circuits/chebyshev_series.h"
#include "he/circuits/evaluate_polynomial.h"

namespace ap::circuits {

struct CompositeSign {
  std::vector<ChebyshevSeries>
      stages;           ///< odd; the first on [-1, 1], the others on where the one before leads
  double smallest = 0;  ///< |sgn x - value| <= error for smallest <= |x| <= 1
  double error = 0;

  int depth() const;
  /// Products of two ciphertexts.
  int products() const;
  double operator()(double x) const;
};

/// Of the least depth, and then the fewest products, from polynomials of degrees 3 to 31.
/// @throws Error(input) unless 2^-20 <= smallest < 1 and 2^-30 <= error < 1.
CompositeSign composite_sign(double smallest, double error);

/// For |x (1 + sign(x)) / 2 - ReLU(x)| <= 2^-bits on [-1, 1], 2 <= bits <= 16.
CompositeSign sign_for_relu(int bits);
/// x (1 + sign(x / range)) / 2: within range 2^-bits for |x| <= range.
double relu(const CompositeSign& sign, double range, double x);

/// Half the sign of slots t in [-1, 1]: sign.depth() levels. t.scale() near the primes (evaluate_polynomial.h).
ckks::Ciphertext evaluate_half_sign(const ckks::Ciphertext& t, const CompositeSign& sign,
                                    const Target& target, const rlwe::RelinearisationKey& key);
/// `relu` of slots in [-range, range]: relu_depth(x, sign, range) levels.
ckks::Ciphertext evaluate_relu(const ckks::Ciphertext& x, const CompositeSign& sign, double range,
                               const Target& target, const rlwe::RelinearisationKey& key);
/// sign.depth() + 1, and one more if x.scale() times the range is not within a bit of the primes, so that x / range has to
/// be brought there by a product with a constant.
int relu_depth(const ckks::Ciphertext& x, const CompositeSign& sign, double range);

}  // namespace ap::circuits
