// The rule that every parameter set must satisfy: at least 128 bits by today's estimate.
#pragma once

#include <cstdint>

#include "security/estimate.h"

namespace ap::security {

inline constexpr double kTargetBits = 128;
/// The smallest standard deviation of errors that is accepted. Errors are never shrunk to make room.
inline constexpr double kMinSigma = 3.19;

/// lambda_min for a uniform ternary secret and this system's errors, rounded down to a tenth of a bit.
double lambda_bits(std::uint32_t n, double log2_q, CostModel model = CostModel::matzov);

/// largest_log2_q for kTargetBits and kMinSigma, computed once per degree.
int max_log2_q(std::uint32_t n);

/// lambda_min for a ternary secret with `weight` coefficients that are not 0, likewise.
double lambda_bits_sparse(std::uint32_t n, double log2_q, double weight);

/// @throws Error(security) that names the limit, if a ring of degree n with modulus q and errors of standard
/// deviation sigma has less than kTargetBits.
void require_secure(std::uint32_t n, double log2_q, double sigma);
/// The same for a sparse ternary secret under which the largest modulus that is published is q.
void require_secure_sparse(std::uint32_t n, double log2_q, double sigma, double weight);

}  // namespace ap::security
