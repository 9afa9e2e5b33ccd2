#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>
#include <vector>

#include "random/prng.h"
#include "tests/random/tagged_seed.h"

namespace ap {
namespace {

// Pearson's statistic against `expected` counts, as a number of standard deviations from its mean (about
// N(0,1) for many cells). Seeds are fixed, so a pass is a pass for ever.
double chi_square_deviation(const std::vector<double>& counts, const std::vector<double>& expected) {
  double statistic = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    statistic += (counts[i] - expected[i]) * (counts[i] - expected[i]) / expected[i];
  }
  const double freedom = static_cast<double>(counts.size() - 1);
  return (statistic - freedom) / std::sqrt(2 * freedom);
}

TEST(Samplers, UniformFillsItsRangeEvenly) {
  for (const std::uint64_t modulus : {3ULL, 5ULL, 128ULL, 129ULL, 255ULL, 1000ULL}) {
    Prng prng(tagged(1));
    std::vector<std::uint64_t> values(200000);
    sample_uniform(prng, modulus, values);
    std::vector<double> counts(modulus),
        expected(modulus, static_cast<double>(values.size()) / static_cast<double>(modulus));
    for (const std::uint64_t v : values) {
      ASSERT_LT(v, modulus);
      counts[v] += 1;
    }
    EXPECT_LT(std::abs(chi_square_deviation(counts, expected)), 4) << modulus;
  }
}

TEST(Samplers, UniformOfLargeModuli) {
  for (const std::uint64_t modulus :
       {(1ULL << 32) - 5, 1ULL << 32, (1ULL << 32) + 15, (1ULL << 50) - 27, (1ULL << 59) + 1, ~0ULL}) {
    Prng prng(tagged(2));
    std::vector<std::uint64_t> values(100000);
    sample_uniform(prng, modulus, values);
    std::vector<double> counts(64), expected(64, static_cast<double>(values.size()) / 64);
    for (const std::uint64_t v : values) {
      ASSERT_LT(v, modulus);
      counts[static_cast<std::size_t>(std::ldexp(static_cast<double>(v) / static_cast<double>(modulus), 6)) &
             63] += 1;
    }
    EXPECT_LT(std::abs(chi_square_deviation(counts, expected)), 4) << modulus;
  }
  std::vector<std::uint64_t> zeros(10, 7);
  Prng prng(tagged(2));
  sample_uniform(prng, 1, zeros);
  EXPECT_EQ(zeros, std::vector<std::uint64_t>(10, 0));
}

TEST(Samplers, UniformIsMaskedRejectionOfTheStream) {
  // The definition that the wire depends on, for fewer than 1024 values: rounds of exactly the missing words.
  for (const std::uint64_t modulus : {(1ULL << 45) - 229, (1ULL << 59) + 55}) {
    const std::uint64_t mask = ~0ULL >> (64 - std::bit_width(modulus - 1));
    std::vector<std::uint64_t> values(500);
    Prng prng(tagged(3)), raw(tagged(3));
    sample_uniform(prng, modulus, values);
    for (const std::uint64_t v : values) {
      std::uint64_t word = raw.next64() & mask;
      while (word >= modulus) word = raw.next64() & mask;
      ASSERT_EQ(v, word);
    }
    EXPECT_EQ(prng.next64(), raw.next64());
  }
}

TEST(Samplers, BitsStayBelowTheirLimit) {
  for (const int bits : {1, 7, 32, 63, 64}) {
    Prng prng(tagged(4));
    std::vector<std::uint64_t> values(20000);
    sample_bits(prng, bits, values);
    std::vector<int> ones(64);
    for (const std::uint64_t v : values) {
      ASSERT_LE(std::bit_width(v), bits);
      for (int b = 0; b < 64; ++b) ones[b] += static_cast<int>(v >> b & 1);
    }
    for (int b = 0; b < bits; ++b) EXPECT_NEAR(ones[b], 10000, 5 * 71) << b;
  }
}

TEST(Samplers, TernaryIsUniform) {
  Prng prng(tagged(5));
  std::vector<std::int8_t> values(300001);
  sample_ternary(prng, values);
  std::vector<double> counts(3), pairs(9);
  for (std::size_t i = 0; i < values.size(); ++i) {
    ASSERT_TRUE(values[i] >= -1 && values[i] <= 1);
    counts[values[i] + 1] += 1;
    if (i % 2 == 1) pairs[3 * (values[i - 1] + 1) + values[i] + 1] += 1;
  }
  EXPECT_LT(std::abs(chi_square_deviation(counts, std::vector<double>(3, 300001.0 / 3))), 4);
  EXPECT_LT(std::abs(chi_square_deviation(pairs, std::vector<double>(9, 150000.0 / 9))), 4);
}

TEST(Samplers, TernaryDigitsAreThoseOfTheBytes) {
  std::vector<std::int8_t> values(1003);
  Prng prng(tagged(6)), raw(tagged(6));
  sample_ternary(prng, values);
  std::uint8_t byte = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i % 5 == 0) {
      do raw.fill(std::span<std::uint8_t>(&byte, 1));
      while (byte >= 243);
    }
    ASSERT_EQ(values[i], byte % 3 - 1) << i;
    byte /= 3;
  }
}

TEST(Samplers, ErrorIsCentredBinomialOfEta21) {
  Prng prng(tagged(7));
  const std::size_t count = 1000000;
  std::vector<std::int8_t> values(count);
  sample_error(prng, values);
  double mean = 0, square = 0, fourth = 0;
  std::map<int, double> histogram;
  for (const int v : values) {
    mean += v;
    square += v * v;
    fourth += static_cast<double>(v) * v * v * v;
    histogram[v] += 1;
  }
  EXPECT_NEAR(mean / count, 0, 5 * kErrorSigma / std::sqrt(count));
  EXPECT_NEAR(square / count, 10.5, 0.08);
  EXPECT_NEAR(fourth / square / (square / count), 3 - 1.0 / 21, 0.05);  // kurtosis of Binomial(42, 1/2)
  EXPECT_DOUBLE_EQ(kErrorSigma * kErrorSigma, 10.5);
  std::vector<double> counts, expected;
  for (int v = -12; v <= 12; ++v) {
    counts.push_back(histogram[v]);
    expected.push_back(
        count * std::exp(std::lgamma(43) - std::lgamma(22 + v) - std::lgamma(22 - v) - 42 * std::log(2.0)));
  }
  EXPECT_LT(std::abs(chi_square_deviation(counts, expected)), 4);
}

TEST(Samplers, ErrorIsThePopulationCountOfTheStream) {
  std::vector<std::int8_t> values(2500);
  Prng prng(tagged(8)), raw(tagged(8));
  sample_error(prng, values);
  for (const int v : values) ASSERT_EQ(v, std::popcount(raw.next64() & ((1ULL << 42) - 1)) - 21);
}

}  // namespace
}  // namespace ap
