#include "he/circuits/hermite_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace ap::circuits {
namespace {

using Real = long double;

const Function kRelu = [](Real x) { return std::max<Real>(x, 0); };
const double kKink[] = {0};
constexpr double kPi = std::numbers::pi;

// max(u, 0) = sum c_k He_k(u): 1 / sqrt(2 pi), 1/2, and (-1)^(k/2 + 1) (k - 3)!! / (k! sqrt(2 pi)) for even k.
TEST(HermiteFit, CoefficientsOfRelu) {
  const std::vector<double> c = hermite_coefficients(kRelu, 0, 1, 8, kKink);
  const double root = std::sqrt(2 * kPi);
  const double expected[] = {1 / root,         0.5, 1 / (2 * root),      0, -1 / (24 * root), 0,
                             3 / (720 * root), 0,   -15 / (40320 * root)};
  for (std::size_t k = 0; k < 9; ++k) EXPECT_NEAR(c[k], expected[k], 1e-14) << k;
  // In normalised polynomials He_k / sqrt(k!) the second is 1 / (2 sqrt(pi)).
  EXPECT_NEAR(c[2] * std::sqrt(2.0), 1 / (2 * std::sqrt(kPi)), 1e-14);
}

TEST(HermiteFit, CoefficientsOfPolynomialsAndExponentials) {
  // u^3 = He_3 + 3 He_1.
  const std::vector<double> cube = hermite_coefficients([](Real x) { return x * x * x; }, 0, 1, 4);
  const double expected[] = {0, 3, 0, 1, 0};
  for (std::size_t k = 0; k < 5; ++k) EXPECT_NEAR(cube[k], expected[k], 1e-12) << k;
  // exp(m + s u) = exp(m + s^2 / 2) sum s^k / k! He_k.
  const std::vector<double> exponential =
      hermite_coefficients([](Real x) { return std::exp(x); }, 0.25, 0.5, 4);
  double term = std::exp(0.25 + 0.125);
  for (std::size_t k = 0; k < 5; ++k, term *= 0.5 / static_cast<double>(k)) {
    EXPECT_NEAR(exponential[k], term, 1e-13) << k;
  }
}

// The square of the error is E f^2 less the squares of the coefficients, for ReLU 1/2 - sum k! c_k^2.
TEST(HermiteFit, FitsOfReluUnderANormalDistribution) {
  const Distribution normal = normal_distribution(0, 1, kKink);
  const double root = 2 * kPi;
  const double quadratic = 0.5 - 1 / root - 0.25 - 2 / (4 * root);
  const Fit two = fit(kRelu, normal, 2, -5, 5);
  EXPECT_NEAR(two.squared_error, quadratic, 1e-14);
  // c_0 - c_2 + c_1 x + c_2 x^2.
  EXPECT_NEAR(two.polynomial(0), 1 / (2 * std::sqrt(root)), 1e-14);
  EXPECT_NEAR(two.polynomial(3), (1 + 9) / (2 * std::sqrt(root)) + 1.5, 1e-13);
  EXPECT_NEAR(two.largest_error, 26 / (2 * std::sqrt(root)) - 2.5, 1e-3);
  // Degrees and root mean square errors.
  const std::pair<int, double> rows[] = {{4, .0681},  {6, .0515},  {8, .0419}, {10, .0357},
                                         {14, .0280}, {20, .0215}, {30, .0159}};
  for (const auto& [degree, error] : rows) {
    EXPECT_NEAR(std::sqrt(fit(kRelu, normal, degree, -5, 5).squared_error), error, 6e-5) << degree;
  }
}

TEST(HermiteFit, ShiftedAndScaledInputs) {
  const double mean = 0.7, deviation = 2.5;
  const std::vector<double> c = hermite_coefficients(kRelu, mean, deviation, 4, kKink);
  const Fit four = fit(kRelu, normal_distribution(mean, deviation, kKink), 4, -8, 8);
  for (const double x : {-8.0, -1.0, 0.0, 3.0, 8.0}) {
    const double u = (x - mean) / deviation, u2 = u * u;
    const double sum =
        c[0] + c[1] * u + c[2] * (u2 - 1) + c[3] * u * (u2 - 3) + c[4] * (u2 * u2 - 6 * u2 + 3);
    EXPECT_NEAR(four.polynomial(x), sum, 1e-12) << x;
  }
}

// Uniform on [-1, 1] in bins: the fit is Legendre's series. |x| = 1/2 P_0 + 5/8 P_2 + ...
TEST(HermiteFit, FitsUnderAHistogram) {
  const std::vector<double> edges{-1, -0.5, 0.25, 1}, counts{2, 3, 3};
  const Fit two =
      fit([](Real x) { return std::abs(x); }, histogram_distribution(edges, counts, kKink), 2, -1, 1);
  EXPECT_NEAR(two.polynomial(0), 0.5 - 5.0 / 16, 1e-14);
  EXPECT_NEAR(two.polynomial(1), 0.5 + 5.0 / 8, 1e-14);
  EXPECT_NEAR(two.squared_error, 1.0 / 3 - 0.25 - 25.0 / 64 / 5, 1e-14);
  EXPECT_NEAR(two.largest_error, 3.0 / 16, 1e-12);
  // Only the bins with inputs count.
  const std::vector<double> right{-1, 0, 1}, none_left{0, 5};
  EXPECT_NEAR(fit(kRelu, histogram_distribution(right, none_left), 1, -1, 1).squared_error, 0, 1e-20);
}

TEST(HermiteFit, WrongArguments) {
  const std::vector<double> edges{0, 1, 1}, counts{1, 1}, zero{0}, two{0, 1};
  EXPECT_THROW(histogram_distribution(edges, counts), Error);
  EXPECT_THROW(histogram_distribution(two, counts), Error);
  EXPECT_THROW(histogram_distribution(two, zero), Error);
  EXPECT_THROW(normal_distribution(0, 0), Error);
  EXPECT_THROW(fit(kRelu, normal_distribution(0, 1), 65, -1, 1), Error);
  EXPECT_THROW(fit(kRelu, normal_distribution(0, 1), 2, 1, 1), Error);
}

}  // namespace
}  // namespace ap::circuits
