#include "planner/degrees/layerwise.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::degrees {
namespace {

CostTable table(int levels) {
  CostTable t;
  t.slot_count = 1024;
  for (int level = 0; level <= levels; ++level) {
    t.products.push_back(0.1 * (level + 1));
    t.rotations.push_back(0.01 * (level + 1));
    t.diagonals.push_back(0.001 * (level + 1));
    t.bootstraps.push_back(5 + 0.3 * level);
  }
  return t;
}

Choices choice(int node, std::vector<double> variances) {
  Choices c{node, {}, std::move(variances)};
  for (const std::size_t degree : {2U, 6U, 14U}) {
    approximation::Candidate candidate;
    candidate.activation.node = node;
    candidate.activation.bound = 1;
    std::vector<double> coefficients(degree + 1);
    for (std::size_t j = 0; j <= degree; j += 2) coefficients[j] = 1;
    candidate.activation.function = circuits::ChebyshevSeries{-1, 1, coefficients};
    candidate.activation.depth = plan::depth_of(candidate.activation.function);
    c.candidates.push_back(candidate);
  }
  return c;
}

TEST(Layerwise, BootstrapsBeforeActivationsToWhatTheyTake) {
  const nn::Graph g = approximation::residual_network();
  const int depths[] = {4, 2, 3, 4, 2};
  const Placement own = bootstrap_before_activations(g, depths, 10, false);
  // conv1 and the first activation are fresh: 1 + 4 + 1 levels. The first result is read by conv2 and add1.
  EXPECT_EQ(own.levels[0], 6);
  EXPECT_EQ(own.bootstraps, (std::vector<int>{0, 0, 0, 3, 0, 0, 4, 0, 5, 0, 0, 0, 3, 0, 0, 0}));
  EXPECT_EQ(own.levels, (std::vector<int>{6, 5, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0}));
  const Placement one = bootstrap_before_activations(g, depths, 10, true);
  EXPECT_EQ(one.bootstraps, (std::vector<int>{0, 0, 0, 5, 0, 0, 5, 0, 5, 0, 0, 0, 5, 0, 0, 0}));
  EXPECT_EQ(one.levels.front(), 6);
  // With five levels the first activation is bootstrapped as well.
  const Placement five = bootstrap_before_activations(g, depths, 5, false);
  EXPECT_EQ(five.bootstraps[1], 5);
  EXPECT_EQ(five.levels[0], 1);
  EXPECT_THROW(bootstrap_before_activations(g, depths, 4, false), Error);
}

// Against all 3^5 choices: nothing of the front is beaten but by what rounding of times hides.
TEST(Layerwise, DegreesAreTheBestForTheirTime) {
  const nn::Graph g = approximation::residual_network();
  const CostTable costs = table(12);
  std::vector<Choices> choices;
  double scale = 1;
  const approximation::ClearNetwork network(g);
  for (const int node : network.activations()) {
    choices.push_back(choice(node, {scale, 0.2 * scale, 0.05 * scale}));
    scale = 3.1 - scale;
  }
  const auto front = layerwise_degrees(g, choices, costs, 20000);
  std::vector<std::pair<double, double>> all;
  for (int code = 0; code < 243; ++code) {
    std::vector<int> candidates, depths;
    double variance = 0;
    for (int i = 0, rest = code; i < 5; ++i, rest /= 3) {
      const auto k = static_cast<std::size_t>(i), c = static_cast<std::size_t>(rest % 3);
      candidates.push_back(rest % 3);
      depths.push_back(choices[k].candidates[c].activation.depth);
      variance += choices[k].variances[c];
    }
    const Placement p = bootstrap_before_activations(g, depths, 12, false);
    all.emplace_back(variance, seconds_of(g, costs, choices, candidates, p));
  }
  ASSERT_GT(front.size(), 5U);
  for (const FrontPoint& point : front) {
    double best = 1e9;
    for (const auto& [variance, seconds] : all) {
      if (variance <= point.variance + 1e-12) best = std::min(best, seconds);
    }
    EXPECT_LE(point.seconds, best + 0.02);
    EXPECT_GE(point.seconds, best - 1e-9);
  }
  EXPECT_NEAR(front.front().variance, std::ranges::min_element(all)->first, 1e-12);
}

}  // namespace
}  // namespace ap::degrees
