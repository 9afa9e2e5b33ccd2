#include "planner/policies/budget.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "planner/policies/select.h"
#include "planner/spaces/assemble.h"
#include "tests/planner/resnet20.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::plan {
namespace {

std::vector<std::int32_t> random_images(const nn::QuantisedNetwork& network, std::size_t count) {
  Prng prng(Seed{5});
  const nn::QNode& input = network.nodes.front();
  std::vector<std::int32_t> images(count * static_cast<std::size_t>(input.shape.size()));
  for (std::int32_t& v : images) {
    v = static_cast<std::int32_t>(input.low + static_cast<std::int64_t>(prng.next64() % 256));
  }
  return images;
}

TEST(ErrorSteps, AreTheStepsOfTheNextRounding) {
  const nn::QuantisedNetwork net = protocol::test::small_network();
  std::vector<nn::Interval> ranges = exact_ranges(net);
  ranges.back() = {-12800, 6400};
  // conv1 -> relu1 (shift 7); conv2 -> requantise (9); depthwise -> add with multiplier 1 -> relu_pool (8);
  // conv3 -> clip (8); fc -> logits up to 12800.
  EXPECT_EQ(error_steps(net, ranges), (std::vector<double>{128, 512, 256, 256, 100}));
}

TEST(SelectErrorStd, KeepsEveryBudget) {
  const nn::QuantisedNetwork net = protocol::test::small_network();
  const std::vector<double> error_std = {32, 128, 64, 64, 25};
  const Plan plan = select_error_std(net, error_std, exact_ranges(net));
  ASSERT_EQ(plan.linears.size(), error_std.size());
  for (std::size_t i = 0; i < error_std.size(); ++i)
    EXPECT_LE(plan.linears[i].error_std, error_std[i] * 1.0001);
  EXPECT_EQ(plan.policy, "budget");
  EXPECT_GE(plan.min_lambda_bits, 128);
  EXPECT_THROW(select_error_std(net, std::vector<double>{1, 2}, exact_ranges(net)), Error);
  EXPECT_THROW(select_error_std(net, std::vector<double>{1, 2, 3, 0, 5}, exact_ranges(net)), Error);
}

TEST(SelectExact, HardlyEverErrs) {
  const nn::QuantisedNetwork net = protocol::test::small_network();
  const Plan plan = select_exact(net);
  EXPECT_EQ(plan.policy, "exact");
  EXPECT_LE(plan.failure_log2, -40 + 3);
  for (const LinearChoice& c : plan.linears) EXPECT_LT(c.error_std, 0.2);
}

TEST(SelectBudget, FallsBackToExactIfNoFractionIsAccurateEnough) {
  const nn::QuantisedNetwork net = protocol::test::small_network();
  BudgetOptions options;
  options.max_accuracy_loss = 0;
  options.fractions = {};
  const auto images = random_images(net, 40);
  const BudgetSelection selection = select_budget(net, images, {}, options);
  EXPECT_EQ(selection.fraction, 0);
  EXPECT_EQ(selection.plan.policy, "exact");
  options.max_accuracy_loss = 1;
  options.fractions = {2, 1};
  EXPECT_EQ(select_budget(net, images, {}, options).fraction, 2);
  options.max_accuracy_loss = 2;
  EXPECT_THROW(select_budget(net, images, {}, options), Error);
}

TEST(Simulate, IsTheSameForEverySeedAndCountsWraps) {
  const nn::QuantisedNetwork net = protocol::test::small_network();
  const auto images = random_images(net, 30);
  const std::vector<int> labels(30, 3);
  const Plan plan = select_exact(net);
  SimulateOptions options;
  options.seeds = {4, 4, 5};
  const Simulation s = simulate(net, plan, images, labels, options);
  EXPECT_EQ(s.images, 30u);
  EXPECT_EQ(s.top1[0], s.top1[1]);
  EXPECT_EQ(s.wrapped, 0) << "exact moduli hold every value";
  EXPECT_GE(s.agreement_mean, s.agreement_interval.low);
  EXPECT_LE(s.agreement_mean, s.agreement_interval.high);
  EXPECT_NEAR(*s.loss, *s.top1_clear - *s.top1_mean, 1e-12);
  // Without errors there is nothing to lose.
  noise::ErrorModel none = error_model(net, plan);
  for (auto& l : none.linears) std::fill(l.error_std.begin(), l.error_std.end(), 0.0F);
  for (auto& t : none.truncations) t.offset = std::int64_t{1} << (t.shift - 1), t.dropped_bits = 0;
  EXPECT_EQ(simulate(net, none, images, labels, options).agreement_mean, 1);
  // Moduli that are far too small.
  noise::ErrorModel narrow = error_model(net, plan);
  for (auto& t : narrow.truncations) t.sum_bits = 3;
  EXPECT_EQ(simulate(net, narrow, images, labels, options).wrapped, 1);
  EXPECT_THROW(simulate(net, plan, {}, {}, options), Error);
  EXPECT_THROW(simulate(net, plan, images, std::vector<int>(3), options), Error);
}

TEST(SelectBudget, PutsResnet20IntoSmallRings) {
  std::string missing;
  const test::Resnet20* resnet = test::resnet20(missing);
  if (!resnet) GTEST_SKIP() << "missing " << missing;
  BudgetOptions options;
  options.overflow_log2 = -10;
  options.max_accuracy_loss = 0.01;  // 200 images cannot tell a fifth of a percent
  options.simulate.seeds = {1, 2};
  const BudgetSelection s = select_budget(resnet->network, resnet->images, resnet->labels, options);
  EXPECT_GE(s.fraction, 0.125);
  EXPECT_LE(s.simulation.loss.value(), 0.01);
  EXPECT_LE(s.simulation.wrapped, 0.01);
  for (const LinearChoice& c : s.plan.linears) {
    const bfv::Parameters& group = s.plan.groups[static_cast<std::size_t>(c.group)];
    EXPECT_LE(group.n, 2048u);
    EXPECT_EQ(group.primes.size(), 1u);
    EXPECT_LE(group.log2_q(), 44);
  }
  EXPECT_GE(s.plan.min_lambda_bits, 128);
  const Plan exact = select_exact(resnet->network);
  const auto bytes = [](const Plan& p) {
    std::uint64_t sum = 0;
    for (const LinearChoice& c : p.linears) sum += c.predicted_bytes;
    return sum;
  };
  EXPECT_LT(bytes(s.plan), bytes(exact) * 7 / 10);
}

}  // namespace
}  // namespace ap::plan
