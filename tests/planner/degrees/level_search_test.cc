#include "planner/degrees/level_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

#include "base/error.h"
#include "planner/degrees/layerwise.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::degrees {
namespace {

using approximation::Candidate;

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

// Degree 2 and 6: depths 2 and 3.
Choices choice(int node, double coarse, double fine) {
  Choices c{node, {}, {coarse, fine}};
  for (const std::size_t degree : {2U, 6U}) {
    Candidate candidate;
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

std::vector<Choices> choices_of(const nn::Graph& g) {
  std::vector<Choices> result;
  double scale = 1;
  const approximation::ClearNetwork network(g);
  for (const int node : network.activations()) {
    result.push_back(choice(node, scale, 0.1 * scale));
    scale *= 1.7;
  }
  return result;
}

// Every choice there is.
std::vector<std::pair<double, double>> all_plans(const nn::Graph& g, const std::vector<Choices>& choices,
                                                 const HeCosts& costs) {
  std::vector<std::pair<double, double>> found;
  std::vector<int> after(g.nodes.size());
  const std::function<void(std::size_t, double, double)> visit = [&](std::size_t i, double seconds,
                                                                     double variance) {
    if (i == g.nodes.size()) {
      found.emplace_back(variance, seconds);
      return;
    }
    int input = costs.max_level();
    for (const int k : g.nodes[i].inputs) input = std::min(input, after[static_cast<std::size_t>(k)]);
    const auto choice = std::ranges::find(choices, static_cast<int>(i), &Choices::node);
    const std::size_t options = choice == choices.end() ? 1 : choice->candidates.size();
    for (std::size_t o = 0; o < options; ++o) {
      const int depth = choice == choices.end() ? plan::levels_of(g, static_cast<int>(i))
                                                : choice->candidates[o].activation.depth;
      if (input < depth) continue;
      const double own = choice == choices.end()
                             ? costs.node(g, static_cast<int>(i), input)
                             : activation_seconds(costs, choice->candidates[o].activation, input);
      const double more = choice == choices.end() ? 0 : choice->variances[o];
      for (int boot = 0; boot <= (i + 1 == g.nodes.size() ? 0 : costs.max_level()); ++boot) {
        if (boot != 0 && boot <= input - depth) continue;
        after[i] = boot == 0 ? input - depth : boot;
        visit(i + 1, seconds + own + (boot == 0 ? 0 : costs.bootstrap(boot)), variance + more);
      }
    }
  };
  for (int level = 0; level <= costs.max_level(); ++level) {
    after[0] = level;
    visit(1, 0, 0);
  }
  return found;
}

// x -> W -> a -> W -> sum with the first -> a -> W
nn::Graph small_residual() {
  nn::Graph g;
  g.name = "small";
  const nn::Shape s{4, 1, 1};
  g.nodes = {{"x", nn::InputOp{}, {}, s},
             {"w1", approximation::connection(4, 4, 1), {0}, s},
             {"a1", approximation::kReluOp, {1}, s},
             {"w2", approximation::connection(4, 4, 2), {2}, s},
             {"sum", nn::AddOp{}, {3, 1}, s},
             {"a2", approximation::kReluOp, {4}, s},
             {"w3", approximation::connection(4, 4, 3), {5}, s}};
  return g;
}

TEST(LevelSearch, FindsTheBestOfAllPlans) {
  const nn::Graph g = small_residual();
  const std::vector<Choices> choices = choices_of(g);
  for (const int levels : {4, 5}) {
    const CostTable costs = table(levels);
    const auto all = all_plans(g, choices, costs);
    const auto front = search_levels(g, choices, costs);
    ASSERT_FALSE(front.empty());
    for (const FrontPoint& p : front) {
      double best = 1e9;
      for (const auto& [variance, seconds] : all) {
        if (variance <= p.variance * (1 + 1e-12)) best = std::min(best, seconds);
      }
      EXPECT_NEAR(p.seconds, best, 1e-9) << levels;
      EXPECT_NEAR(p.seconds, seconds_of(g, costs, choices, p.candidates, {p.levels, p.bootstraps}), 1e-9);
    }
    double fastest = 1e9, finest = 1e9;
    for (const auto& [variance, seconds] : all) {
      fastest = std::min(fastest, seconds);
      finest = std::min(finest, variance);
    }
    EXPECT_NEAR(front.back().seconds, fastest, 1e-9);
    EXPECT_NEAR(front.front().variance, finest, 1e-12);
  }
}

TEST(LevelSearch, SharesABootstrapAmongActivations) {
  const nn::Graph g = approximation::residual_network();
  const std::vector<Choices> choices = choices_of(g);
  const CostTable costs = table(12);
  const auto front = search_levels(g, choices, costs);
  for (std::size_t k = 1; k < front.size(); ++k) {
    EXPECT_GT(front[k].variance, front[k - 1].variance);
    EXPECT_LT(front[k].seconds, front[k - 1].seconds);
  }
  const auto layerwise = layerwise_degrees(g, choices, costs);
  ASSERT_FALSE(layerwise.empty());
  EXPECT_LT(front.back().seconds, layerwise.back().seconds);
  EXPECT_LT(std::ranges::count_if(front.back().bootstraps, [](int b) { return b > 0; }),
            std::ranges::count_if(layerwise.back().bootstraps, [](int b) { return b > 0; }));
}

TEST(LevelSearch, RefusesTooFewLevels) {
  const nn::Graph g = small_residual();
  EXPECT_THROW(search_levels(g, choices_of(g), table(1)), Error);
}

}  // namespace
}  // namespace ap::degrees
