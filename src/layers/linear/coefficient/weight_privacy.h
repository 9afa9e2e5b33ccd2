// How much of a layer's weights the errors of its results tell a client that knows its own encryption errors,
// and the server's noise that keeps it small. Proof and definitions: docs/threat-model.md, "Circuit privacy
// as a budget".
//
// An opened value carries round(p/q (X + g) - psi) beside what it should: X = <e, w> is linear in the weights
// with coefficients e that the client drew, g the server's own noise, psi uniform in [-1/2, 1/2) and known to
// the client. A weight meets `reads` such values in each of T inferences, so the signal-to-noise ratio of one
// weight is
//
//   snr = T reads V_e w^2 I(error_std) / sigma^2,     V_e = sigma_e^2 + 1/12, sigma of g, error_std = p sigma / q,
//
// and what T inferences show differs from the same with ideal results by at most snr / (2 ln 2) bits of
// relative entropy (Kullback-Leibler divergence) a weight. I is the
// part of the information that rounding to whole units leaves (rounded_information): nearly all where
// error_std is above 1, and 1.8 error_std where errors are rare.
#pragma once

#include <cstdint>

namespace ap::noise {

/// The largest signal-to-noise ratio of a weight, over all inferences together.
inline constexpr double kWeightSnr = 0.01;
/// T unless the owner says otherwise.
inline constexpr std::uint64_t kDefaultInferences = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxInferences = std::uint64_t{1} << 40;

/// Fisher information about a small shift of Gaussian noise of standard deviation `error_std` that is left
/// after the sum was rounded to an integer with a uniform, known offset; 1 is all of it. Rises with
/// error_std.
double rounded_information(double error_std);

/// What a layer exposes.
struct WeightExposure {
  std::uint64_t inferences = 0;  ///< T
  std::uint64_t reads = 1;       ///< linear::Layout::reads_of_a_weight
  double largest_weight = 0;     ///< magnitude
  double weight_norm2 = 0;       ///< of all weights behind a reply (noise::ReplyNoise)
};

/// The noise is at least so many standard deviations of X wide, whatever the rule asks: up to half its own
/// deviation a shift tells no more than the quadratic term of the divergence says, and more than five of X's
/// are never met.
inline constexpr double kLeastWidth = 10;
/// Whether noise of this step is at least kLeastWidth wide against what it hides.
bool wide_enough(const WeightExposure& exposure, std::uint64_t noise_step);

/// snr of the largest weight, for noise of this step (random/wide_noise.h) and error_std = p sigma / q.
double weight_snr(const WeightExposure& exposure, std::uint64_t noise_step, double error_std);
/// The smallest step at which snr is at most kWeightSnr wherever the noise has at most this error_std, and
/// that is wide enough; 0 if T is 0.
/// @throws Error(input) if that is above kMaxWideNoiseStep.
std::uint64_t noise_step(const WeightExposure& exposure, double error_std);
/// The relative entropy that an snr stands for, in bits a weight (snr / 2 nats).
double bits_per_weight(double snr);

/// The smallest 2^(k / 4) that is not below the value, 0 for 0: how finely a package may say what was
/// computed from the weights.
double quarter_octave(double value);

}  // namespace ap::noise
