// What CKKS adds to the noise model of he/rlwe: variances of one coefficient of the phase, average case (errors
// independent, secret uniform ternary, coefficients of plaintexts of both kinds independent and centred), and what they
// mean for a slot.
#pragma once

#include <cstddef>

#include "he/ckks/scale.h"
#include "he/rlwe/noise.h"

namespace ap::ckks {

/// Of rounding an encoding to integers.
inline constexpr double kEncodingVariance = 1.0 / 12;

/// Standard deviation of the error of one slot, complex: sqrt(N variance) / scale. Of its real part alone: over sqrt 2.
double slot_deviation(std::size_t n, double variance, const Scale& scale);
/// Bits after the point that survive: -log2 of the standard deviation of the real part.
double precision_bits(std::size_t n, double variance, const Scale& scale);

/// x + y, or x - y.
inline double sum_variance(double x, double y) { return x + y; }
/// x times a plaintext: x's noise under the plaintext's coefficients (norm2 the sum of their squares), and the
/// plaintext's rounding under the message's (message_norm2 likewise). An exact plaintext: rounding 0.
double plain_product_variance(double x, double message_norm2, double plain_norm2,
                              double plain_rounding = kEncodingVariance);
/// x y for messages with these sums of squared coefficients.
double product_variance(std::size_t n, double x, double x_norm2, double y, double y_norm2);
/// The sum of squared coefficients of a message whose slots have this mean square, at this scale.
double norm2(double slot_mean_square, const Scale& scale);
/// multiply_rescale of two ciphertexts at `level`, from the variance of the product (product_variance): what
/// relinearisation adds and the noise itself are divided by the last prime, and one rounding is added.
double multiply_rescale_variance(const rlwe::Parameters& parameters, std::size_t level, double product);

}  // namespace ap::ckks
