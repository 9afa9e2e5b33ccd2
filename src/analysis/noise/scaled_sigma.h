// Scaled-sigma sampling (Sun, Li, Liu, Luo, Gu, IEEE TCAD 2015): the probability of a rare failure from runs in
// which every standard deviation is multiplied by s > 1, so that failures are frequent:
//
//     ln P(s) = alpha + beta ln s + gamma / s^2,     wanted: ln P(1) = alpha + gamma.
//
// The noise of a linear layer is homogeneous in its errors, so multiplying all sigmas by s is dividing the
// threshold by s: one set of samples serves every s. It checks the closed form of layers/linear/noise_model.h on samples of
// real ciphertexts; the planner itself uses the closed form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ap::noise {

/// Failures counted at one scale.
struct ScaledCount {
  double scale = 1;
  std::uint64_t failures = 0, samples = 0;
};

struct ScaledSigmaFit {
  double alpha = 0, beta = 0, gamma = 0;  ///< natural logarithms
  double log2_failure = 0;                ///< log2 P(1)
  /// 95 % confidence interval from the counting errors alone (not from that of the model).
  double log2_low = 0, log2_high = 0;
};

/// Weighted least squares with weights samples P / (1 - P), the inverse variances of ln P. Scales without
/// failures, or at which everything fails, tell nothing and are left out. The scales must be independent for
/// the interval to hold.
/// @throws Error(input) if fewer than four scales remain.
ScaledSigmaFit fit_scaled_sigma(std::span<const ScaledCount> counts);

/// The scales used by default: where a failure of about 2^log2_guess at s = 1 becomes 2^-2 to 2^-9.
std::vector<double> default_scales(double log2_guess, std::size_t count = 6);

/// Counts |sample| > threshold / s for every scale s. Each scale gets its own share of the samples (one in
/// `scales.size()`, interleaved), so that counts are independent.
std::vector<ScaledCount> count_scaled(std::span<const double> samples, double threshold,
                                      std::span<const double> scales);

}  // namespace ap::noise
