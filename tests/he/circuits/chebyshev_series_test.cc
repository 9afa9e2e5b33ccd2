#include "he/circuits/chebyshev_series.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace ap::circuits {
namespace {

using Real = long double;

// cos(j arccos t), from the definition.
Real chebyshev(int j, Real t) { return std::cos(j * std::acos(t)); }
Real value(const std::vector<double>& c, Real t) {
  Real sum = 0;
  for (std::size_t j = 0; j < c.size(); ++j) sum += c[j] * chebyshev(static_cast<int>(j), t);
  return sum;
}

TEST(ChebyshevSeries, ClenshawIsTheSum) {
  const ChebyshevSeries p{-3, 5, {0.25, -1, 0.5, 2, -0.125, 0.0625}};
  for (int i = 0; i <= 100; ++i) {
    const double x = -3 + 0.08 * i;
    EXPECT_NEAR(p(x), static_cast<double>(value(p.coefficients, (Real(x) - 1) / 4)), 1e-14) << x;
  }
  EXPECT_DOUBLE_EQ(p(5), 0.25 - 1 + 0.5 + 2 - 0.125 + 0.0625);   // all T_j(1) = 1
  EXPECT_DOUBLE_EQ(p(-3), 0.25 + 1 + 0.5 - 2 - 0.125 - 0.0625);  // T_j(-1) = (-1)^j
  EXPECT_EQ((ChebyshevSeries{-1, 1, {}})(0.5), 0);
}

TEST(ChebyshevSeries, DegreeAndParity) {
  EXPECT_EQ((ChebyshevSeries{-1, 1, {1, 0, 3, 0}}).degree(), 2);
  EXPECT_EQ((ChebyshevSeries{-1, 1, {1, 0, 3, 0}}).parity(), Parity::even);
  EXPECT_EQ((ChebyshevSeries{-1, 1, {0, 1, 0, 2}}).parity(), Parity::odd);
  EXPECT_EQ((ChebyshevSeries{-1, 1, {1, 1}}).parity(), Parity::general);
  EXPECT_EQ((ChebyshevSeries{-1, 1, {}}).degree(), 0);
}

TEST(ChebyshevSeries, InterpolationOfPolynomialsIsExact) {
  // x^3 = (T_3 + 3 T_1) / 4.
  const ChebyshevSeries cube = interpolate([](Real x) { return x * x * x; }, -1, 1, 5);
  const double expected[] = {0, 0.75, 0, 0.25, 0, 0};
  for (std::size_t j = 0; j < 6; ++j) EXPECT_NEAR(cube.coefficients[j], expected[j], 1e-18) << j;
  const ChebyshevSeries odd = interpolate([](Real x) { return x * x * x; }, -2, 2, 5, Parity::odd);
  EXPECT_EQ(odd.coefficients[0], 0);
  EXPECT_EQ(odd.parity(), Parity::odd);
  EXPECT_NEAR(odd(1.5), 3.375, 1e-15);
}

// exp(t) = I_0(1) + 2 sum I_j(1) T_j(t), with the modified Bessel functions I_j(1).
TEST(ChebyshevSeries, InterpolationOfTheExponential) {
  const ChebyshevSeries p = interpolate([](Real x) { return std::exp(x); }, -1, 1, 20);
  const double bessel[] = {1.2660658777520082, 0.5651591039924851, 0.1357476697670383, 0.022168424924331902};
  for (std::size_t j = 0; j < 4; ++j) {
    EXPECT_NEAR(p.coefficients[j], bessel[j] * (j == 0 ? 1 : 2), 4e-16) << j;
  }
  EXPECT_LT(largest_error(p, [](Real x) { return std::exp(x); }), 2e-15);
  const ChebyshevSeries wide = interpolate([](Real x) { return std::exp(x); }, -2, 3, 8);
  const double error = largest_error(wide, [](Real x) { return std::exp(x); });
  EXPECT_GT(error, 1e-4);  // about 2 I_9(2.5) e^0.5
  EXPECT_LT(error, 4e-4);
}

TEST(ChebyshevSeries, InterpolationThroughGivenNodes) {
  const std::vector<Real> nodes{-1.9L, -1, -0.2L, 0.5L, 1.1L, 2};
  std::vector<Real> values;
  for (const Real x : nodes) values.push_back(3 * x * x * x * x * x - x * x + 0.5L);
  const ChebyshevSeries p = interpolate(nodes, values, -2, 2);
  EXPECT_EQ(p.degree(), 5);
  EXPECT_LT(largest_error(p, [](Real x) { return 3 * x * x * x * x * x - x * x + 0.5L; }), 1e-13);
  const std::vector<Real> equal{0.5L, 0.5L}, two{1, 2};
  EXPECT_THROW(interpolate(equal, two, -1, 1), Error);
}

TEST(ChebyshevSeries, TruncationAddsAtMostWhatItSays) {
  const ChebyshevSeries p = interpolate([](Real x) { return std::exp(x); }, -1, 1, 20);
  const ChebyshevSeries q = truncated(p, 1e-6);
  EXPECT_EQ(q.degree(), 7);
  EXPECT_LE(largest_error(q, [&](Real x) { return p(static_cast<double>(x)); }), 1e-6);
}

TEST(ChebyshevSeries, DivisionByTg) {
  std::vector<double> c;
  for (int j = 0; j < 24; ++j) c.push_back(std::sin(j * j + 1.0));
  for (const int g : {1, 2, 3, 4, 7, 8, 11, 12, 16, 23, 24}) {
    const ChebyshevQuotient parts = divide(c, g);
    EXPECT_EQ(parts.quotient.size(), c.size() - static_cast<std::size_t>(g));
    EXPECT_LE(parts.remainder.size(), static_cast<std::size_t>(g));
    for (int i = 0; i <= 64; ++i) {
      const Real t = -1 + Real(i) / 32;
      const Real product = value(parts.quotient, t) * chebyshev(g, t) + value(parts.remainder, t);
      EXPECT_NEAR(static_cast<double>(product), static_cast<double>(value(c, t)), 1e-13) << g;
    }
  }
}

TEST(ChebyshevSeries, DivisionKeepsParity) {
  const std::vector<double> odd{0, 1, 0, 2, 0, 3, 0, 4};
  const ChebyshevQuotient by_even = divide(odd, 4), by_odd = divide(odd, 3);
  EXPECT_EQ((ChebyshevSeries{-1, 1, by_even.quotient}).parity(), Parity::odd);
  EXPECT_EQ((ChebyshevSeries{-1, 1, by_even.remainder}).parity(), Parity::odd);
  EXPECT_EQ((ChebyshevSeries{-1, 1, by_odd.quotient}).parity(), Parity::even);
  EXPECT_EQ((ChebyshevSeries{-1, 1, by_odd.remainder}).parity(), Parity::odd);
}

TEST(ChebyshevSeries, FromMonomials) {
  const std::vector<double> c = chebyshev_from_monomial(std::vector<double>{1, 2, 3, 4, 5});
  // x^2 = (T_2 + T_0) / 2, x^3 = (T_3 + 3 T_1) / 4, x^4 = (T_4 + 4 T_2 + 3 T_0) / 8.
  EXPECT_EQ(c, (std::vector<double>{1 + 1.5 + 1.875, 2 + 3, 1.5 + 2.5, 1, 0.625}));
}

TEST(ChebyshevSeries, WrongArguments) {
  const Function one = [](Real) { return Real(1); };
  EXPECT_THROW(interpolate(one, 1, 1, 3), Error);
  EXPECT_THROW(interpolate(one, 0, 1, -1), Error);
  EXPECT_THROW(interpolate(one, 0, 1, 5000), Error);
  EXPECT_THROW(interpolate(one, 0, 1, 3, Parity::odd), Error);
  EXPECT_THROW(interpolate(one, -1, 1, 3, Parity::even), Error);
  EXPECT_THROW(interpolate([](Real x) { return 1 / x; }, -1, 1, 2), Error);
}

}  // namespace
}  // namespace ap::circuits
