#include "planner/degrees/policies.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::degrees {
namespace {

struct Problem {
  nn::Graph graph = approximation::residual_network();
  std::vector<float> images = approximation::normal_values(128 * 200, 1, 31);
  std::vector<float> others = approximation::normal_values(128 * 300, 1, 32);
  std::vector<int> labels;
  CostTable costs = default_costs();
  PolicyOptions options;

  Problem() {
    // The network is right about everything.
    labels = approximation::simulate(graph, others, {}).predictions;
    options.max_loss = 0.03;
    options.offset_images = 50;
    options.bits = {8};
  }
  plan::ApproximationPlan plan(const char* policy) const {
    return make_plan(policy, graph, calibrate(graph, images, {}), images, {others, labels}, costs, options);
  }
};

TEST(DegreePolicies, KeepTheBoundOnTheLossAndGetFaster) {
  Problem problem;
  int simulated = 0;
  problem.options.on_plan = [&](const plan::ApproximationPlan&, const approximation::ClearResult&) {
    ++simulated;
  };
  const auto uniform = problem.plan("uniform"), ola = problem.plan("ola"), dp = problem.plan("dp");
  EXPECT_GT(simulated, 2);
  EXPECT_LT(ola.seconds, uniform.seconds / 1.5);
  EXPECT_LT(dp.seconds, ola.seconds);
  for (const plan::ApproximationPlan* p : {&uniform, &ola, &dp}) {
    EXPECT_NO_THROW(plan::validate(*p, problem.graph));
    const auto result =
        approximation::simulate(problem.graph, p->activations, problem.others, problem.labels);
    EXPECT_GE(*result.top1, 1 - problem.options.max_loss - 0.01) << p->policy;
    EXPECT_NO_THROW(approximation::refuse_overflow(problem.graph, p->activations, result, 1.1)) << p->policy;
  }
  EXPECT_EQ(uniform.bootstraps.size(),
            5U);  // 14 levels and two convolutions are more than a fresh ciphertext has
  EXPECT_LT(dp.bootstraps.size(), 4U);
  for (const plan::ApproximateActivation& a : uniform.activations)
    EXPECT_EQ(std::get<plan::CompositeRelu>(a.function).bits, 13);
}

TEST(DegreePolicies, RefuseWhatCannotBe) {
  Problem problem;
  EXPECT_THROW(problem.plan("best"), Error);
  problem.options.max_loss = -1;
  EXPECT_THROW(problem.plan("dp"), Error);
  nn::Graph linear = problem.graph;
  linear.nodes.resize(2);
  EXPECT_THROW(calibrate(linear, problem.images, {}), Error);
}

}  // namespace
}  // namespace ap::degrees
