// The primal attacks, uSVP and BDD (docs/security.md).
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "security/reduction.h"

namespace ap::security {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Smallest lattice dimension d >= n at which block size beta finds the planted vector, if any: the smaller
// root of a quadratic in d (docs/security.md, primal uSVP).
std::optional<double> dimension_for(const Instance& x, double beta) {
  const double delta = log2_delta(beta);
  const double log_sigma = std::log2(x.sigma);
  const double log_xi = std::log2(x.sigma / secret_sigma(x));
  const double a = -delta;
  const double b = delta * (2 * beta - 1) + x.log2_q - std::log2(x.sigma * std::sqrt(beta));
  const double c = log_sigma + x.n * log_xi - (x.n + 1) * x.log2_q;
  const double discriminant = b * b - 4 * a * c;
  if (discriminant < 0) return std::nullopt;
  const double smaller = (-b + std::sqrt(discriminant)) / (2 * a);
  const double larger = (-b - std::sqrt(discriminant)) / (2 * a);
  const double d = std::max(std::ceil(smaller), x.n);
  if (d > larger) return std::nullopt;
  return d;
}

double log2_ball(double k) {
  return k / 2 * std::log2(std::numbers::pi) - std::lgamma(k / 2 + 1) / std::numbers::ln2;
}

// BKZ-beta in dimension d, then an SVP call in the smallest projected block that holds the planted vector.
double bdd_cost(const Instance& x, CostModel model, double beta, double d) {
  const double delta = log2_delta(beta);
  const double log_xi = std::log2(x.sigma / secret_sigma(x));
  const double volume = (d - x.n) * x.log2_q + x.n * log_xi;
  const auto fits = [&](double i) {
    const double rank = d - i;
    const double block = rank / d * volume - i * rank * delta;
    const double gaussian_heuristic = (block + std::log2(x.sigma) - log2_ball(rank + 1)) / (rank + 1);
    return gaussian_heuristic < std::log2(x.sigma * std::sqrt(rank + 1));
  };
  // fits() turns true once as i grows: the last vectors of a reduced basis are short.
  double low = 0, high = d - 1;
  if (!fits(high)) return kInfinity;
  while (low < high) {
    const double middle = std::floor((low + high) / 2);
    if (fits(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  const double svp = d - low + 2;
  return log2_add(log2_bkz(model, beta, d), log2_bkz(model, svp, svp));
}

}  // namespace

double usvp(const Instance& x, CostModel model, int* block) {
  int low = 40, high = kMaxBlock;
  if (!dimension_for(x, high)) return kInfinity;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (dimension_for(x, middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  // A slightly larger block may need a much smaller dimension.
  double best = kInfinity;
  for (int beta = low; beta <= std::min(low + 12, kMaxBlock); ++beta) {
    if (const auto d = dimension_for(x, beta)) {
      const double cost = log2_bkz(model, beta, *d);
      if (cost < best) {
        best = cost;
        if (block) *block = beta;
      }
    }
  }
  return best;
}

double bdd(const Instance& x, CostModel model, int usvp_block) {
  const double log_xi = std::log2(x.sigma / secret_sigma(x));
  double best = kInfinity;
  for (int beta = std::max(40, usvp_block - 80); beta <= usvp_block; ++beta) {
    const double optimal = std::sqrt(x.n * (x.log2_q - log_xi) / log2_delta(beta));
    for (double shrink = 1; shrink > 0.9; shrink -= 0.02) {
      const double d = std::max(std::floor(optimal * shrink), x.n + 1);
      best = std::min(best, bdd_cost(x, model, beta, d));
    }
  }
  return best;
}

}  // namespace ap::security
