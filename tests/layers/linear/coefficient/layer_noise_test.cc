// The noise model against real ciphertexts of the real kernels.
#include "layers/linear/coefficient/layer_noise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analysis/noise/scaled_sigma.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/noise_model.h"
#include "tests/analysis/noise/real_layer.h"

namespace ap::noise {
namespace {

using test::RealLayer;

linear::Geometry pointwise() { return {{16, 16, 16}, {}, 1, 64}; }

std::vector<std::int16_t> random_weights(std::size_t count, int magnitude) {
  Prng prng(Seed{3});
  std::vector<std::int16_t> weights(count);
  for (std::int16_t& w : weights) {
    w = static_cast<std::int16_t>(
        static_cast<std::int64_t>(prng.next64() % static_cast<std::uint64_t>(2 * magnitude + 1)) - magnitude);
  }
  return weights;
}

TEST(ReplyNorms, SumTheWeightsOfEveryReply) {
  const auto weights = random_weights(16 * 64, 100);
  const linear::Layout layout(pointwise(), {16, 16, 4, 1, 1, false}, 1024);
  const std::vector<double> norms = reply_norms2(layout, weights);
  ASSERT_EQ(norms.size(), 64u);
  double largest = 0;
  for (std::size_t o = 0; o < 64; ++o) {
    double expected = 0;
    for (std::size_t c = 0; c < 16; ++c) expected += std::pow(weights[o * 16 + c], 2);
    EXPECT_DOUBLE_EQ(norms[o], expected);
    largest = std::max(largest, expected);
  }
  EXPECT_DOUBLE_EQ(linear::max_reply_norm2(layout, weights), largest);
  const std::vector<float> error_stds = output_error_stds(layout, weights, 2, 3, 0, 25.5, 16);
  EXPECT_NEAR(error_stds[5 * 256 + 17], error_std(variance({1024, norms[5], kErrorSigma, 2, 3}), 25.5, 16),
              1e-4);
}

// Errors e of every output, in units of their predicted standard deviation.
std::vector<double> normalised_errors(const linear::Packing& packing, int bits, int c0_dropped_bits,
                                      int c1_dropped_bits, int magnitude, int repeats) {
  const auto weights = random_weights(16 * 64, magnitude);
  RealLayer layer(linear::Layout(pointwise(), packing, 1024), weights, {1024, bfv::ntt_primes(bits, 1024, 1)},
                  c0_dropped_bits, c1_dropped_bits);
  std::vector<double> all;
  for (int i = 0; i < repeats; ++i) {
    const std::vector<double> errors = layer.errors(static_cast<std::uint64_t>(i));
    all.insert(all.end(), errors.begin(), errors.end());
  }
  return all;
}

TEST(LayerNoise, VarianceIsThatOfTheModel) {
  const linear::Packing packings[] = {
      {16, 16, 4, 1, 1, false}, {8, 16, 2, 4, 1, false}, {4, 16, 16, 1, 1, false}};
  for (const auto& packing : packings) {
    for (const auto& [c0_dropped_bits, c1_dropped_bits] : {std::pair{0, 0}, {8, 0}, {0, 4}, {9, 5}}) {
      const std::vector<double> errors =
          normalised_errors(packing, 26, c0_dropped_bits, c1_dropped_bits, 40, 4);
      double squares = 0;
      for (const double e : errors) squares += e * e;
      EXPECT_GE(errors.size(), 10'000u);
      EXPECT_NEAR(squares / static_cast<double>(errors.size()), 1, 0.05)
          << c0_dropped_bits << ' ' << c1_dropped_bits;
    }
  }
}

class FailureRate : public testing::Test {
 protected:
  static void SetUpTestSuite() { errors_ = normalised_errors({16, 16, 4, 1, 1, false}, 26, 4, 3, 40, 128); }
  static std::vector<double> errors_;
};
std::vector<double> FailureRate::errors_;

// |e| > q / (2p) of one coefficient: with a variance of 1 and p = 2 the threshold is q / 4.
TEST_F(FailureRate, OfCoefficientsIsWithinAFactorTwo) {
  for (const double threshold : {2.15, 2.5, 3.0, 3.3, 3.6}) {
    const double predicted = log2_failure(1, std::log2(4 * threshold), 1);
    ASSERT_GE(predicted, -12);
    ASSERT_LE(predicted, -4.9);
    double failures = 0;
    for (const double e : errors_) failures += std::abs(e) > threshold;
    EXPECT_NEAR(std::log2(failures / static_cast<double>(errors_.size())), predicted, 1) << threshold;
  }
}

// A reply fails if any of its 256 coefficients does.
TEST_F(FailureRate, OfCiphertextsIsWithinAFactorTwo) {
  for (const double threshold : {3.9, 4.1, 4.4, 4.6}) {
    const double predicted = log2_union(log2_failure(1, std::log2(4 * threshold), 1), 256);
    ASSERT_GE(predicted, -12);
    ASSERT_LE(predicted, -5);
    double failures = 0, replies = 0;
    for (std::size_t at = 0; at + 256 <= errors_.size(); at += 256, ++replies) {
      bool failed = false;
      for (std::size_t i = at; i < at + 256; ++i) failed = failed || std::abs(errors_[i]) > threshold;
      failures += failed;
    }
    EXPECT_NEAR(std::log2(failures / replies), predicted, 1) << threshold << " of " << replies;
  }
}

TEST_F(FailureRate, ByScaledSigmaOnRealNoiseIsThatOfTheClosedForm) {
  // erfc(4.9 / sqrt 2) is about 2^-20.
  const double threshold = 4.9, predicted = log2_failure(1, std::log2(4 * threshold), 1);
  const ScaledSigmaFit fit = fit_scaled_sigma(count_scaled(errors_, threshold, default_scales(predicted)));
  EXPECT_NEAR(fit.log2_failure, predicted, 2);
}

// What a run sees: the share sum is not the exact accumulator.
TEST(LayerNoise, DeviationsOfShareSumsHaveThePredictedProbability) {
  const auto weights = random_weights(16 * 64, 40);
  const bfv::Parameters parameters{1024, bfv::ntt_primes(26, 1024, 1)};
  const linear::Layout layout(pointwise(), {16, 16, 4, 1, 1, false}, 1024);
  for (const int log2_p : {4, 7, 9, 11}) {
    RealLayer layer(layout, weights, parameters, 0, 0);
    const std::vector<float> error_stds =
        output_error_stds(layout, weights, 0, 0, 0, parameters.log2_q(), log2_p);
    double predicted = 0, wrong = 0, count = 0;
    for (std::uint64_t i = 0; i < 16; ++i) {
      const std::vector<std::int64_t> deviations = layer.deviations(i, log2_p);
      for (std::size_t o = 0; o < deviations.size(); ++o, ++count) {
        predicted += deviation_probability(error_stds[o]);
        wrong += deviations[o] != 0;
      }
    }
    EXPECT_NEAR(std::log2(wrong / predicted), 0, predicted / count < 0.001 ? 1 : 0.15) << predicted / count;
  }
}

}  // namespace
}  // namespace ap::noise
