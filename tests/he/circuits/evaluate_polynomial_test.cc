#include "he/circuits/evaluate_polynomial.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tests/he/ckks/world.h"

namespace ap::circuits {
namespace {

using ckks::Ciphertext;
using ckks::Scale;
using ckks::oracle::Vector;
using Real = long double;

// Eight levels of 45 bits over a first prime of 55.
class Polynomials : public testing::Test {
 protected:
  Vector real_slots(double low, double high) {
    Vector slots = ckks::oracle::random_slots(world.encoder.max_slots(), 1, world.prng);
    for (auto& slot : slots) slot = low + (slot.real() + 1) / 2 * (high - low);
    slots[0] = low;
    slots[1] = high;
    return slots;
  }
  // Bits after the point.
  double bits(const Ciphertext& y, const Vector& x, const std::function<double(double)>& f) {
    Vector expected(x.size());
    for (std::size_t j = 0; j < x.size(); ++j) expected[j] = f(x[j].real());
    return -std::log2(ckks::oracle::largest(ckks::oracle::difference(world.decrypt(y), expected)));
  }
  ChebyshevSeries series(int degree, Parity parity) {
    ChebyshevSeries p{-1, 1, std::vector<double>(static_cast<std::size_t>(degree) + 1)};
    for (int j = degree; j >= 0; j -= parity == Parity::general ? 1 : 2) {
      p.coefficients[static_cast<std::size_t>(j)] = std::cos(3.0 * j + 1) / (1 + 0.2 * j);
    }
    return p;
  }

  ckks::oracle::World world{
      {.n = 2048, .data = {55, 45, 45, 45, 45, 45, 45, 45, 45}, .special = {55, 55, 55}, .digits = 3}};
  rlwe::RelinearisationKey key{world.key, world.prng};
  std::size_t top = world.context->data();
  Scale scale = Scale::power_of_two(45);
};

TEST_F(Polynomials, EveryDegreeToExactlyTheTarget) {
  const Vector slots = real_slots(-1, 1);
  const Ciphertext x = world.encrypt(slots, scale);
  ChebyshevPowers powers(x, key);
  // A scale of no prime.
  const Scale wanted = Scale::power_of_two(40) * Scale::integer(37);
  for (const Parity parity : {Parity::general, Parity::odd, Parity::even}) {
    for (int degree = 1; degree <= 40; ++degree) {
      if ((parity == Parity::odd && degree % 2 == 0) || (parity == Parity::even && degree % 2 == 1)) continue;
      const ChebyshevSeries p = series(degree, parity);
      const std::size_t level = top - static_cast<std::size_t>(polynomial_depth(degree));
      const Ciphertext y = evaluate(powers, p, Target{level, wanted});
      ASSERT_EQ(y.level(), level);
      ASSERT_TRUE(y.scale() == wanted);
      EXPECT_GT(bits(y, slots, p), 26) << degree;
    }
  }
}

TEST_F(Polynomials, LargeDegreesAndLowerLevels) {
  const Vector slots = real_slots(-1, 1);
  const Ciphertext x = world.encrypt(slots, scale);
  for (const int degree : {63, 100, 127, 255}) {
    const ChebyshevSeries p = series(degree, Parity::general);
    const Ciphertext y = evaluate(x, p, Target{1, scale}, key);
    ASSERT_EQ(y.level(), 1U);
    EXPECT_GT(bits(y, slots, p), 23) << degree;
  }
}

TEST_F(Polynomials, IntervalsAreFolded) {
  const Vector slots = real_slots(-1, 3);
  // The scale times half the width, 2, is 2^45.
  const Ciphertext x = world.encrypt(slots, Scale::power_of_two(44));
  const ChebyshevSeries p = interpolate([](Real u) { return std::exp(u); }, -1, 3, 15);
  const Ciphertext y = evaluate(x, p, Target{3, scale}, key);
  EXPECT_GT(bits(y, slots, [](double u) { return std::exp(u); }), 25);
  // Half a width of 40, by a constant.
  const Vector wide = real_slots(-30, 50);
  const Ciphertext t = to_unit_interval(world.encrypt(wide, Scale::power_of_two(42)), -30, 50, scale);
  EXPECT_EQ(t.level(), top - 1);
  EXPECT_TRUE(t.scale() == scale);
  EXPECT_GT(bits(t, wide, [](double u) { return (u - 10) / 40; }), 28);
}

TEST_F(Polynomials, SeveralPolynomialsShareTheirPowers) {
  const Vector slots = real_slots(-1, 1);
  const std::vector<ChebyshevSeries> p{series(7, Parity::odd), series(12, Parity::even),
                                       series(3, Parity::general), ChebyshevSeries{-1, 1, {0.75}}};
  const std::vector<Ciphertext> y = evaluate(world.encrypt(slots, scale), p, Target{2, scale}, key);
  ASSERT_EQ(y.size(), p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    ASSERT_EQ(y[i].level(), 2U);
    EXPECT_GT(bits(y[i], slots, p[i]), 27) << i;
  }
  Ciphertext sum = y[0];
  for (std::size_t i = 1; i < p.size(); ++i) ckks::add(sum, y[i]);  // of one scale
  EXPECT_GT(bits(sum, slots, [&](double t) { return p[0](t) + p[1](t) + p[2](t) + 0.75; }), 26);
}

TEST_F(Polynomials, DoubleAngle) {
  const Vector slots = real_slots(-0.5, 0.5);
  const Ciphertext y = double_angle(world.encrypt(slots, scale), 0.5, key);
  EXPECT_EQ(y.level(), top - 1);
  EXPECT_TRUE(y.scale() == ckks::product_scale(*world.context, top, scale, scale));
  EXPECT_GT(bits(y, slots, [](double u) { return 2 * u * u - 0.25; }), 28);
}

TEST_F(Polynomials, WhatCannotBeIsRefused) {
  const Ciphertext x = world.encrypt(real_slots(-1, 1), scale);
  const ChebyshevSeries p = series(7, Parity::general);
  EXPECT_THROW(evaluate(x, p, Target{top - 2, scale}, key), Error);              // a level too high
  EXPECT_THROW(evaluate(x, p, Target{0, scale}, key), Error);                    // no prime
  EXPECT_THROW(evaluate(x, p, Target{1, Scale::power_of_two(80)}, key), Error);  // no room
  EXPECT_THROW(evaluate(ckks::multiply(x, x), p, Target{1, scale}, key), Error);
  // Scales far from the primes run away: T_2 at 2^-5, T_8 at 2^150.
  EXPECT_THROW(evaluate(world.encrypt(real_slots(-1, 1), Scale::power_of_two(20)), p, Target{1, scale}, key),
               Error);
  ChebyshevSeries other = p;
  other.high = 2;
  const std::vector<ChebyshevSeries> both{p, other};
  EXPECT_THROW(evaluate(x, both, Target{1, scale}, key), Error);
  EXPECT_THROW(to_unit_interval(x, 1, 1), Error);
}

}  // namespace
}  // namespace ap::circuits
