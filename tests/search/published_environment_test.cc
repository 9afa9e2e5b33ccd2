#include "search/published_environment.h"

#include <gtest/gtest.h>

#include <cmath>

#include "search/policies.h"
#include "search/small_problem.h"

namespace ap::search {
namespace {

TEST(PublishedEnvironment, OffersRatesThatItsPlansKeep) {
  const test::SmallProblem small(12);
  PublishedEnvironment environment(small.problem);
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

}  // namespace
}  // namespace ap::search
