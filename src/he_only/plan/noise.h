// What noise is expected in the slots of every step, average case, and the noise on answers that hides what of it depends on
// the weights.
#pragma once

#include <cstdint>
#include <vector>

#include "he_only/plan/program.h"

namespace ap::he_only {

/// Variances of the real part of a slot's error, by step (after a bootstrap, where there is one), averaged over all slots.
/// @param mean_squares  of slots, by step; at most 1
std::vector<double> slot_variances(const Structure& structure, const ShapedNetwork& shaped,
                                   const Choices& choices, const Program& program,
                                   const std::vector<double>& mean_squares);

/// The same of one coefficient, in units of the integers that ciphertexts hold.
double coefficient_variance(std::uint32_t n, double slot_variance, const ckks::Scale& scale);

/// The model's variances may be exceeded by this factor: what is hidden is taken to be so much larger.
inline constexpr double kNoiseMargin = 4;

/// Bits of relative entropy for each weight by which all answers together may differ from answers whose noise depends on
/// nothing: half of log2(1 + 1/100), the measure of the hybrid protocol (docs/threat-model.md).
inline constexpr double kBitsPerWeight = 0.0072;

/// The smallest step of noise on each of the `coefficients` of an answer for which `inferences` answers keep kBitsPerWeight for
/// each of `weights`, whose own noise has this variance; kMaxWideNoiseStep if that does not suffice.
std::uint64_t flood_step(double coefficients, double variance, double inferences, double weights);
/// The bits of relative entropy for each weight that a step of noise keeps; the inverse of the above.
double bits_per_weight(std::uint64_t flood_step, double coefficients, double variance, double inferences,
                       double weights);

}  // namespace ap::he_only
