// Wide, smooth, secret noise: what hides small numbers that somebody else knows, where a bound on what the sum
// tells must hold over very many sums (docs/threat-model.md, "Circuit privacy as a budget").
//
//   g = m (B + U + V - 1),   B the centred binomial of 128 coins, U and V uniform in [0, 1), in steps of 1/m
//
// The probability function of g is the binomial's, interpolated linearly between multiples of the step m: no
// edge within reach (|B| = 64 has probability 2^-127) and no jump anywhere, which is why neither uniform noise
// nor noise of few coins will do. To a shift by a small x it is as blind as a Gaussian of the same variance, up
// to the factor kWideNoiseExcess: the Kullback-Leibler divergence is at most kWideNoiseExcess x^2 / (2 sigma^2)
// for |x| <= m. Integers only, and no branch, index or division: constant time by construction.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>

#include "random/prng.h"

namespace ap {

/// Variance of g / m: that of the binomial, 128 / 4, and of the two uniforms, 2 / 12 (less 1 / (6 m^2)).
inline constexpr double kWideNoiseUnitVariance = 32 + 1.0 / 6;
/// How much more a small shift tells than under Gaussian noise; the sum of (p_(k+1) - p_k) ln(p_(k+1) / p_k) over
/// the binomial's probabilities p_k, times kWideNoiseUnitVariance, is 1.0053.
inline constexpr double kWideNoiseExcess = 1.01;
/// Largest step.
inline constexpr std::uint64_t kMaxWideNoiseStep = std::uint64_t{1} << 40;

/// Standard deviation of the noise of this step; 0 for no noise (step 0).
inline double wide_noise_sigma(std::uint64_t step) {
  return static_cast<double>(step) * std::sqrt(kWideNoiseUnitVariance);
}
/// The smallest step of at least this standard deviation, at least 1.
inline std::uint64_t wide_noise_step(double sigma) {
  const double step = std::ceil(sigma / std::sqrt(kWideNoiseUnitVariance));
  return step < 1 ? 1 : static_cast<std::uint64_t>(step);
}

/// Independent draws of g, 1 <= step <= kMaxWideNoiseStep. Takes 32 bytes of the generator for each.
void sample_wide_noise(Prng& prng, std::uint64_t step, std::span<std::int64_t> out);

}  // namespace ap
