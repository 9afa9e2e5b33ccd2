#include "random/wide_noise.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "tests/random/tagged_seed.h"

namespace ap {
namespace {

/// The probability function of the noise of this step, from its definition: index i is the value i - offset.
struct Distribution {
  std::vector<double> p;
  std::int64_t offset = 0;
  double at(std::int64_t value) const {
    const std::int64_t i = value + offset;
    return i < 0 || i >= static_cast<std::int64_t>(p.size()) ? 0 : p[static_cast<std::size_t>(i)];
  }
};

Distribution exact(std::int64_t step) {
  std::array<double, 129> binomial{};
  for (int k = 0; k <= 128; ++k) {
    binomial[static_cast<std::size_t>(k)] =
        std::exp(std::lgamma(129.0) - std::lgamma(k + 1.0) - std::lgamma(129.0 - k) - 128 * std::log(2.0));
  }
  Distribution d;
  d.offset = 65 * step;
  d.p.assign(static_cast<std::size_t>(130 * step + 1), 0);
  for (std::int64_t k = -64; k <= 64; ++k) {
    for (std::int64_t t = -(step - 1); t < step; ++t) {
      const double triangle = static_cast<double>(step - std::abs(t)) / static_cast<double>(step * step);
      d.p[static_cast<std::size_t>(k * step + t + d.offset)] +=
          binomial[static_cast<std::size_t>(k + 64)] * triangle;
    }
  }
  return d;
}

TEST(WideNoise, FollowsItsDistribution) {
  for (const std::int64_t step : {1, 2, 3, 7}) {
    const Distribution d = exact(step);
    constexpr std::size_t kDraws = 400'000;
    std::vector<std::int64_t> draws(kDraws);
    Prng prng(tagged(static_cast<std::uint8_t>(step)));
    sample_wide_noise(prng, static_cast<std::uint64_t>(step), draws);
    std::vector<double> counts(d.p.size(), 0);
    for (const std::int64_t g : draws) {
      ASSERT_LE(std::abs(g), 65 * step);
      counts[static_cast<std::size_t>(g + d.offset)] += 1;
    }
    double statistic = 0, cells = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const double expected = d.p[i] * kDraws;
      if (expected < 10) continue;
      statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
      ++cells;
    }
    EXPECT_GT(cells, 20);
    EXPECT_LT(std::abs(statistic - cells) / std::sqrt(2 * cells), 4) << step;
  }
}

TEST(WideNoise, HasTheStatedDeviation) {
  for (const std::uint64_t step :
       {std::uint64_t{1}, std::uint64_t{1000}, std::uint64_t{12'345'678}, kMaxWideNoiseStep}) {
    std::vector<std::int64_t> draws(100'000);
    Prng prng(tagged(9));
    sample_wide_noise(prng, step, draws);
    double sum = 0, squares = 0;
    for (const std::int64_t g : draws) {
      const double unit = static_cast<double>(g) / static_cast<double>(step);
      sum += unit;
      squares += unit * unit;
    }
    const double n = static_cast<double>(draws.size());
    const double expected =
        kWideNoiseUnitVariance - 1 / (6 * static_cast<double>(step) * static_cast<double>(step));
    EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(expected / n)) << step;
    EXPECT_NEAR(squares / n / expected, 1, 5 * std::sqrt(2 / n)) << step;
    EXPECT_NEAR(wide_noise_sigma(step) / static_cast<double>(step), std::sqrt(kWideNoiseUnitVariance), 1e-12);
    EXPECT_EQ(wide_noise_step(wide_noise_sigma(step)), step);
  }
}

TEST(WideNoise, FillsEveryLowBit) {
  // A step that is no power of two, and one that is: no value of the low bits is rarer than others.
  for (const std::uint64_t step : {std::uint64_t{5'000'011}, std::uint64_t{1} << 22}) {
    std::vector<std::int64_t> draws(160'000);
    Prng prng(tagged(3));
    sample_wide_noise(prng, step, draws);
    std::array<double, 16> counts{};
    for (const std::int64_t g : draws) counts[static_cast<std::size_t>(g & 15)] += 1;
    double statistic = 0;
    for (const double c : counts) statistic += (c - 10'000) * (c - 10'000) / 10'000;
    EXPECT_LT(statistic, 45) << step;  // 15 degrees of freedom
  }
}

TEST(WideNoise, ASmallShiftTellsAsLittleAsOfAGaussian) {
  for (const std::int64_t step : {16, 64, 500}) {
    const Distribution d = exact(step);
    const double sigma = wide_noise_sigma(static_cast<std::uint64_t>(step));
    for (std::int64_t x = 1; x <= step; x *= 2) {
      double divergence = 0;
      for (std::int64_t g = -65 * step; g <= 65 * step; ++g) {
        const double p = d.at(g - x), q = d.at(g);
        // The last step of the support is beyond reach: 2^-127.
        if (p > 1e-30 && q > 0) divergence += p * std::log(p / q) - p + q;
      }
      const double gaussian = static_cast<double>(x * x) / (2 * sigma * sigma);
      EXPECT_LT(divergence, kWideNoiseExcess * gaussian) << step << " " << x;
      EXPECT_GT(divergence, 0.99 * gaussian) << step << " " << x;
    }
  }
}

}  // namespace
}  // namespace ap
