// The noise of a coefficient-packed linear layer after approximate re-sharing, and what it does to the
// result. Every variance is that of one coefficient of the phase c0 + c1 s, in units of 1 (q is the modulus).
#pragma once

#include <cstddef>
#include <cstdint>

namespace ap::noise {

/// What the noise of one reply depends on.
struct ReplyNoise {
  std::uint32_t n = 0;
  /// Sum of squares of all weight coefficients of the polynomials behind the reply. With M outputs in one
  /// product these are the weights of all M outputs: an upload carries noise in every coefficient, and each
  /// output collects it from the whole product, also where the tensor is zero.
  double weight_norm2 = 0;
  double sigma = 0;                              ///< standard deviation of fresh errors
  int c0_dropped_bits = 0, c1_dropped_bits = 0;  ///< low bits that the reply drops from c0 and c1
  std::uint64_t noise_step = 0;                  ///< of the server's own noise in c0 (random/wide_noise.h)
};

/// Variance from the uploads: (sigma^2 + 1/12) |w|^2. The 1/12 is the rounding of q m / p (m uniform).
double upload_variance(const ReplyNoise& reply);
/// Variance from the fresh public-key encryption of zero: sigma^2 (1 + 4 n / 3), all secrets ternary.
double rerandomisation_variance(const ReplyNoise& reply);
/// Variance from the dropped bits: E(d0) + 2 n / 3 E(d1) with E(d) = (4^d + 2) / 12, the mean square of the
/// error of rounding an integer to a multiple of 2^d, and E(0) = 0.
double dropping_variance(std::uint32_t n, int c0_dropped_bits, int c1_dropped_bits);
/// Variance of the server's own noise.
double server_variance(const ReplyNoise& reply);
/// The variance of the whole: the sum of its four parts.
double variance(const ReplyNoise& reply);

/// error_std: the standard deviation of p e / q, the noise in units of the last place of the result.
double error_std(double variance, double log2_q, int log2_p);
/// The smallest log2 q with at most this error_std.
double log2_q_for_error_std(double variance, int log2_p, double error_std);

// Even without noise the two shares are rounded separately. With delta = p e / q their sum is off by delta
// rounded up or down at random with mean delta: nothing when delta = 0, else -1, 0 or +1 while |delta| < 1.

/// Standard deviation of the error of a share sum: sqrt(error_std^2 + 1/6) for error_std above about 1/2,
/// exact below too.
double deviation_std(double error_std);
/// Probability that a share sum is not exact: about 0.8 error_std for small error_std.
double deviation_probability(double error_std);

/// log2 of the probability that one coefficient fails, |e| > q / (2p), for Gaussian e. Accurate to far below
/// 2^-1000.
double log2_failure(double variance, double log2_q, int log2_p);
/// log2 of the union bound over `count` events of probability 2^log2_each; at most 0.
double log2_union(double log2_each, double count);
/// The smallest log2 q at which `count` coefficients fail with probability at most 2^log2_target together.
/// @throws Error(input) unless log2_target < 0, count >= 1 and the variance is positive.
double log2_q_for_failure(double variance, int log2_p, double log2_target, double count);

/// log2 of erfc(x), x >= 0.
double log2_erfc(double x);

struct DroppedBits {
  int c0_dropped_bits = 0, c1_dropped_bits = 0;
};
/// The dropped bits that save most in a reply of `read` coefficients of c0 and n of c1 with at most `budget`
/// variance. At least one bit of each stays.
DroppedBits choose_dropped_bits(std::uint32_t n, std::size_t read, double log2_q, double budget);

}  // namespace ap::noise
