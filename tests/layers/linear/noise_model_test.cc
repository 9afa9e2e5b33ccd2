#include "layers/linear/noise_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"

namespace ap::noise {
namespace {

TEST(NoiseModel, SumsItsParts) {
  const ReplyNoise r{
      .n = 2048, .weight_norm2 = 500000, .sigma = 3.24, .c0_dropped_bits = 10, .c1_dropped_bits = 6};
  EXPECT_NEAR(upload_variance(r), (3.24 * 3.24 + 1.0 / 12) * 500000, 1e-3);
  EXPECT_NEAR(rerandomisation_variance(r), 3.24 * 3.24 * (1 + 4 * 2048 / 3.0), 1e-6);
  EXPECT_NEAR(variance(r), upload_variance(r) + rerandomisation_variance(r) + dropping_variance(2048, 10, 6),
              1e-6);
  EXPECT_EQ(dropping_variance(2048, 0, 0), 0);
}

TEST(NoiseModel, DroppingIsTheMeanSquareOfRounding) {
  for (int bits = 1; bits <= 10; ++bits) {
    const int step = 1 << bits;
    double sum = 0;
    for (int i = 0; i < step; ++i) {
      const int error = ((i + step / 2) / step) * step - i;
      sum += error * error;
    }
    EXPECT_NEAR(dropping_variance(0, bits, 0), sum / step, 1e-9) << bits;
  }
}

// log2 erfc from its integral e^(-x^2) 2/sqrt(pi) int_0^inf e^(-t^2 - 2 x t) dt, which cannot underflow.
double log2_erfc_by_integral(double x) {
  double sum = 0;
  const double step = 1e-5 / (1 + x);
  for (int i = 0; i < 4000000; ++i) {
    const double t = (i + 0.5) * step, value = std::exp(-t * t - 2 * x * t);
    if (value < 1e-16) break;
    sum += value * step;
  }
  return (-x * x + std::log(sum * 2 / std::sqrt(M_PI))) / std::log(2.0);
}

TEST(NoiseModel, TailIsRightFarBeyondDoubles) {
  EXPECT_NEAR(log2_erfc(0), 0, 1e-12);
  for (const double x : {0.5, 3.0, 10.0, 19.99, 20.01, 26.0, 40.0}) {
    EXPECT_NEAR(log2_erfc(x), log2_erfc_by_integral(x), 1e-4) << x;
  }
}

TEST(NoiseModel, SmallestModulusMeetsItsTargetExactly) {
  for (const double target : {-0.5, -5.0, -40.0, -128.0, -200.0}) {
    for (const double count : {1.0, 65536.0}) {
      const double log2_q = log2_q_for_failure(1e7, 20, target, count);
      EXPECT_NEAR(log2_union(log2_failure(1e7, log2_q, 20), count), target, 1e-6) << target << ' ' << count;
    }
  }
  EXPECT_THROW(log2_q_for_failure(1e7, 20, 0, 1), Error);
  EXPECT_THROW(log2_q_for_failure(0, 20, -40, 1), Error);
  EXPECT_NEAR(error_std(1e7, log2_q_for_error_std(1e7, 20, 48), 20), 48, 1e-9);
}

TEST(NoiseModel, FailureEqualsSampling) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> gauss(0, 1000);
  const double log2_q = 20, log2_p = 8;  // q / (2p) = 2048
  int failures = 0;
  const int samples = 2000000;
  for (int i = 0; i < samples; ++i) failures += std::abs(gauss(random)) > 2048;
  EXPECT_NEAR(static_cast<double>(failures) / samples,
              std::exp2(log2_failure(1e6, log2_q, static_cast<int>(log2_p))), 8e-4);
}

TEST(NoiseModel, DeviationEqualsSimulatedRounding) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(0, 1000);
  for (const double t : {0.005, 0.05, 0.2, 0.7, 1.0, 4.0}) {
    std::normal_distribution<double> gauss(0, t);
    double squares = 0, wrong = 0;
    const int samples = 1000000;
    for (int i = 0; i < samples; ++i) {
      const double share = uniform(random);
      const double error = std::round(share) + std::round(1000 - share + gauss(random)) - 1000;
      squares += error * error;
      wrong += error != 0;
    }
    EXPECT_NEAR(std::sqrt(squares / samples) / deviation_std(t), 1, 0.03) << t;
    EXPECT_NEAR(wrong / samples / deviation_probability(t), 1, 0.05) << t;
  }
  EXPECT_EQ(deviation_probability(0), 0);
  EXPECT_EQ(deviation_std(0), 0);
}

TEST(NoiseModel, DroppedBitsAreTheMostThatFit) {
  for (const double budget : {0.0, 1.0, 1e3, 1e6, 1e9}) {
    const DroppedBits d = choose_dropped_bits(2048, 1500, 44.0, budget);
    EXPECT_LE(dropping_variance(2048, d.c0_dropped_bits, d.c1_dropped_bits), budget);
    EXPECT_GT(dropping_variance(2048, d.c0_dropped_bits + 1, d.c1_dropped_bits), budget);
    EXPECT_GT(dropping_variance(2048, d.c0_dropped_bits, d.c1_dropped_bits + 1), budget);
  }
  EXPECT_LT(choose_dropped_bits(1024, 1024, 20.0, 1e30).c0_dropped_bits, 20);
}

}  // namespace
}  // namespace ap::noise
