// Polynomials that could stand for one activation, with the mean squared error of each under the measured distribution of
// its inputs (OLA, arXiv 2310.10349: weighted least squares).
#pragma once

#include <array>
#include <span>
#include <vector>

#include "analysis/approximation/calibration.h"
#include "plan/approximation/approximation_plan.h"

namespace ap::approximation {

/// The degrees worth having for functions that are x / 2 and an even part: for each depth the largest, and cheaper ones.
inline constexpr std::array<int, 8> kDegrees = {2, 4, 6, 8, 10, 14, 22, 30};

/// What errors are weighted with when a polynomial is fitted. The error that is stated is always the one under the measured
/// histogram.
struct FitWeights {
  enum class Shape {
    normal,     ///< of the measured mean and variance, as OLA has it
    histogram,  ///< the measured one
  };
  Shape shape = Shape::histogram;
  /// Normal: r, the deviation is so many times the measured one, for inputs that are rare in calibration.
  double widening = 1;
  /// Histogram: this part of the weight is spread evenly over [-bound, bound], for the same purpose.
  double uniform_part = 0;
};

struct Candidate {
  plan::ApproximateActivation activation;
  int products = 0;          ///< of two ciphertexts
  double squared_error = 0;  ///< E_i: mean of (p(x) - f(x))^2 under the measured histogram
  double largest_error = 0;  ///< on [-bound, bound]
};

/// Whether the activation is x / 2 and an even function, so that only even powers of its polynomial are needed: ReLU, GELU
/// and SiLU are.
bool is_half_even(const nn::Op& op);

/// The best polynomial of that degree for node `d.node` on [-bound, bound]; even degrees for functions that are half even.
/// @throws Error(input) unless bound is positive and the degree is 1 to 64.
Candidate fit_polynomial(const nn::Graph& graph, const InputDistribution& d, int degree, double bound,
                         const FitWeights& weights = {});
/// The composite ReLU of so many bits, 2 to 16. @throws Error(input) if the node is not a ReLU.
Candidate composite_relu(const nn::Graph& graph, const InputDistribution& d, int bits, double bound);

/// Mean of (p(x) - f(x))^2 under the measured histogram.
double squared_error(const plan::ApproximateActivation& p, const nn::Op& op, const InputDistribution& d);

}  // namespace ap::approximation
