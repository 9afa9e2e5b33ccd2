#include "analysis/noise/scaled_sigma.h"

#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace ap::noise {
namespace {

using Vector3 = std::array<double, 3>;
using Matrix3 = std::array<Vector3, 3>;

// The inverse of a symmetric positive definite matrix by Gauss-Jordan elimination.
Matrix3 inverse(Matrix3 m) {
  Matrix3 out{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  for (std::size_t k = 0; k < 3; ++k) {
    const double pivot = m[k][k];
    if (!(pivot > 0)) fail_input("scaled-sigma sampling needs at least four clearly different scales");
    for (std::size_t j = 0; j < 3; ++j) m[k][j] /= pivot, out[k][j] /= pivot;
    for (std::size_t i = 0; i < 3; ++i) {
      if (i == k) continue;
      const double factor = m[i][k];
      for (std::size_t j = 0; j < 3; ++j) m[i][j] -= factor * m[k][j], out[i][j] -= factor * out[k][j];
    }
  }
  return out;
}

}  // namespace

ScaledSigmaFit fit_scaled_sigma(std::span<const ScaledCount> counts) {
  Matrix3 normal{};
  Vector3 right{};
  int used = 0;
  for (const ScaledCount& c : counts) {
    if (c.failures == 0 || c.failures >= c.samples || !(c.scale > 0)) continue;
    ++used;
    const auto samples = static_cast<double>(c.samples);
    const double p = static_cast<double>(c.failures) / samples;
    const double weight = samples * p / (1 - p);
    // E[ln P^] is below ln P by half the variance of P^ / P.
    const double value = std::log(p) + 0.5 / weight;
    const Vector3 row{1, std::log(c.scale), 1 / (c.scale * c.scale)};
    for (std::size_t i = 0; i < 3; ++i) {
      right[i] += weight * row[i] * value;
      for (std::size_t j = 0; j < 3; ++j) normal[i][j] += weight * row[i] * row[j];
    }
  }
  if (used < 4) {
    fail_input(
        "only {} of {} scales show failures and successes, scaled-sigma sampling needs at least four; take "
        "larger scales or more samples",
        used, counts.size());
  }
  const Matrix3 covariance = inverse(normal);
  Vector3 solution{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) solution[i] += covariance[i][j] * right[j];
  }
  ScaledSigmaFit fit;
  fit.alpha = solution[0], fit.beta = solution[1], fit.gamma = solution[2];
  const double value = fit.alpha + fit.gamma;
  const double half = 1.96 * std::sqrt(covariance[0][0] + 2 * covariance[0][2] + covariance[2][2]);
  fit.log2_failure = value * std::numbers::log2e;
  fit.log2_low = (value - half) * std::numbers::log2e;
  fit.log2_high = (value + half) * std::numbers::log2e;
  return fit;
}

std::vector<double> default_scales(double log2_guess, std::size_t count) {
  // To leading order log2 P(s) = log2 P(1) / s^2.
  if (!(log2_guess <= -10 && count >= 4)) {
    fail_input(
        "scaled-sigma sampling is for failures below 2^-10 and four scales or more, not for 2^{} and {}",
        log2_guess, count);
  }
  const double first = std::sqrt(-log2_guess / 9), last = std::sqrt(-log2_guess / 2);
  std::vector<double> scales;
  for (std::size_t i = 0; i < count; ++i) {
    scales.push_back(first + (last - first) * static_cast<double>(i) / static_cast<double>(count - 1));
  }
  return scales;
}

std::vector<ScaledCount> count_scaled(std::span<const double> samples, double threshold,
                                      std::span<const double> scales) {
  std::vector<ScaledCount> counts;
  for (std::size_t k = 0; k < scales.size(); ++k) {
    ScaledCount c{scales[k], 0, 0};
    const double limit = threshold / scales[k];
    for (std::size_t i = k; i < samples.size(); i += scales.size()) {
      ++c.samples;
      c.failures += std::abs(samples[i]) > limit;
    }
    counts.push_back(c);
  }
  return counts;
}

}  // namespace ap::noise
