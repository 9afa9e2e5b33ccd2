// Reduction modulo 1, x = m + i with a small m and an integer i to m, as bootstrapping needs it (Cheon et al., 2018/153):
// sin(2 pi x) / (2 pi), by a polynomial for cos(2 pi (x - 1/4) / 2^r) and r times cos 2u = 2 cos^2 u - 1 (Han and Ki,
// 2019/688), and an arcsine where the cubic error of the sine is too large (Lee et al., 2020/552).
#pragma once

#include "he/circuits/chebyshev_series.h"
#include "he/circuits/evaluate_polynomial.h"

namespace ap::circuits {

struct ScaledCosine {
  int bound = 0;           ///< K: x in [-K, K]
  int doublings = 0;       ///< r
  ChebyshevSeries series;  ///< of cos(2 pi (x - 1/4) / 2^r); its interval contains [-K, K]

  /// Levels from x to the sine.
  int depth() const;
  /// What it gives for sin(2 pi x), in doubles.
  double operator()(double x) const;
};

/// By interpolation on all of the interval: even in x - 1/4 on [-K, K + 1/2] for even degrees (fewer products and no worse),
/// on [-K, K] for odd ones. @throws Error(input) unless 1 <= K <= 4096, 1 <= degree <= 1023, 0 <= r <= 12.
ScaledCosine scaled_cosine(int bound, int degree, int doublings);
/// By interpolation near the integers i, |i| < K, only: at nodes in [i - deviation, i + deviation], 0 < deviation < 1/2,
/// as many in each as make the largest product of distances to all nodes small (Han and Ki, 2019/688, section 4.2).
/// @throws Error(input) unless also degree >= 2 K - 2: one node for each integer.
ScaledCosine scaled_cosine_near_integers(int bound, int degree, int doublings, double deviation);

/// The largest |cosine(x) - sin(2 pi x)| for |x - i| <= deviation, |i| < K; deviation 1/2: for all |x| < K - 1/2.
double sine_error(const ScaledCosine& cosine, double deviation);

/// arcsin(y) / (2 pi) for |y| <= bound <= 1: of odd degree, by interpolation. @throws Error(input) for other arguments.
ChebyshevSeries arcsine(double bound, int degree);

/// amplitude sin(2 pi x) for slots x in [-K, K]. x.scale() times half the width of the series' interval must be near the
/// primes (see evaluate_polynomial.h). Takes cosine.depth() levels to the target; its scale is exact: the doublings' own
/// is in the amplitude, to 2^-52. @throws Error(input) as evaluate; and unless amplitude > 0.
ckks::Ciphertext evaluate_sine(const ckks::Ciphertext& x, const ScaledCosine& cosine, double amplitude,
                               const Target& target, const rlwe::RelinearisationKey& key);

}  // namespace ap::circuits
