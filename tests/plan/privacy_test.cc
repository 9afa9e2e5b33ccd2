#include "plan/privacy.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "planner/policies/budget.h"
#include "planner/policies/select.h"
#include "random/wide_noise.h"
#include "tests/planner/convolution_node.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::plan {
namespace {

std::vector<Plan> plans_of(const nn::QuantisedNetwork& net, std::uint64_t inferences) {
  SelectOptions exact;
  BudgetOptions budget;
  exact.privacy_inferences = budget.privacy_inferences = inferences;
  const std::vector<double> error_std = {32, 128, 64, 64, 25};
  return {select_exact(net, exact), select_error_std(net, error_std, exact_ranges(net), budget)};
}

TEST(WeightPrivacy, EveryPlanKeepsTheRuleForItsOwnNumberOfInferences) {
  const nn::QuantisedNetwork net = protocol::test::small_network();
  for (const std::uint64_t inferences : {std::uint64_t{1}, std::uint64_t{1000}, noise::kDefaultInferences}) {
    for (const Plan& plan : plans_of(net, inferences)) {
      EXPECT_EQ(plan.privacy.inferences, inferences);
      EXPECT_LE(weight_snr(net, plan), noise::kWeightSnr * 1.000001) << plan.policy;
      EXPECT_NO_THROW(require_weight_privacy(net, plan));
    }
  }
}

TEST(WeightPrivacy, APlanThatSaysMoreThanItKeepsIsRefused) {
  const nn::QuantisedNetwork net = protocol::test::small_network();
  for (Plan plan : plans_of(net, 1000)) {
    plan.privacy.inferences = 4000;
    try {
      require_weight_privacy(net, plan);
      FAIL() << plan.policy;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::security);
      EXPECT_NE(std::string(error.what()).find("over 4000 inferences"), std::string::npos) << error.what();
    }
    plan.privacy.inferences = 1000;
    plan.linears.back().noise_step = 0;
    EXPECT_TRUE(std::isinf(weight_snr(net, plan)));
    EXPECT_THROW(require_weight_privacy(net, plan), Error);
  }
}

TEST(WeightPrivacy, WithoutAPromiseThereIsNoNoise) {
  const nn::QuantisedNetwork net = protocol::test::small_network();
  for (const Plan& plan : plans_of(net, 0)) {
    for (const LinearChoice& c : plan.linears) EXPECT_EQ(c.noise_step, 0u);
    EXPECT_EQ(weight_snr(net, plan), 0);
    EXPECT_NO_THROW(require_weight_privacy(net, plan));
  }
}

TEST(WeightPrivacy, FloodingAddsUpOverInferences) {
  Plan plan;
  plan.privacy.inferences = 1 << 20;
  EXPECT_EQ(flooding_distance(plan), 0);
  plan.linears.emplace_back().packing = SimdChoice{.statistical_bits = 40};
  EXPECT_DOUBLE_EQ(flooding_distance(plan), std::exp2(-20));
}

// What a plan says of weights are norms and magnitudes up to a quarter octave: layers that agree in those get the same
// numbers, to the last bit.
TEST(WeightPrivacy, NumbersOfAPlanDoNotTellNormsFinely) {
  nn::QNode node = convolution(16, 16, 8);
  auto& weights = std::get<nn::QLinear>(node.op).weights;
  for (const ErrorBudget& budget :
       {ErrorBudget{40, 0, 1}, ErrorBudget{0.01, 0, 1}, ErrorBudget{0, -40, 1e5}}) {
    const LayerSpace before(node, 19);
    const auto original = weights;
    std::size_t changed = 0;
    for (std::size_t i = 0; i < weights.size(); i += 7) {
      if (std::abs(weights[i]) < 3 || std::abs(weights[i]) > 100) continue;
      weights[i] = static_cast<std::int16_t>(weights[i] + (i % 2 == 0 ? 1 : -1));
      ++changed;
    }
    ASSERT_GT(changed, 50u);
    const LayerSpace after(node, 19);
    weights = original;
    const auto a = before.candidates(budget), b = after.candidates(budget);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].parameters, b[i].parameters);
      EXPECT_EQ(a[i].choice.error_std, b[i].choice.error_std);
      EXPECT_EQ(a[i].choice.failure_log2, b[i].choice.failure_log2);
      EXPECT_EQ(a[i].choice.noise_step, b[i].choice.noise_step);
      EXPECT_EQ(a[i].choice.coefficient()->c0_dropped_bits, b[i].choice.coefficient()->c0_dropped_bits);
      EXPECT_EQ(a[i].choice.coefficient()->c1_dropped_bits, b[i].choice.coefficient()->c1_dropped_bits);
    }
  }
}

}  // namespace
}  // namespace ap::plan
