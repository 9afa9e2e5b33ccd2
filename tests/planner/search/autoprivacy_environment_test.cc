#include "planner/search/autoprivacy_environment.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "planner/search/policies.h"
#include "tests/planner/search/small_problem.h"

namespace ap::search {
namespace {

TEST(AutoprivacyEnvironment, OffersRatesThatItsPlansKeep) {
  const test::SmallProblem small(12);
  AutoprivacyEnvironment environment(small.problem);
  ASSERT_EQ(environment.layers(), 5U);
  for (std::size_t i = 0; i < environment.layers(); ++i) {
    const auto points = environment.points(i);
    ASSERT_FALSE(points.empty());
    for (std::size_t k = 1; k < points.size(); ++k) {
      EXPECT_GT(points[k].error, points[k - 1].error);
      EXPECT_LT(points[k].seconds, points[k - 1].seconds);
    }
    // 2^-round(5 + 10 a).
    for (const double action : {0.0, 0.04, 0.07, 0.5, 0.98, 1.0}) {
      const Point& point = points[static_cast<std::size_t>(environment.point_for(i, action))];
      EXPECT_LE(point.error, std::exp2(-std::round(5 + 10 * action)));
    }
  }
  const plan::Plan plan = environment.plan_of(environment.cheapest_choice());
  EXPECT_GE(plan.min_lambda_bits, 128);
  EXPECT_FALSE(plan.primes.empty());
  Trace trace;
  const Budget budget{.max_loss = 0.5, .max_seconds = {}, .simulations = 3};
  const Choice choice = RandomPolicy(1).search(environment, budget, trace);
  EXPECT_EQ(trace.size(), 3U);
  EXPECT_EQ(choice.size(), environment.layers());
}

TEST(AutoprivacyEnvironment, ASearchWithoutAChoiceEndsAtOnceAndSaysSo) {
  const test::SmallProblem small(12);
  AutoprivacyEnvironment environment(small.problem);
  if (!environment.single()) GTEST_SKIP() << "rates change what this network costs";
  const Result result =
      run_policy(*make_policy("dp", 1), environment, {.max_loss = 0.5, .max_seconds = {}, .simulations = 9});
  EXPECT_TRUE(result.single);
  EXPECT_TRUE(result.trace.empty());
  EXPECT_LE(environment.simulations(), 1U);
  EXPECT_NE(result.plan.notes.back().find("single point"), std::string::npos);
}

TEST(AutoprivacyEnvironment, PolicyDpRefusesWhatItCannotWeigh) {
  const test::SmallProblem small(12);
  AutoprivacyEnvironment environment(small.problem);
  Trace trace;
  EXPECT_THROW(
      KnapsackPolicy().search(environment, {.max_loss = 0.5, .max_seconds = {}, .simulations = 9}, trace),
      Error);
}

}  // namespace
}  // namespace ap::search
