#include "layers/linear/noise_model.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "random/wide_noise.h"

namespace ap::noise {
namespace {

constexpr double kPi = std::numbers::pi;
// Mean square of one coefficient of a ternary secret times n, twice for a product of two.
double ternary_norm2(std::uint32_t n) { return 2.0 * n / 3; }

double rounding_mean_square(int bits) { return bits <= 0 ? 0 : (std::ldexp(1.0, 2 * bits) + 2) / 12; }

}  // namespace

double upload_variance(const ReplyNoise& r) { return (r.sigma * r.sigma + 1.0 / 12) * r.weight_norm2; }

double rerandomisation_variance(const ReplyNoise& r) {
  return r.sigma * r.sigma * (1 + 2 * ternary_norm2(r.n));
}

double dropping_variance(std::uint32_t n, int c0_dropped_bits, int c1_dropped_bits) {
  return rounding_mean_square(c0_dropped_bits) + ternary_norm2(n) * rounding_mean_square(c1_dropped_bits);
}

double server_variance(const ReplyNoise& r) {
  const double sigma = wide_noise_sigma(r.noise_step);
  return sigma * sigma;
}

double variance(const ReplyNoise& r) {
  return upload_variance(r) + rerandomisation_variance(r) +
         dropping_variance(r.n, r.c0_dropped_bits, r.c1_dropped_bits) + server_variance(r);
}

double error_std(double variance, double log2_q, int log2_p) {
  return std::sqrt(variance) * std::exp2(log2_p - log2_q);
}

double log2_q_for_error_std(double variance, int log2_p, double error_std) {
  if (!(variance > 0 && error_std > 0))
    fail_input("a noise of variance {} cannot have tau = {}", variance, error_std);
  return log2_p + 0.5 * std::log2(variance) - std::log2(error_std);
}

double deviation_std(double error_std) {
  // The error is floor(delta) or floor(delta) + 1 with mean delta: error_std^2 + E[f (1 - f)], f the fractional
  // part; the Fourier series of f (1 - f) is 1/6 - sum cos(2 pi m f) / (pi m)^2.
  double fraction = 1.0 / 6;
  if (error_std < 0.02) {
    // The series converges too slowly; delta is almost surely below 1, and E|delta| - E delta^2 is exact.
    fraction = std::sqrt(2 / kPi) * error_std - error_std * error_std;
  } else {
    for (int m = 1; m <= 100; ++m) {
      fraction -= std::exp(-2 * kPi * kPi * m * m * error_std * error_std) / (kPi * kPi * m * m);
    }
  }
  return std::sqrt(error_std * error_std + std::max(fraction, 0.0));
}

double deviation_probability(double error_std) {
  // E[min(1, |delta|)] for Gaussian delta.
  if (error_std <= 0) return 0;
  return error_std * std::sqrt(2 / kPi) * (1 - std::exp(-0.5 / (error_std * error_std))) +
         std::erfc(1 / (error_std * std::numbers::sqrt2));
}

double log2_erfc(double x) {
  if (x < 20) return std::log2(std::erfc(x));
  // The asymptotic series; its next term is below 1e-7 here.
  const double y = 1 / (2 * x * x);
  return -x * x * std::numbers::log2e - std::log2(x * std::sqrt(kPi)) +
         std::log1p(-y + 3 * y * y) * std::numbers::log2e;
}

double log2_failure(double variance, double log2_q, int log2_p) {
  if (variance <= 0) return -std::numeric_limits<double>::infinity();
  return log2_erfc(std::exp2(log2_q - log2_p - 1 - 0.5 * std::log2(variance)) / std::numbers::sqrt2);
}

double log2_union(double log2_each, double count) { return std::min(0.0, log2_each + std::log2(count)); }

double log2_q_for_failure(double variance, int log2_p, double log2_target, double count) {
  if (!(variance > 0 && log2_target < 0 && count >= 1)) {
    fail_input("no modulus makes {} coefficients of noise variance {} fail with probability 2^{}", count,
               variance, log2_target);
  }
  // log2_erfc falls; bisect its argument.
  const double each = log2_target - std::log2(count);
  double low = 0, high = std::sqrt(-each) + 1;  // erfc(x) <= exp(-x^2)
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (log2_erfc(middle) > each ? low : high) = middle;
  }
  return std::log2(high * std::numbers::sqrt2) + 1 + log2_p + 0.5 * std::log2(variance);
}

DroppedBits choose_dropped_bits(std::uint32_t n, std::size_t read, double log2_q, double budget) {
  const int most = std::clamp(static_cast<int>(std::floor(log2_q)) - 1, 0, 60);
  DroppedBits best;
  double saved = 0;
  for (int d1 = 0; d1 <= most; ++d1) {
    for (int d0 = 0; d0 <= most && dropping_variance(n, d0, d1) <= budget; ++d0) {
      const double bits = static_cast<double>(read) * d0 + static_cast<double>(n) * d1;
      if (bits > saved) saved = bits, best = {d0, d1};
    }
  }
  return best;
}

}  // namespace ap::noise
