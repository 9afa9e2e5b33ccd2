#include "he/circuits/remez.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace ap::circuits {
namespace {

using Real = long double;

// 2^(1 - n) T_n is the monic polynomial nearest to zero: x^n is off by 2^(1 - n) at best.
TEST(Remez, PowersOfX) {
  const Interval unit{-1, 1};
  for (const int n : {2, 3, 5, 8, 12}) {
    const Minimax p = minimax([n](Real x) { return std::pow(x, n); }, {&unit, 1}, n - 1);
    EXPECT_NEAR(p.error, std::ldexp(1, 1 - n), 1e-12) << n;
  }
}

// Degree 1 for exp on [0, 1]: the secant's slope e - 1, error (e - (e - 1)(1 - ln(e - 1)) - ... ) / 2 from its tangent.
TEST(Remez, LinesForTheExponential) {
  const Interval interval{0, 1};
  const Minimax p = minimax([](Real x) { return std::exp(x); }, {&interval, 1}, 1);
  const double slope = std::exp(1.0) - 1, touch = std::log(slope);
  EXPECT_NEAR(p.polynomial(1) - p.polynomial(0), slope, 1e-9);
  EXPECT_NEAR(p.error, (1 - (std::exp(touch) - slope * touch)) / 2, 1e-9);
}

// The cubic for the sign on [-1, -a] and [a, 1], from its three equal errors: p(a) = 1 - e, p(1) = 1 - e, p(m) = 1 + e.
TEST(Remez, CubicForTheSign) {
  const double a = 0.25;
  const Interval interval{a, 1};
  const Minimax p = minimax([](Real) { return Real(1); }, {&interval, 1}, 3, Parity::odd);
  // p = c (s x - x^3) with p(a) = p(1): s = 1 + a + a^2; the maximum is at m^2 = s / 3.
  const double s = 1 + a + a * a, end = s - 1, top = 2 * std::pow(s / 3, 1.5);
  EXPECT_NEAR(p.error, (top - end) / (top + end), 1e-12);
  EXPECT_EQ(p.polynomial.parity(), Parity::odd);
  EXPECT_NEAR(p.polynomial(-0.25), -1 + p.error, 1e-12);
}

// The errors alternate one time more than there are coefficients: no polynomial is nearer (de la Vallee Poussin).
TEST(Remez, AlternatesOnSeveralIntervals) {
  const std::vector<Interval> intervals{{-3, -1.5}, {-0.5, 0.25}, {2, 4}};
  const Function f = [](Real x) { return std::sin(2 * x) + std::abs(x); };
  const int degree = 9;
  const Minimax p = minimax(f, intervals, degree);
  int alternations = 0, last = 0;
  double most = 0;
  for (const Interval& i : intervals) {
    for (int s = 0; s <= 4000; ++s) {
      const double x = i.low + (i.high - i.low) * s / 4000;
      const auto error = static_cast<double>(p.polynomial(x) - f(x));
      most = std::max(most, std::abs(error));
      if (std::abs(error) > 0.999 * p.error && (error > 0 ? 1 : -1) != last) {
        ++alternations;
        last = error > 0 ? 1 : -1;
      }
    }
  }
  EXPECT_GE(alternations, degree + 2);
  EXPECT_NEAR(most, p.error, 1e-4 * p.error);
}

TEST(Remez, EvenPolynomials) {
  // |x| on [-1, 1] in degree 2: x^2 + 1/8.
  const Interval interval{0, 1};
  const Minimax p = minimax([](Real x) { return std::abs(x); }, {&interval, 1}, 2, Parity::even);
  EXPECT_NEAR(p.error, 0.125, 1e-12);
  EXPECT_NEAR(p.polynomial(0), 0.125, 1e-12);
  EXPECT_NEAR(p.polynomial(-1), 1.125, 1e-12);
}

TEST(Remez, WrongArguments) {
  const Function one = [](Real) { return Real(1); };
  const std::vector<Interval> crossed{{0, 1}, {0.5, 2}}, negative{{-1, 1}}, good{{0.5, 1}};
  EXPECT_THROW(minimax(one, crossed, 3), Error);
  EXPECT_THROW(minimax(one, negative, 3, Parity::odd), Error);
  EXPECT_THROW(minimax(one, good, 4, Parity::odd), Error);
  EXPECT_THROW(minimax(one, good, 256), Error);
  EXPECT_THROW(minimax(one, {}, 3), Error);
}

}  // namespace
}  // namespace ap::circuits
