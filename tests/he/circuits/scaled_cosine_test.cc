#include "he/circuits/scaled_cosine.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "he/ckks/double_double.h"
#include "tests/he/ckks/world.h"

namespace ap::circuits {
namespace {

using ckks::DoubleDouble;

// The series, by the recurrence in 106 bits, less the cosine.
double largest_series_error(const ScaledCosine& cosine, double step) {
  const ChebyshevSeries& p = cosine.series;
  double most = 0;
  for (double x = -cosine.bound; x <= cosine.bound; x += step) {
    const DoubleDouble t = (DoubleDouble(2 * x) - p.low - p.high) / (p.high - p.low);
    DoubleDouble before = 1, current = t, sum = p.coefficients[0];
    for (std::size_t j = 1; j < p.coefficients.size(); ++j) {
      sum = sum + current * p.coefficients[j];
      const DoubleDouble next = t * current * 2.0 - before;
      before = current;
      current = next;
    }
    const long double exact =
        std::cos(std::ldexp(2 * std::numbers::pi_v<long double> * (x - 0.25L), -cosine.doublings));
    most = std::max(most, std::abs(static_cast<double>(sum.high - exact + sum.low)));
  }
  return most;
}

double bits(double error) { return -std::log2(error); }

// The doublings multiply the series' error by 4^r at most; in doubles nothing is lost beside it.
TEST(ScaledCosine, ErrorsOfTheSeriesAndOfTheSine) {
  struct Row {
    int bound, degree, doublings;
    double series, sine;  // bits at least
  };
  for (const Row& row : std::vector<Row>{{14, 30, 3, 37.5, 32},
                                         {16, 30, 3, 31.9, 26},
                                         {16, 31, 3, 33, 27},
                                         {12, 22, 3, 24, 18},
                                         {28, 70, 2, 31, 27}}) {
    const ScaledCosine cosine = scaled_cosine(row.bound, row.degree, row.doublings);
    const double series = bits(largest_series_error(cosine, 1.0 / 64)), sine = bits(sine_error(cosine, 0.5));
    EXPECT_GT(series, row.series) << row.bound << " " << row.degree;
    EXPECT_GT(sine, row.sine) << row.bound << " " << row.degree;
    EXPECT_GT(sine, series - 2 * row.doublings - 0.1) << row.bound << " " << row.degree;
  }
}

TEST(ScaledCosine, EvenDegreesAreEvenInTheShiftedVariable) {
  const ScaledCosine cosine = scaled_cosine(16, 30, 3);
  EXPECT_EQ(cosine.series.parity(), Parity::even);
  EXPECT_EQ(cosine.depth(), 8);
  EXPECT_NEAR(cosine(7.25), 1, 1e-7);
  EXPECT_NEAR(cosine(-3), 0, 1e-7);
}

// Near the integers, at equal degree: better by bits, at more products.
TEST(ScaledCosine, NodesNearTheIntegers) {
  for (const double deviation : {1.0 / 32, 1.0 / 256}) {
    const ScaledCosine near = scaled_cosine_near_integers(14, 30, 3, deviation);
    const ScaledCosine everywhere = scaled_cosine(14, 30, 3);
    EXPECT_GT(bits(sine_error(near, deviation)), bits(sine_error(everywhere, deviation)) + 2);
    EXPECT_EQ(near.series.parity(), Parity::general);
  }
  EXPECT_THROW(scaled_cosine_near_integers(16, 29, 3, 0.01), Error);
  EXPECT_THROW(scaled_cosine_near_integers(16, 31, 3, 0.5), Error);
  EXPECT_THROW(scaled_cosine(0, 31, 3), Error);
}

TEST(ScaledCosine, Arcsine) {
  const auto exact = [](long double y) { return std::asin(y) / (2 * std::numbers::pi_v<long double>); };
  EXPECT_GT(bits(largest_error(arcsine(0.3827, 7), exact)), 26);
  EXPECT_GT(bits(largest_error(arcsine(0.195, 5), exact)), 28);
  EXPECT_EQ(arcsine(0.5, 5).parity(), Parity::odd);
  EXPECT_THROW(arcsine(1.5, 5), Error);
  EXPECT_THROW(arcsine(0.5, 4), Error);
}

// On ciphertexts of m + i: sin(2 pi m) / (2 pi), and m itself after the arcsine.
TEST(ScaledCosine, ReducesCiphertexts) {
  ckks::oracle::World world{{.n = 2048,
                             .data = {55, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50, 50},
                             .special = {55, 55, 55, 55},
                             .digits = 4}};
  const rlwe::RelinearisationKey key(world.key, world.prng);
  const double pi = std::numbers::pi;
  ckks::oracle::Vector slots(world.encoder.max_slots()), sines(slots.size()), rests(slots.size());
  for (std::size_t j = 0; j < slots.size(); ++j) {
    const double m = (static_cast<double>(world.prng.next64() >> 11) * 0x1p-52 - 1) / 16;
    slots[j] = m + static_cast<double>(world.prng.next64() % 31) - 15;
    sines[j] = std::sin(2 * pi * m) / (2 * pi);
    rests[j] = m;
  }
  // 2^46 times half the width, 16.25.
  const ckks::Ciphertext x = world.encrypt(slots, ckks::Scale::power_of_two(46));
  const ScaledCosine cosine = scaled_cosine(16, 30, 3);
  const ckks::Scale scale = ckks::Scale::power_of_two(43);
  const ckks::Ciphertext sine = evaluate_sine(x, cosine, 1 / (2 * pi), Target{5, scale}, key);
  EXPECT_EQ(sine.level(), 5U);
  EXPECT_TRUE(sine.scale() == scale);
  EXPECT_LT(ckks::oracle::largest(ckks::oracle::difference(world.decrypt(sine), sines)), 0x1p-25);
  // Rescaled in the same go to the size of the arcsine's interval.
  const ChebyshevSeries inverse = arcsine(0.3827, 7);
  const ckks::Ciphertext unit = evaluate_sine(x, cosine, 1, Target{4, ckks::Scale::power_of_two(51)}, key);
  const ckks::Ciphertext rest = evaluate(unit, inverse, Target{1, scale}, key);
  EXPECT_LT(ckks::oracle::largest(ckks::oracle::difference(world.decrypt(rest), rests)), 0x1p-23);
  EXPECT_THROW(evaluate_sine(x, cosine, 1, Target{12, scale}, key), Error);
  EXPECT_THROW(evaluate_sine(x, cosine, 0, Target{1, scale}, key), Error);
}

}  // namespace
}  // namespace ap::circuits
