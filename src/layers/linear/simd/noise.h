// The noise of whole linear layers packed for SIMD, from their counts and the rules of he/bfv/batch_noise.h,
// and how often a reply then decrypts to something else.
//
// A coefficient fails when its noise exceeds q / 2p; one failed coefficient makes all N slots wrong, so the
// decryption-error rate (DER) of a layer is that of a reply. Replies are flooded with noise uniform in
// [-F, F), which is much larger than what it hides: failures begin where F plus a few deviations of the rest
// reaches q / 2p, and a relaxed DER is worth next to nothing then.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "he/bfv/batch_context.h"
#include "layers/linear/simd/conv.h"

namespace ap::noise {

/// Coefficients of one reply that have the same variance.
struct NoiseClass {
  double variance = 0;
  double coefficients = 0;
};

/// The classes of one reply; coefficients add up to N. Convolutions have one class. A rotate-and-sum over a
/// group of 2^t rotations is a trace: it leaves N / 2^t coefficients of variance 4^t V and clears the others,
/// so that the worst coefficient is 2^t times noisier than the mean.
using SimdNoise = std::vector<NoiseClass>;

/// The noise of a reply as it leaves evaluate(), at the highest level. An upper estimate where the weights
/// repeat within a row (SimdFcMethod::diagonal), because few of their coefficients are not zero then.
SimdNoise simd_noise(const linear::SimdTerms& terms, const bfv::BatchParameters& parameters);
/// That of the noisiest reply, before it is flooded; `terms` are the distinct noises of a layer's replies.
SimdNoise worst_noise(std::span<const linear::SimdTerms> terms, const bfv::BatchParameters& parameters);

/// The variance of a coefficient, averaged over all of them.
double mean_variance(const SimdNoise& noise);

/// The flooding that hides this noise: the smallest b such that `replies` replies of noise e, with U uniform
/// in [-2^b, 2^b), are together within statistical distance 2^-statistical_bits of U alone. For known e that
/// distance is at most sum |e_j| / 2^(b+1); e is averaged over the client's randomness.
int flood_bits(const SimdNoise& noise, double replies, int statistical_bits);

/// log2 of the decryption-error rate of a flooded reply that has been switched to `level` primes: union bound
/// over its N coefficients; at most 0.
double log2_der(const SimdNoise& noise, const bfv::BatchParameters& parameters, int flood_bits,
                std::size_t level);

/// log2 of P(|U + G| > threshold) with U uniform in [-flood, flood) and G Gaussian of standard deviation
/// sigma > 0; accurate to far below 2^-1000.
double log2_exceeds(double threshold, double flood, double sigma);

}  // namespace ap::noise
