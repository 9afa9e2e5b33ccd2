#include "analysis/noise/scaled_sigma.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "analysis/noise/counter_random.h"
#include "base/error.h"
#include "layers/linear/noise_model.h"

namespace ap::noise {
namespace {

/// The threshold in standard deviations that a normal number exceeds in magnitude with probability 2^log2_p.
double threshold_for(double log2_p) {
  double low = 0, high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (log2_erfc(middle / std::numbers::sqrt2) > log2_p ? low : high) = middle;
  }
  return low;
}

std::vector<double> normal_samples(std::size_t count, std::uint64_t seed) {
  const NormalQuantile& normal = NormalQuantile::instance();
  const std::uint64_t key = counter_key(seed, 0, 0, 0);
  std::vector<double> samples(count);
  for (std::size_t i = 0; i < count; ++i) samples[i] = normal(counter_bits(key, i));
  return samples;
}

// To leading order P(s) = sqrt(2 / pi) (s / B) exp(-B^2 / (2 s^2)) for sigma = 1: beta = 1, gamma = -B^2 / 2.
TEST(ScaledSigma, RecoversTheLeadingOrderOfOneGaussian) {
  const double b = 6;
  std::vector<ScaledCount> counts;
  for (const double s : {1.5, 1.8, 2.2, 2.6, 3.0}) {
    const double p = std::sqrt(2 / std::numbers::pi) * (s / b) * std::exp(-b * b / (2 * s * s));
    const double samples = 1e15;
    counts.push_back({s, static_cast<std::uint64_t>(p * samples), static_cast<std::uint64_t>(samples)});
  }
  const ScaledSigmaFit fit = fit_scaled_sigma(counts);
  EXPECT_NEAR(fit.beta, 1, 1e-4);
  EXPECT_NEAR(fit.gamma, -b * b / 2, 1e-3);
  EXPECT_NEAR(fit.alpha, std::log(std::sqrt(2 / std::numbers::pi) / b), 1e-3);
  EXPECT_LT(fit.log2_high - fit.log2_low, 1e-3);
}

TEST(ScaledSigma, AgreesWithBruteForceAt20Bits) {
  const double threshold = threshold_for(-20);
  const NormalQuantile& normal = NormalQuantile::instance();
  const std::uint64_t key = counter_key(99, 0, 0, 0), count = std::uint64_t{1} << 27;
  std::uint64_t failures = 0;
  for (std::uint64_t i = 0; i < count; ++i) failures += std::abs(normal(counter_bits(key, i))) > threshold;
  ASSERT_GT(failures, 80u);
  const double brute_force = std::log2(static_cast<double>(failures) / static_cast<double>(count));
  const std::vector<double> samples = normal_samples(600'000, 1);
  const ScaledSigmaFit fit = fit_scaled_sigma(count_scaled(samples, threshold, default_scales(-20)));
  EXPECT_NEAR(fit.log2_failure, brute_force, 2);
  EXPECT_NEAR(fit.log2_failure, -20, 2);
  EXPECT_LT(fit.log2_low, fit.log2_failure);
  EXPECT_GT(fit.log2_high, fit.log2_failure);
}

TEST(ScaledSigma, AgreesWithTheClosedFormAt40Bits) {
  const double threshold = threshold_for(-40);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const std::vector<double> samples = normal_samples(6'000'000, seed);
    const ScaledSigmaFit fit = fit_scaled_sigma(count_scaled(samples, threshold, default_scales(-40)));
    EXPECT_NEAR(fit.log2_failure, -40, 2) << seed;
    EXPECT_LT(fit.log2_high - fit.log2_low, 4) << seed;
  }
}

// The interval covers the value that the model takes without counting errors in about 95 of 100 repetitions.
TEST(ScaledSigma, IntervalCoversTheModel) {
  const double threshold = threshold_for(-20);
  const std::vector<double> scales = default_scales(-20);
  std::vector<ScaledCount> exact;
  for (const double s : scales) {
    const double p = std::exp2(log2_erfc(threshold / s / std::numbers::sqrt2));
    exact.push_back({s, static_cast<std::uint64_t>(p * 1e15), static_cast<std::uint64_t>(1e15)});
  }
  const double wanted = fit_scaled_sigma(exact).log2_failure;
  int covered = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const ScaledSigmaFit fit =
        fit_scaled_sigma(count_scaled(normal_samples(60'000, seed), threshold, scales));
    covered += fit.log2_low <= wanted && wanted <= fit.log2_high;
  }
  EXPECT_GE(covered, 88);
}

TEST(ScaledSigma, RefusesWhatTellsNothing) {
  const std::vector<ScaledCount> silent = {
      {1.5, 0, 100}, {2, 0, 100}, {3, 5, 100}, {4, 100, 100}, {5, 50, 100}};
  EXPECT_THROW(fit_scaled_sigma(silent), Error);
  EXPECT_THROW(default_scales(-1), Error);
}

}  // namespace
}  // namespace ap::noise
