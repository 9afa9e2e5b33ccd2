#include "plan/approximation/approximation_plan.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::plan {
namespace {

using approximation::perceptron;
using approximation::residual_network;

// 0.25 + x / 2 + x^2 / 8 on [-4, 4]: x = 4 t, x^2 = 8 (T_2 + 1).
ApproximateActivation quadratic(int node) {
  ApproximateActivation a;
  a.node = node;
  a.bound = 4;
  a.function = circuits::ChebyshevSeries{-4, 4, {1.25, 2, 1}};
  a.depth = 2;
  return a;
}

ApproximationPlan plan_of_perceptron() { return {"dp", {quadratic(2)}, {}, {4, 3, 1, 0}, 1, 0}; }

TEST(ApproximationPlan, ActivationsEvaluate) {
  const ApproximateActivation a = quadratic(2);
  EXPECT_DOUBLE_EQ(a(0), 0.25);
  EXPECT_DOUBLE_EQ(a(2), 0.25 + 1 + 0.5);
  ApproximateActivation relu;
  relu.bound = 10;
  relu.function = CompositeRelu{6, circuits::sign_for_relu(6)};
  for (double x = -10; x <= 10; x += 0.37) EXPECT_NEAR(relu(x), std::max(x, 0.0), 10.0 / 64) << x;
  EXPECT_EQ(depth_of(relu.function), 6);
  EXPECT_EQ(depth_of(a.function), 2);
}

TEST(ApproximationPlan, SeriesSplitIntoLinearAndEvenParts) {
  const SplitSeries split = split_linear(std::get<circuits::ChebyshevSeries>(quadratic(2).function));
  EXPECT_EQ(split.linear, 2);
  EXPECT_EQ(split.rest.parity(), circuits::Parity::even);
  EXPECT_EQ(split.rest.degree(), 2);
}

TEST(ApproximationPlan, LevelsOfNodes) {
  const nn::Graph g = residual_network();
  const int expected[] = {0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1};
  for (int i = 0; i < 16; ++i) EXPECT_EQ(levels_of(g, i), expected[i]) << i;
  nn::Graph flat;
  flat.nodes = {{"x", nn::InputOp{}, {}, {2, 1, 2}}, {"flatten", nn::GatherOp{{0, 1, 2, 3}}, {0}, {4, 1, 1}}};
  EXPECT_EQ(levels_of(flat, 1), 0);
}

TEST(ApproximationPlan, ValidatesWhatFollowsFromLevels) {
  const nn::Graph g = perceptron(3, 5);
  EXPECT_NO_THROW(validate(plan_of_perceptron(), g));
  // A bootstrap makes up for what is missing.
  ApproximationPlan plan = plan_of_perceptron();
  plan.levels = {1, 0, 1, 0};
  EXPECT_THROW(validate(plan, g), Error);
  plan.bootstraps = {{1, 3, 4.0}};
  EXPECT_NO_THROW(validate(plan, g));
  plan.bootstraps = {{1, 2, 4.0}};
  EXPECT_THROW(validate(plan, g), Error);
}

TEST(ApproximationPlan, RefusesWhatIsNotWhole) {
  const nn::Graph g = perceptron(3, 5);
  const auto refused = [&](auto change) {
    ApproximationPlan plan = plan_of_perceptron();
    change(plan);
    EXPECT_THROW(validate(plan, g), Error);
  };
  refused([](ApproximationPlan& p) { p.activations.clear(); });
  refused([](ApproximationPlan& p) { p.activations[0].node = 1; });
  refused([](ApproximationPlan& p) { p.activations.push_back(quadratic(3)); });
  refused([](ApproximationPlan& p) { p.activations[0].bound = 5; });
  refused([](ApproximationPlan& p) { p.activations[0].bound = std::numeric_limits<double>::infinity(); });
  refused([](ApproximationPlan& p) { p.activations[0].depth = 1; });
  refused([](ApproximationPlan& p) { p.activations[0].offset = {1, 2}; });
  refused([](ApproximationPlan& p) { p.levels.pop_back(); });
  refused([](ApproximationPlan& p) { p.levels[3] = 1; });
  refused([](ApproximationPlan& p) { p.levels = {3, 2, 0, -1}; });
  refused([](ApproximationPlan& p) { p.bootstraps = {{9, 3, 1.0}}; });
  refused([](ApproximationPlan& p) { p.bootstraps = {{1, 3, 0.0}}; });
}

}  // namespace
}  // namespace ap::plan
