#include "security/reduction.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ap::security {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kE = std::numbers::e;

// MATZOV's classical list-decoding fit, A beta + B.
constexpr double kSlope = 0.29613500308205365;
constexpr double kConstant = 20.387885985467914;

double progressive_factor() { return -std::log2(1 - std::exp2(-kSlope)); }

// Dimensions for free.
double free_dimensions(double beta) { return beta * std::log(4.0 / 3) / std::log(beta / (2 * kPi * kE)); }

}  // namespace

double log2_delta(double beta) {
  if (beta <= 40) return std::log2(1.01295);
  return std::log2(beta / (2 * kPi * kE) * std::pow(kPi * beta, 1 / beta)) / (2 * (beta - 1));
}

double log2_add(double a, double b) {
  if (a < b) std::swap(a, b);
  if (std::isinf(b) && b < 0) return a;
  return a + std::log2(1 + std::exp2(b - a));
}

double log2_bkz(CostModel model, double beta, double d) {
  const double lll = 3 * std::log2(d);
  if (model == CostModel::bdgl16) {
    return log2_add(lll, 0.292 * beta + 16.4 + (beta < d ? std::log2(8 * d) : 0));
  }
  const double repeats = std::log2(std::max(d - beta, 1.0));
  return log2_add(lll,
                  2 * progressive_factor() + repeats + kSlope * (beta - free_dimensions(beta)) + kConstant);
}

namespace {

// Of the sieve after BKZ-beta: it costs about as much as that.
double sieve_dimension(int beta, double d) {
  const double beta_eff = beta - std::floor(free_dimensions(beta));
  return std::min(
      d, std::floor(beta_eff + (std::log2(std::max(d - beta, 1.0)) + progressive_factor()) / kSlope));
}

}  // namespace

double log2_sieve_length(CostModel model, int beta, double d) {
  if (model == CostModel::bdgl16) return std::log2(4.0 / 3) / 2;
  const double dimension = sieve_dimension(beta, d);
  return std::log2(4.0 / 3) / 2 + (dimension - 1) * (log2_delta(dimension) - log2_delta(beta));
}

Sieve short_vectors(CostModel model, int beta, double d) {
  const double bkz = log2_bkz(model, beta, d);
  if (model == CostModel::bdgl16) return {0.2075 * beta, bkz};
  const double dimension = sieve_dimension(beta, d);
  return {0.2075 * dimension, log2_add(bkz, progressive_factor() + kSlope * dimension + kConstant)};
}

double secret_sigma(const Instance& instance) {
  if (instance.secret == Secret::ternary) return std::sqrt(2.0 / 3);
  return instance.secret == Secret::sparse_ternary ? std::sqrt(instance.weight / instance.n)
                                                   : instance.secret_sigma;
}

}  // namespace ap::security
