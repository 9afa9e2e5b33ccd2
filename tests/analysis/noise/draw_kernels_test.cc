#include "analysis/noise/draw_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "analysis/noise/counter_random.h"

namespace ap::noise {
namespace {

/// The standard normal distribution function.
double normal_cdf(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

/// The probability that floor(error_std z + u) is d: z error_std falls into [d - u, d - u + 1), averaged over u.
double deviation_probability_of(double error_std, int d) {
  constexpr int kSteps = 2000;
  double sum = 0;
  for (int k = 0; k < kSteps; ++k) {
    const double u = (k + 0.5) / kSteps;
    sum += normal_cdf((d + 1 - u) / error_std) - normal_cdf((d - u) / error_std);
  }
  return sum / kSteps;
}

TEST(NormalPolynomials, InvertTheTailProbability) {
  const NormalPolynomials& normal = NormalPolynomials::instance();
  double worst = 0, largest = 0;
  std::mt19937_64 random(1);
  for (int i = 0; i < 400'000; ++i) {
    // Every octave alike.
    const auto word = static_cast<std::uint32_t>(random() >> (32 + random() % 31)) & ~1U;
    const double z = normal(word);
    EXPECT_EQ(normal(word | 1), -normal(word));
    largest = std::max(largest, z);
    // The error of z from that of the probability, by the density.
    const double wanted = (static_cast<double>(word >> 1) + 0.5) * 0x1p-31;
    const double density = 2 * std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    worst = std::max(worst, std::abs(std::erfc(z / std::numbers::sqrt2) - wanted) / density);
  }
  EXPECT_LT(worst, 4e-5);
  EXPECT_NEAR(normal(0), 6.3, 0.1);
  EXPECT_LE(std::max<double>(normal(0), largest), NormalPolynomials::kLargest);
  EXPECT_NEAR(normal(0xfffffffe), 0, 4e-5);
}

TEST(NormalPolynomials, HaveTheMomentsAndTailsOfTheNormalDistribution) {
  const NormalPolynomials& normal = NormalPolynomials::instance();
  constexpr int kCount = 6'000'000;
  double sum = 0, squares = 0, cubes = 0, fourths = 0, products = 0, last = 0;
  double beyond[6] = {};
  constexpr int kBins = 64;
  std::vector<double> bins(kBins);
  const std::uint64_t key = counter_key(5, 0, 0, 0);
  for (int i = 0; i < kCount; ++i) {
    const std::uint64_t bits = counter_bits(key, static_cast<std::uint64_t>(i / 2));
    const double z = normal(static_cast<std::uint32_t>(i % 2 ? bits >> 32 : bits));
    sum += z;
    squares += z * z;
    cubes += z * z * z;
    fourths += z * z * z * z;
    products += z * last;
    for (int k = 1; k < 6; ++k) beyond[k] += std::abs(z) > k;
    ++bins[static_cast<std::size_t>(std::min<double>(normal_cdf(z) * kBins, kBins - 1))];
    last = z;
  }
  // Five standard deviations of each estimate.
  const double root = std::sqrt(kCount);
  EXPECT_NEAR(sum / kCount, 0, 5 / root);
  EXPECT_NEAR(squares / kCount, 1, 5 * std::sqrt(2) / root);
  EXPECT_NEAR(cubes / kCount, 0, 5 * std::sqrt(15) / root);
  EXPECT_NEAR(fourths / kCount, 3, 5 * std::sqrt(96) / root);
  EXPECT_NEAR(products / kCount, 0, 5 / root);
  for (int k = 1; k < 6; ++k) {
    const double wanted = kCount * std::erfc(k / std::numbers::sqrt2);
    EXPECT_NEAR(beyond[k], wanted, 5 * std::sqrt(wanted)) << k;
  }
  double chi_square = 0;
  for (const double n : bins) chi_square += (n - kCount / kBins) * (n - kCount / kBins) / (kCount / kBins);
  EXPECT_NEAR(chi_square, kBins - 1, 5 * std::sqrt(2 * (kBins - 1)));
}

TEST(DrawKernels, DeviationsHaveTheirDistribution) {
  constexpr std::size_t kCount = 1'000'000;
  for (const float error_std : {0.05F, 0.3F, 1.0F, 4.0F}) {
    std::vector<std::int32_t> values(kCount, 0);
    const std::vector<float> error_stds(kCount, error_std);
    draw_kernels().add_deviations(counter_key(1, 2, 3, 4), error_stds.data(), kCount, values.data());
    double chi_square = 0, mean = 0;
    int bins = 0;
    for (int d = -30; d <= 30; ++d) {
      const double wanted = kCount * deviation_probability_of(error_std, d);
      if (wanted < 10) continue;
      const auto seen = static_cast<double>(std::ranges::count(values, d));
      chi_square += (seen - wanted) * (seen - wanted) / wanted;
      ++bins;
    }
    for (const std::int32_t v : values) mean += v;
    EXPECT_GE(bins, 3);
    EXPECT_LT(chi_square, bins + 5 * std::sqrt(2 * bins)) << error_std;
    EXPECT_NEAR(mean / kCount, 0, 5 * std::sqrt((error_std * error_std + 0.25) / kCount)) << error_std;
  }
}

// The limit of 24-bit fractions: below it there is no error at all, near it the right number of them.
TEST(DrawKernels, TinyDeviationsAreAsRareAsTheyShouldBe) {
  constexpr std::size_t kCount = 4'000'000;
  for (const float error_std : {0.0F, 1e-12F, 1e-9F, 1e-4F}) {
    std::vector<std::int32_t> values(kCount, 5);
    const std::vector<float> error_stds(kCount, error_std);
    draw_kernels().add_deviations(9, error_stds.data(), kCount, values.data());
    const auto changed = static_cast<double>(kCount) - static_cast<double>(std::ranges::count(values, 5));
    const double wanted = kCount * double{error_std} * std::sqrt(2 / std::numbers::pi);
    if (error_std < 1e-8F) {
      EXPECT_EQ(changed, 0) << error_std;
    } else {
      EXPECT_NEAR(changed, wanted, 5 * std::sqrt(wanted));
    }
  }
}

TEST(DrawKernels, AllInstructionSetsDrawTheSame) {
  std::mt19937 random(4);
  for (const std::size_t n : std::vector<std::size_t>{1, 2, 7, 15, 16, 17, 33, 100, 20'001}) {
    std::vector<float> error_std(n);
    std::vector<std::int32_t> start(n);
    for (std::size_t i = 0; i < n; ++i) {
      const float sizes[] = {0, 1e-9F, 1e-3F, 0.3F, 5, 1e4F, 1e8F, 1e30F};
      error_std[i] = sizes[n > 1000 ? i / 2048 % 8 : random() % 8];
      start[i] = static_cast<std::int32_t>(random());
    }
    const std::uint64_t key = counter_key(n, 1, 1, 1);
    std::vector<std::int32_t> wanted = start, offsets(n);
    for (std::size_t i = 0; i < n; ++i) {
      const auto word = [&](std::uint64_t counter) {
        return static_cast<std::uint32_t>(counter_bits(key, counter) >> (i % 2 * 32));
      };
      const std::int32_t d =
          rounded_deviation(error_std[i], word(i / 2), word(i / 2 + (std::uint64_t{1} << 63)));
      wanted[i] =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(start[i]) + static_cast<std::uint32_t>(d));
      offsets[i] = 500 - static_cast<std::int32_t>(word(i / 2) & 0xfff);
    }
    for (const DrawKernels* k : all_draw_kernels()) {
      std::vector<std::int32_t> got = start, drawn(n);
      k->add_deviations(key, error_std.data(), n, got.data());
      EXPECT_EQ(got, wanted) << k->name << " " << n;
      k->uniform_below(key, 500, 0xfff, n, drawn.data());
      EXPECT_EQ(drawn, offsets) << k->name << " " << n;
      std::int32_t least = 0, largest = 0;
      k->extremes(start.data(), n, least, largest);
      EXPECT_EQ(least, *std::ranges::min_element(start)) << k->name;
      EXPECT_EQ(largest, *std::ranges::max_element(start)) << k->name;
    }
  }
}

TEST(DrawKernels, UniformOffsetsAreUniform) {
  constexpr std::size_t kCount = 640'000;
  std::vector<std::int32_t> drawn(kCount);
  draw_kernels().uniform_below(77, 31, 63, kCount, drawn.data());
  std::vector<double> seen(64);
  for (const std::int32_t v : drawn) ++seen.at(static_cast<std::size_t>(31 - v));
  double chi_square = 0;
  for (const double n : seen) chi_square += (n - 10'000) * (n - 10'000) / 10'000;
  EXPECT_NEAR(chi_square, 63, 5 * std::sqrt(2 * 63));
}

}  // namespace
}  // namespace ap::noise
