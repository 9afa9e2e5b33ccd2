#include "analysis/approximation/fits.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::approximation {
namespace {

// Counts of a standard normal distribution.
InputDistribution normal_inputs(double deviation = 1) {
  InputDistribution d;
  d.node = 2;
  d.low = -8 * deviation;
  d.high = 8 * deviation;
  d.variance = deviation * deviation;
  for (std::size_t i = 0; i < InputDistribution::kBins; ++i) {
    const double left = -8 + 16.0 * static_cast<double>(i) / InputDistribution::kBins,
                 right = left + 16.0 / InputDistribution::kBins;
    const double part = (std::erf(right / std::sqrt(2)) - std::erf(left / std::sqrt(2))) / 2;
    d.counts.push_back(static_cast<std::uint64_t>(1e15 * part));
  }
  return d;
}

// The root mean square errors of the best polynomials for ReLU under N(0, 1): Hermite's series.
TEST(Fits, ErrorsOfReluUnderANormalDistribution) {
  const nn::Graph g = perceptron(3, 5);
  const std::pair<int, double> rows[] = {{2, .1062}, {4, .0681},  {6, .0515},
                                         {8, .0419}, {10, .0357}, {14, .0280}};
  for (const auto& [degree, error] : rows) {
    for (const auto shape : {FitWeights::Shape::normal, FitWeights::Shape::histogram}) {
      const Candidate c = fit_polynomial(g, normal_inputs(), degree, 8, {shape, 1, 0});
      EXPECT_NEAR(std::sqrt(c.squared_error), error, 2e-4) << degree;
      const auto& series = std::get<circuits::ChebyshevSeries>(c.activation.function);
      EXPECT_EQ(series.high, 8);
      EXPECT_DOUBLE_EQ(series.coefficients[1], 4);
      EXPECT_EQ(plan::split_linear(series).rest.parity(), circuits::Parity::even);
    }
    // x a and y a: the error grows with the deviation.
    EXPECT_NEAR(std::sqrt(fit_polynomial(g, normal_inputs(3), degree, 24).squared_error), 3 * error, 1e-3);
  }
}

// OLA's scaled distribution: fitted to N(0, r^2), errors under N(0, 1).
TEST(Fits, WiderWeightsTradeTheBulkForTheTail) {
  const nn::Graph g = perceptron(3, 5);
  const auto fit = [&](double r) {
    return fit_polynomial(g, normal_inputs(), 6, 8, {FitWeights::Shape::normal, r, 0});
  };
  EXPECT_NEAR(std::sqrt(fit(1.5).squared_error), .077, 1e-3);
  EXPECT_NEAR(std::sqrt(fit(2).squared_error), .110, 1e-3);
  EXPECT_NEAR(fit(1).largest_error, 286, 3);
  EXPECT_NEAR(fit(1.5).largest_error, 19, 0.5);
  const Candidate spread = fit_polynomial(g, normal_inputs(), 14, 8, {FitWeights::Shape::histogram, 1, 1e-3});
  EXPECT_LT(spread.largest_error, 2);
  EXPECT_LT(std::sqrt(spread.squared_error), .05);
}

TEST(Fits, OtherActivations) {
  EXPECT_TRUE(is_half_even(kReluOp));
  EXPECT_FALSE(is_half_even(nn::ClipOp{0, 6}));
  EXPECT_FALSE(is_half_even(nn::SmoothOp{nn::SmoothKind::tanh}));
  for (const nn::SmoothKind kind : {nn::SmoothKind::silu, nn::SmoothKind::gelu, nn::SmoothKind::gelu_tanh}) {
    EXPECT_TRUE(is_half_even(nn::SmoothOp{kind}));
    const Candidate c = fit_polynomial(perceptron(3, 5, nn::SmoothOp{kind}), normal_inputs(), 6, 8);
    EXPECT_LT(c.squared_error, 4e-4) << static_cast<int>(kind);
  }
  // The general fit takes all powers, and stands for what is no half of x and an even part.
  const Candidate six = fit_polynomial(perceptron(3, 5, nn::ClipOp{0, 6}), normal_inputs(3), 13, 24);
  EXPECT_LT(std::sqrt(six.squared_error), 0.4);
  EXPECT_NEAR(six.activation(3), 3, 0.5);
}

TEST(Fits, CompositesKeepTheirBits) {
  const nn::Graph g = perceptron(3, 5);
  const Candidate c = composite_relu(g, normal_inputs(), 10, 16);
  EXPECT_LE(c.largest_error, 16 * 0x1p-10);
  EXPECT_EQ(c.activation.depth, 11);
  EXPECT_EQ(c.products, 18);
  EXPECT_GT(c.squared_error, 0);
  EXPECT_LT(c.squared_error, c.largest_error * c.largest_error);
  EXPECT_THROW(composite_relu(perceptron(3, 5, nn::ClipOp{0, 6}), normal_inputs(), 10, 16), Error);
}

TEST(Fits, RefusesWhatHasNoMeaning) {
  const nn::Graph g = perceptron(3, 5);
  EXPECT_THROW(fit_polynomial(g, normal_inputs(), 7, 8), Error);
  EXPECT_THROW(fit_polynomial(g, normal_inputs(), 66, 8), Error);
  EXPECT_THROW(fit_polynomial(g, normal_inputs(), 6, 0), Error);
}

}  // namespace
}  // namespace ap::approximation
