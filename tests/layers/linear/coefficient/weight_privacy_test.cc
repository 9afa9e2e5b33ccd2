#include "layers/linear/coefficient/weight_privacy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numbers>
#include <random>
#include <vector>

#include "base/error.h"
#include "random/prng.h"
#include "random/wide_noise.h"

namespace ap::noise {
namespace {

TEST(RoundedInformation, IsAllOfItForWideErrorsAndAFractionForRareOnes) {
  EXPECT_EQ(rounded_information(0), 0);
  EXPECT_NEAR(rounded_information(64), 1, 1e-3);
  EXPECT_NEAR(rounded_information(4), 1 - 1.0 / (12 * 16), 1e-3);  // rounding adds a twelfth to the variance
  // The integral of phi^2 / (Phi (1 - Phi)) is 1.8063.
  EXPECT_NEAR(rounded_information(1e-3) / 1e-3, 1.8063, 1e-3);
  EXPECT_NEAR(rounded_information(1e-6) / 1e-6, 1.8063, 1e-3);
  double last = 0;
  for (double error_std = 1e-4; error_std < 100; error_std *= 1.1) {
    const double now = rounded_information(error_std);
    EXPECT_GE(now, last - 1e-9) << error_std;
    EXPECT_LE(now, std::min(1.0, 1.81 * error_std)) << error_std;
    last = now;
  }
}

// The divergence of what a client sees with and without a shift, from its probabilities one by one.
double divergence_of_rounded(double error_std, double x, double psi) {
  const auto above = [](double v) { return std::erfc(v / std::numbers::sqrt2) / 2; };
  const auto cell = [&](double mean, double k) {
    const double low = (k - 0.5 + psi - mean) / error_std, high = (k + 0.5 + psi - mean) / error_std;
    return low > 0 ? above(low) - above(high) : above(-high) - above(-low);
  };
  double sum = 0;
  for (double k = -std::ceil(10 * error_std) - 1; k <= std::ceil(10 * error_std) + 1; ++k) {
    const double p = cell(x, k), q = cell(0, k);
    // p ln(p/q) - p + q adds up to the same and loses no digits where p is close to q.
    if (p > 1e-280 && q > 1e-280) sum += p * std::log1p((p - q) / q) - p + q;
  }
  return sum;
}

TEST(RoundedInformation, BoundsTheDivergenceOfASmallShift) {
  // x below sigma / 64, as the proof assumes; averaged over the offset.
  for (const double error_std : {0.01, 0.05, 0.3, 1.0, 5.0}) {
    const double x = error_std / 64;
    constexpr int kOffsets = 20'000;
    double mean = 0;
    for (int i = 0; i < kOffsets; ++i)
      mean += divergence_of_rounded(error_std, x, (i + 0.5) / kOffsets - 0.5) / kOffsets;
    const double stated = rounded_information(error_std) * x * x / (2 * error_std * error_std);
    EXPECT_LT(mean, 1.02 * stated) << error_std;
    EXPECT_GT(mean, 0.97 * stated) << error_std;
  }
}

TEST(WeightPrivacy, TheStepIsTheSmallestThatKeepsTheRule) {
  for (const double error_std : {0.001, 0.3, 20.0}) {
    for (const std::uint64_t inferences : {std::uint64_t{1} << 10, std::uint64_t{1} << 20}) {
      const WeightExposure exposure{inferences, 1024, 127};
      const std::uint64_t step = noise_step(exposure, error_std);
      EXPECT_LE(weight_snr(exposure, step, error_std), kWeightSnr);
      EXPECT_GT(weight_snr(exposure, step - 1, error_std), kWeightSnr);
    }
  }
  // Worked by hand for wide errors: sigma = 10 sigma_e w sqrt(T reads).
  const double sigma = wide_noise_sigma(noise_step({1 << 20, 1024, 127}, 1e6));
  EXPECT_NEAR(std::log2(sigma), std::log2(10 * std::sqrt(1.01 * (10.5 + 1.0 / 12)) * 127) + 15, 0.01);
}

TEST(WeightPrivacy, NothingIsNeededWithoutWeightsOrAPromise) {
  EXPECT_EQ(noise_step({0, 1024, 127}, 1), 0u);
  EXPECT_EQ(weight_snr({1 << 20, 1024, 0}, 1, 1), 0);
  EXPECT_THROW(noise_step({kMaxInferences, std::uint64_t{1} << 30, 32767}, 1e9), Error);
}

TEST(WeightPrivacy, QuarterOctavesAreAboveAndWithinAQuarter) {
  EXPECT_EQ(quarter_octave(0), 0);
  for (double v = 0.001; v < 1e6; v *= 1.037) {
    const double up = quarter_octave(v);
    EXPECT_GE(up, v * (1 - 1e-8));
    EXPECT_LE(up, v * std::exp2(0.2501));
    EXPECT_DOUBLE_EQ(quarter_octave(up), up);
  }
}

// The signal-to-noise ratio is that of a regression: an estimate of one weight from many results with known errors
// has the variance w^2 / snr.
TEST(WeightPrivacy, TheRatioIsThatOfARegression) {
  for (const double error_std : {0.05, 2.0}) {
    constexpr std::uint64_t kStep = 1000, kResults = 400'000;
    const double sigma = wide_noise_sigma(kStep), unit = error_std / sigma;
    const double weight = 127;
    Prng prng(Seed{5});
    std::vector<std::int8_t> e(kResults);
    std::vector<std::int64_t> g(kResults);
    sample_error(prng, e);
    sample_wide_noise(prng, kStep, g);
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> offset(-0.5, 0.5);
    const auto density = [](double v) { return std::exp(-v * v / 2) / std::sqrt(2 * std::numbers::pi); };
    const auto above = [](double v) { return std::erfc(v / std::numbers::sqrt2) / 2; };
    double scores = 0, norm = 0;
    for (std::size_t i = 0; i < kResults; ++i) {
      const double psi = offset(random);
      const double delta = std::nearbyint(unit * (weight * e[i] + static_cast<double>(g[i])) - psi);
      const double low = (delta - 0.5 + psi) / error_std, high = (delta + 0.5 + psi) / error_std;
      const double p = low > 0 ? above(low) - above(high) : above(-high) - above(-low);
      // The score of the result about the mean of its noise, in units of sigma.
      const double score = (density(low) - density(high)) / p;
      scores += score * e[i];
      norm += static_cast<double>(e[i]) * e[i];
    }
    const double information = rounded_information(error_std);
    const double estimate = sigma * scores / (norm * information);
    const double deviation = sigma / std::sqrt(norm * information);
    EXPECT_NEAR(estimate, weight, 5 * deviation) << error_std;
    const double snr = weight_snr({kResults, 1, weight}, kStep, error_std);
    EXPECT_NEAR(weight * weight / (deviation * deviation) / snr, 1, 0.03) << error_std;
  }
}

}  // namespace
}  // namespace ap::noise
