#include "layers/linear/simd/noise.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "analysis/noise/decryption_failure.h"
#include "he/bfv/batch_noise.h"
#include "ring/primes.h"
#include "tests/layers/linear/simd/oracle.h"

namespace ap::noise {
namespace {

using enum linear::SimdConvMethod;
using linear::oracle::SimdParty;

constexpr std::uint32_t kN = 2048;

linear::Geometry conv(nn::Shape in, int c_out, int kernel, int stride = 1, int pad = 0, int groups = 1) {
  return {in, {kernel, kernel, stride, stride, {pad, pad, pad, pad}}, groups, c_out};
}

double mean_square(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return sum / static_cast<double>(values.size());
}

class SimdNoiseOf : public testing::TestWithParam<linear::SimdConvMethod> {};

// The special prime is as large as a digit, so that key switching adds more noise than encryption.
TEST_P(SimdNoiseOf, ConvolutionsIsAsMeasured) {
  SimdParty party(kN, 17, {36, 36});
  for (const linear::Geometry& geometry : {conv({3, 8, 8}, 5, 3, 1, 1), conv({40, 8, 8}, 36, 3, 1, 1),
                                           conv({4, 9, 7}, 3, 3, 2, 1), conv({8, 6, 6}, 8, 3, 1, 1, 8)}) {
    const linear::SimdConv layer(geometry, GetParam(), kN);
    const rlwe::GaloisKeys keys(party.key, layer.elements(*party.context), party.prng);
    auto weights = party.weights(static_cast<std::size_t>(geometry.weight_count()));
    std::ranges::replace(weights, std::int16_t{0}, std::int16_t{1});
    const auto plaintexts = party.prepare(layer, weights);
    double ratio = 0, count = 0;
    for (int trial = 0; trial < 4; ++trial) {
      const auto input = party.values(static_cast<std::size_t>(geometry.in.size()));
      const auto replies = layer.evaluate(party.encrypt(layer, input), plaintexts, keys);
      for (std::size_t r = 0; r < replies.size(); ++r) {
        const SimdNoise noise = simd_noise(layer.terms(r), bfv::parameters(*party.context));
        ASSERT_EQ(noise.size(), 1U);
        const auto measured =
            bfv::measure_noise(*party.context, party.key, replies[r], party.decrypt(replies[r]));
        ratio += mean_square(measured) / mean_variance(noise);
        ++count;
      }
    }
    EXPECT_NEAR(ratio / count, 1, 0.1) << geometry.in.c << " channels to " << geometry.c_out;
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, SimdNoiseOf,
                         testing::Values(input_rotation, output_rotation, shifted_copies,
                                         shifted_copies_published));

TEST(SimdNoise, OfMatricesIsAsMeasured) {
  SimdParty party(kN, 17, {40, 40});
  for (const auto& [n_in, n_out, method] :
       {std::tuple(64, 10, linear::SimdFcMethod::hybrid), std::tuple(300, 100, linear::SimdFcMethod::hybrid),
        std::tuple(300, 100, linear::SimdFcMethod::hybrid_baby_giant)}) {
    const linear::SimdFc layer(n_in, n_out, method, kN);
    const rlwe::GaloisKeys keys(party.key, layer.elements(*party.context), party.prng);
    const SimdNoise noise = simd_noise(layer.terms(), bfv::parameters(*party.context));
    double coefficients = 0;
    for (const NoiseClass& c : noise) coefficients += c.coefficients;
    EXPECT_EQ(coefficients, kN);
    const int doublings = layer.terms().doublings;
    const std::size_t stride = std::size_t{1} << doublings;
    double all = 0, worst = 0;
    constexpr int kTrials = 40;
    for (int trial = 0; trial < kTrials; ++trial) {
      const auto weights = party.weights(static_cast<std::size_t>(n_in * n_out));
      const auto input = party.values(static_cast<std::size_t>(n_in));
      const auto reply = layer.evaluate(party.encrypt(layer, input), party.prepare(layer, weights), keys);
      const auto measured = bfv::measure_noise(*party.context, party.key, reply, party.decrypt(reply));
      all += mean_square(measured) / mean_variance(noise) / kTrials;
      std::vector<double> multiples;
      for (std::size_t j = stride; j < measured.size(); j += stride) multiples.push_back(measured[j]);
      worst += mean_square(multiples) / noise[static_cast<std::size_t>(doublings)].variance / kTrials;
    }
    EXPECT_NEAR(all, 1, 0.15) << n_in << " to " << n_out;
    EXPECT_NEAR(worst, 1, 0.15) << n_in << " to " << n_out;
  }
}

// By adding up the integral in small steps.
double slow_exceeds(double threshold, double flood, double sigma) {
  constexpr int kSteps = 200'000;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double u = flood * (2 * (i + 0.5) / kSteps - 1);
    sum += 0.5 * std::erfc((threshold - u) / sigma / std::numbers::sqrt2) +
           0.5 * std::erfc((threshold + u) / sigma / std::numbers::sqrt2);
  }
  return std::log2(sum / kSteps);
}

TEST(SimdNoise, ExceedanceEqualsTheIntegral) {
  for (const auto& [threshold, flood, sigma] :
       {std::tuple(1000.0, 900.0, 10.0), std::tuple(1000.0, 990.0, 10.0), std::tuple(1000.0, 1000.0, 10.0),
        std::tuple(1000.0, 1500.0, 10.0), std::tuple(100.0, 50.0, 20.0), std::tuple(1000.0, 800.0, 10.0)}) {
    EXPECT_NEAR(log2_exceeds(threshold, flood, sigma), slow_exceeds(threshold, flood, sigma), 0.02)
        << threshold << " " << flood << " " << sigma;
  }
  // Far out only the leading term is left: (sigma / F) phi(t) / t^2, t = 100.
  EXPECT_NEAR(log2_exceeds(2000, 1000, 10),
              (-5000 - 0.5 * std::log(2 * std::numbers::pi) - std::log(1e4) + std::log(10.0 / 1000)) /
                  std::numbers::ln2,
              0.01);
}

TEST(SimdNoise, FloodBitsKeepTheStatisticalDistance) {
  const SimdNoise noise = {{1e12, 4096}, {4e12, 4096}};
  const int bits = flood_bits(noise, 10, 40);
  // Shifting a uniform distribution of width 2^(b+1) by e moves e / 2^(b+1) of it.
  const double distance = 10 * 4096 * (1e6 + 2e6) * std::sqrt(2 / std::numbers::pi) / std::exp2(bits + 1);
  EXPECT_LE(std::log2(distance), -40);
  EXPECT_GT(std::log2(distance), -41.01);
}

// A ciphertext whose q puts the threshold two deviations above the flooding: some replies fail, as often as
// predicted, and every failure is +-1 in single coefficients.
TEST(SimdNoise, FailuresOfRealRepliesAreAsPredicted) {
  constexpr int kFlood = 15, kTrials = 600;
  bfv::BatchParameters parameters{{kN, {}, {}, 0}, bfv::batch_primes(17, kN, 1), false};
  const double sigma = std::sqrt(bfv::flood_variance(parameters, 0));
  const auto least =
      static_cast<std::uint64_t>(2 * static_cast<double>(parameters.p()) * (std::exp2(kFlood) + 2 * sigma));
  std::uint64_t q = (least / (2 * kN) + 1) * (2 * kN) + 1;
  while (!ring::is_prime(q)) q += 2 * kN;
  parameters.data_primes = {q};
  const auto context = bfv::make_batch_context(parameters);
  Prng prng(Seed{77});
  const rlwe::SecretKey key(context, prng);
  const rlwe::PublicKey public_key(key, prng);
  const std::uint64_t p = parameters.p();
  int failures = 0;
  std::vector<std::uint64_t> message(kN), shares(kN), slots(kN), coefficients(kN);
  for (int trial = 0; trial < kTrials; ++trial) {
    sample_uniform(prng, p, message);
    const rlwe::Ciphertext x = rlwe::load_seeded(context, bfv::batch_encrypt(*context, key, message, prng));
    const Bytes reply = linear::share_slots(*context, public_key, x, kFlood, 1, prng, shares);
    bfv::batch_decrypt(*context, key, rlwe::load_ciphertext(context, 1, reply), slots);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < kN; ++i) {
      slots[i] = (slots[i] + shares[i] + p - message[i]) % p;
      wrong += slots[i] != 0;
    }
    if (wrong == 0) continue;
    ++failures;
    EXPECT_GT(wrong, kN - 64) << "one coefficient spoils every slot";
    bfv::encode_slots(*context, slots, coefficients);
    std::size_t entries = 0;
    for (const std::uint64_t c : coefficients) {
      EXPECT_TRUE(c == 0 || c == 1 || c == p - 1);
      entries += c != 0;
    }
    EXPECT_LE(entries, 6U);
  }
  // A fresh encryption is all the noise there is besides the flooding.
  const double predicted = std::exp2(log2_der({{bfv::fresh_variance(), kN}}, parameters, kFlood, 1));
  // The union bound counts replies with several wrong coefficients twice.
  const double expected = 1 - std::exp(-predicted);
  EXPECT_GT(expected, 0.05);
  EXPECT_LT(expected, 0.9);
  EXPECT_NEAR(static_cast<double>(failures) / kTrials, expected,
              4.5 * std::sqrt(expected * (1 - expected) / kTrials));
}

}  // namespace
}  // namespace ap::noise
