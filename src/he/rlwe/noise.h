// Average-case noise of what all schemes share, as variances of one coefficient of the phase (errors are independent
// and the secret is uniform ternary), its bound, and its exact measurement.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "he/rlwe/encrypt.h"

namespace ap::rlwe {

/// |e| <= 21 for every error: centred binomial with 42 coins.
inline constexpr double kErrorBound = 21;

/// A fresh symmetric encryption: sigma^2.
double fresh_variance();
/// A public-key encryption: sigma^2 (1 + 4 N / 3).
double public_key_variance(std::size_t n);
/// Of rounding c_0 and c_1 to integers: (1 + 2 N / 3) / 12.
double rounding_variance(std::size_t n);
/// What one key switch adds at a level: N sigma^2 D^2 / (12 P^2) for each digit D, and the rounding of the division
/// by P.
double key_switch_variance(const Parameters& parameters, std::size_t level);
/// What no key switch at a level exceeds, on no coefficient: N 21 D / (2 P) for each digit, and (1 + N) / 2.
double key_switch_bound(const Parameters& parameters, std::size_t level);
/// After `rescale` from level `from` to level `to`.
double rescaled_variance(const Parameters& parameters, double x, std::size_t from, std::size_t to);

/// The integers in (-Q/2, Q/2) with these residues (primes * N of them, as phase() returns them), rounded to double.
/// For measurements: variable time.
std::vector<double> centred_values(const Context& context, std::span<const std::uint64_t> residues,
                                   std::size_t primes);

}  // namespace ap::rlwe
