// Confidence intervals of a measured proportion.
#pragma once

namespace ap::noise {

struct Proportion {
  double low = 0, high = 1;
};

/// Clopper and Pearson's exact interval (Biometrika 1934) for `successes` of `trials`: covers the truth with at
/// least probability `confidence`. `successes` need not be whole (a mean over repetitions).
/// @throws Error(input) unless 0 <= successes <= trials, trials > 0 and 0 < confidence < 1.
Proportion clopper_pearson(double successes, double trials, double confidence = 0.95);

/// The regularised incomplete beta function I_x(a, b), a, b > 0, 0 <= x <= 1.
double incomplete_beta(double a, double b, double x);

}  // namespace ap::noise
