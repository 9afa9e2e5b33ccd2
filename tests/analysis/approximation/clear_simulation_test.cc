#include "analysis/approximation/clear_simulation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::approximation {
namespace {

// p(x) = x on [-bound, bound].
plan::ApproximateActivation identity(double bound) {
  plan::ApproximateActivation a;
  a.node = 2;
  a.bound = bound;
  a.function = circuits::ChebyshevSeries{-bound, bound, {0, bound}};
  a.depth = 1;
  return a;
}

// Hidden values are the inputs, scores their sums with opposite signs.
nn::Graph plain() {
  nn::Graph g = perceptron(2, 2);
  g.nodes[1].op = nn::FullyConnectedOp{{1, 0, 0, 1}, {0, 0}};
  g.nodes[3].op = nn::FullyConnectedOp{{1, 1, -1, -1}, {0, 0}};
  return g;
}

TEST(ClearSimulation, CountsOverflowsAndRefusesThem) {
  const nn::Graph g = plain();
  const std::vector<float> images = {1, 2, -3, 0.5F, -5, 4};
  const std::vector<int> labels = {0, 1, 0};
  const auto a = identity(4);
  const ClearResult result = simulate(g, std::span(&a, 1), images, labels);
  EXPECT_EQ(result.predictions, (std::vector<int>{0, 1, 1}));
  EXPECT_NEAR(*result.top1, 2.0 / 3, 1e-12);
  EXPECT_EQ(result.outside(), 1U);
  EXPECT_DOUBLE_EQ(result.largest_ratio(), 1.25);
  EXPECT_THROW(refuse_overflow(g, std::span(&a, 1), result), Error);
  const auto wide = identity(5);
  const ClearResult inside = simulate(g, std::span(&wide, 1), images, {});
  EXPECT_FALSE(inside.top1);
  EXPECT_NO_THROW(refuse_overflow(g, std::span(&wide, 1), inside));
  EXPECT_THROW(refuse_overflow(g, std::span(&wide, 1), inside, 1.2), Error);
}

TEST(ClearSimulation, WhatIsNoNumberIsOutside) {
  const nn::Graph g = plain();
  const auto a = identity(4);
  const ClearResult result = simulate(g, std::span(&a, 1), std::vector<float>{std::nanf(""), 1}, {});
  EXPECT_EQ(result.outside(), 2U);  // the matrix spreads it
  EXPECT_TRUE(std::isinf(result.largest_ratio()));
}

// Scores 0 and errors of deviation s at two hidden values: score 0 wins by a sum of variance 2 s^2.
TEST(ClearSimulation, NoiseHasItsDeviation) {
  const nn::Graph g = plain();
  const ClearNetwork network(g);
  const std::vector<float> images(2 * 20000);
  const double deviations[] = {0.5};
  const std::vector<float> scores = noisy_logits(network, images, deviations, 3);
  double sum = 0, squares = 0;
  for (std::size_t n = 0; n < 20000; ++n) {
    sum += double{scores[2 * n]};
    squares += double{scores[2 * n]} * double{scores[2 * n]};
  }
  EXPECT_NEAR(sum / 20000, 0, 0.02);
  EXPECT_NEAR(squares / 20000, 0.5, 0.02);
  EXPECT_EQ(scores, noisy_logits(network, images, deviations, 3));
  EXPECT_NE(scores, noisy_logits(network, images, deviations, 4));
  const auto a = identity(4);
  EXPECT_NE(simulate(g, std::span(&a, 1), images, {}, {0.1, 1}).predictions,
            simulate(g, std::span(&a, 1), images, {}, {0.1, 2}).predictions);
}

}  // namespace
}  // namespace ap::approximation
