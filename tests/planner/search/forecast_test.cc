#include "planner/search/forecast.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "planner/search/autoprivacy_environment.h"
#include "planner/search/error_std_environment.h"
#include "tests/planner/search/small_problem.h"

namespace ap::search {
namespace {

using test::CloseProblem;

Counts counts_of(std::int64_t changed) {
  Counts counts;
  counts.images = 1'000'000;
  counts.seeds = 1;
  counts.changed = changed;
  return counts;
}

TEST(Forecast, IsTheMarginModelUntilItLearns) {
  const CloseProblem small;
  const ErrorStdEnvironment environment(small.problem);
  const Forecast forecast(environment, 40);
  const MarginModel model(small.network, small.problem.search.pixels, 40);
  const Choice choice = environment.uniform_choice(0.2);
  std::vector<double> variances;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    const double error = environment.points(i)[static_cast<std::size_t>(choice[i])].error;
    variances.push_back(error * error);
  }
  EXPECT_DOUBLE_EQ(forecast.changes(choice), model.expected_changes(variances));
  EXPECT_DOUBLE_EQ(forecast.factor(), 1);
}

TEST(Forecast, MeetsWhatSimulationsFound) {
  const CloseProblem small;
  const ErrorStdEnvironment environment(small.problem);
  const Choice choice = environment.cheapest_choice();
  for (const double times : {0.7, 1.3}) {
    Forecast forecast(environment, 40);
    const double found = times * forecast.changes(choice);
    ASSERT_GT(found, 1e-3);
    ASSERT_LT(found, 0.45);  // beyond a half no errors lead
    forecast.learn(choice, counts_of(std::llround(1e6 * found)));
    EXPECT_NEAR(forecast.changes(choice), found, 0.01 * found);
    EXPECT_EQ(forecast.factor() > 1, times > 1);
    const double factor = forecast.factor();
    forecast.learn(environment.exact_choice(), counts_of(0));  // says nothing
    EXPECT_EQ(forecast.factor(), factor);
  }
}

TEST(Forecast, SlopesAreThoseOfFiniteDifferences) {
  const CloseProblem small;
  const ErrorStdEnvironment environment(small.problem);
  const Forecast forecast(environment, 40);
  const Choice choice = environment.cheapest_choice();
  ASSERT_GT(forecast.changes(choice), 1e-3);
  const std::vector<double> slopes = forecast.slopes(choice);
  for (std::size_t i = 0; i < choice.size(); ++i) {
    Choice next = choice;
    if (next[i] == 0) continue;
    --next[i];
    const double here = environment.points(i)[static_cast<std::size_t>(choice[i])].error,
                 there = environment.points(i)[static_cast<std::size_t>(next[i])].error;
    const double difference = forecast.changes(choice) - forecast.changes(next);
    EXPECT_NEAR(slopes[i] * (here * here - there * there), difference, 0.2 * difference + 1e-6) << i;
  }
}

TEST(Refined, IsAllowedAndNoSlower) {
  const CloseProblem small;
  const ErrorStdEnvironment environment(small.problem);
  const Forecast forecast(environment, 40);
  for (const double action : {0.1, 0.4, 0.9}) {
    const Choice choice = environment.uniform_choice(action);
    const double allowed = std::max(forecast.changes(choice), 1e-4);
    const Choice better = refined(environment, forecast, choice, allowed);
    EXPECT_LE(forecast.changes(better), allowed);
    EXPECT_LE(environment.seconds(better), environment.seconds(choice));
    const Choice stricter = refined(environment, forecast, better, allowed / 2);
    // A tie changes under the smallest of errors.
    const double least = forecast.changes(environment.exact_choice());
    EXPECT_LE(forecast.changes(stricter), std::max(allowed / 2, least * 1.0001));
  }
  const Choice all = refined(environment, forecast, environment.exact_choice(), 1);
  EXPECT_EQ(environment.seconds(all), environment.seconds(environment.cheapest_choice()));
}

TEST(Forecast, RefusesErrorsThatAreNotSmall) {
  const test::SmallProblem small(12);
  const AutoprivacyEnvironment environment(small.problem);
  EXPECT_THROW(Forecast(environment, 4), Error);
}

}  // namespace
}  // namespace ap::search
