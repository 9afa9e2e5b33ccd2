#include "analysis/noise/interval.h"

#include <cmath>

#include "base/error.h"

namespace ap::noise {
namespace {

// The continued fraction of the incomplete beta function (NIST DLMF 8.17.22) by Lentz's method; converges fast
// for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto nonzero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / nonzero(1 - (a + b) * x / (a + 1)), value = d;
  for (int m = 1; m <= 10000; ++m) {
    for (const bool odd : {false, true}) {
      const double term = odd ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
                              : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
      d = 1 / nonzero(1 + term * d);
      c = nonzero(1 + term / c);
      value *= c * d;
    }
    if (std::abs(c * d - 1) < 1e-15) break;
  }
  return value;
}

// The x with I_x(a, b) = wanted; I grows with x.
double beta_quantile(double a, double b, double wanted) {
  double low = 0, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (incomplete_beta(a, b, middle) < wanted ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

Proportion clopper_pearson(double successes, double trials, double confidence) {
  if (!(trials > 0 && successes >= 0 && successes <= trials && confidence > 0 && confidence < 1)) {
    fail_input("there is no {} confidence interval for {} successes in {} trials", confidence, successes,
               trials);
  }
  const double tail = (1 - confidence) / 2;
  Proportion p;
  if (successes > 0) p.low = beta_quantile(successes, trials - successes + 1, tail);
  if (successes < trials) p.high = beta_quantile(successes + 1, trials - successes, 1 - tail);
  return p;
}

}  // namespace ap::noise
