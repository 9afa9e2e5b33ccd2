// Polynomials for activations by least squares under the distribution of their inputs: of a normal distribution this is
// the series in Hermite's polynomials (the layer-wise fits of OLA, 2024), of a histogram any calibration data. The result
// stands in Chebyshev's basis on the range that ciphertexts may have.
#pragma once

#include <span>
#include <vector>

#include "he/circuits/chebyshev_series.h"

namespace ap::circuits {

/// Inputs that the error is averaged over: points with weights of sum 1, many enough that sums are integrals.
struct Distribution {
  std::vector<long double> points, weights;
};

/// Normal, cut at 12 standard deviations from the mean. Quadrature between `kinks`, where the function that is to be
/// fitted or a derivative jumps. @throws Error(input) unless deviation > 0.
Distribution normal_distribution(double mean, double deviation, std::span<const double> kinks = {});
/// counts[i] of inputs in [edges[i], edges[i + 1]], uniform in each. @throws Error(input) unless edges ascend, there is one
/// more of them than of counts, and counts are not negative and not all zero.
Distribution histogram_distribution(std::span<const double> edges, std::span<const double> counts,
                                    std::span<const double> kinks = {});

struct Fit {
  ChebyshevSeries polynomial;  ///< on the range
  double squared_error = 0;    ///< the mean of (p(x) - f(x))^2 under the distribution
  double largest_error = 0;    ///< on the range
};

/// The polynomial of that degree with the least mean squared error; the distribution is not cut to [low, high].
/// @throws Error(input) unless low < high, 0 <= degree <= 64, and the distribution has more points than that.
Fit fit(const Function& f, const Distribution& distribution, int degree, double low, double high);

/// E[f(mean + deviation u) He_k(u)] / k! for k = 0 .. degree and u standard normal: f is nearest to sum_k c_k He_k(u), with
/// He_0 = 1, He_1 = u, He_(k+1) = u He_k - k He_(k-1). @throws Error(input) as above.
std::vector<double> hermite_coefficients(const Function& f, double mean, double deviation, int degree,
                                         std::span<const double> kinks = {});

}  // namespace ap::circuits
