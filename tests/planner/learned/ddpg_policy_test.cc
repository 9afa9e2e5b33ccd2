#include "planner/learned/ddpg_policy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "planner/search/error_std_environment.h"
#include "tests/base/temporary_directory.h"
#include "tests/planner/search/small_problem.h"

namespace ap::ddpg {
namespace {

using search::Budget;
using search::ErrorStdEnvironment;
using search::test::SmallProblem;

search::Result run(const SmallProblem& small, const Budget& budget,
                   const DdpgOptions& options = {.rollouts = 8}) {
  ErrorStdEnvironment environment(small.problem);
  DdpgPolicy policy(options);
  return search::run_policy(policy, environment, budget);
}

std::vector<double> seconds_of(const search::Result& result) {
  std::vector<double> seconds;
  for (const search::TraceEntry& episode : result.trace) seconds.push_back(episode.seconds);
  return seconds;
}

/// One rank that fails when the policy tells its choice the n-th time.
class Stopper final : public search::Sharder {
 public:
  explicit Stopper(int episodes) : left_(episodes + 1) {}  // once before all episodes
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void sum(std::span<std::int64_t>) override {
    if (left_-- == 0) fail_input("stopped");
  }

 private:
  int left_;
};

void expect_same(const search::Result& a, const search::Result& b) {
  EXPECT_EQ(a.choice, b.choice);
  ASSERT_EQ(a.trace.size(), b.trace.size());
  for (std::size_t k = 0; k < a.trace.size(); ++k) {
    EXPECT_EQ(a.trace[k].seconds, b.trace[k].seconds) << k;
    EXPECT_EQ(a.trace[k].reward, b.trace[k].reward) << k;
  }
}

TEST(DdpgState, ScalesEachFeatureOverTheNetwork) {
  const SmallProblem small(20);
  const ErrorStdEnvironment environment(small.problem);
  State low, high;
  low.fill(1);
  high.fill(0);
  for (std::size_t i = 0; i < environment.layers(); ++i) {
    const State state = state_of(environment, i, 0.25);
    EXPECT_EQ(state.back(), 0.25F);
    for (std::size_t k = 0; k + 1 < state.size(); ++k) {
      low[k] = std::min(low[k], state[k]);
      high[k] = std::max(high[k], state[k]);
    }
  }
  EXPECT_EQ(low[0], 0);  // the position surely differs
  EXPECT_EQ(high[0], 1);
  for (std::size_t k = 0; k + 1 < low.size(); ++k) {
    EXPECT_EQ(low[k], 0) << k;
    EXPECT_TRUE(high[k] == 1 || high[k] == 0) << k;
  }
}

TEST(DdpgPolicy, FindsAFasterPlanThatKeepsTheBoundOnTheLoss) {
  const SmallProblem small(100);
  const ErrorStdEnvironment environment(small.problem);
  const Budget budget{.max_loss = 0.02, .max_seconds = {}, .simulations = 25};
  const search::Result result = run(small, budget);
  EXPECT_EQ(result.plan.policy, "ddpg");
  EXPECT_LE(result.trace.size(), 25U);
  EXPECT_LT(environment.seconds(result.choice), environment.seconds(environment.exact_choice()));
  EXPECT_LE(result.held_out.loss(), 0.02);
}

TEST(DdpgPolicy, KeepsABoundOnSeconds) {
  const SmallProblem small(60);
  const ErrorStdEnvironment environment(small.problem);
  const double bound =
      (environment.seconds(environment.exact_choice()) + environment.seconds(environment.cheapest_choice())) /
      2;
  const search::Result result = run(small, {.max_loss = {}, .max_seconds = bound, .simulations = 15});
  for (const search::TraceEntry& episode : result.trace) EXPECT_LE(episode.seconds, bound * (1 + 1e-9));
}

TEST(DdpgPolicy, TheSameSeedTakesTheSameCourse) {
  const SmallProblem small(40);
  const Budget budget{.max_loss = 0.02, .max_seconds = {}, .simulations = 14};
  const search::Result first = run(small, budget, {.agent = {.seed = 3}, .rollouts = 0});
  expect_same(first, run(small, budget, {.agent = {.seed = 3}, .rollouts = 0}));
  EXPECT_NE(seconds_of(first), seconds_of(run(small, budget, {.agent = {.seed = 4}, .rollouts = 0})));
}

/// Where errors do change classes, seeds matter while imagining too.
TEST(DdpgPolicy, TheSameSeedImaginesTheSame) {
  const search::test::CloseProblem close;
  const Budget budget{.max_loss = 0.02, .max_seconds = {}, .simulations = 6};
  const auto searched = [&](std::uint64_t seed) {
    ErrorStdEnvironment environment(close.problem);
    DdpgPolicy policy({.agent = {.seed = seed}, .rollouts = 8});
    return search::run_policy(policy, environment, budget);
  };
  const search::Result first = searched(3);
  expect_same(first, searched(3));
  EXPECT_NE(seconds_of(first), seconds_of(searched(4)));
}

TEST(DdpgPolicy, PenaltyOnLatencyAndErrorsAgainstLabelsAreRewardsToo) {
  const SmallProblem small(40);
  const ErrorStdEnvironment environment(small.problem);
  const Budget budget{.max_loss = 0.02, .max_seconds = {}, .simulations = 10};
  for (const DdpgOptions& options : {DdpgOptions{.lambda = 1}, DdpgOptions{.reward = Reward::error}}) {
    const search::Result result = run(small, budget, options);
    EXPECT_LE(environment.seconds(result.choice), environment.seconds(environment.exact_choice()));
  }
}

TEST(DdpgPolicy, ImaginingFindsNoSlowerPlansThanThePaperFormWithAsManySimulations) {
  const SmallProblem small(200);
  const ErrorStdEnvironment environment(small.problem);
  const Budget budget{.max_loss = 0.01, .max_seconds = {}, .simulations = 16};
  const search::Result pure = run(small, budget, {.rollouts = 0});
  const search::Result imagining = run(small, budget, {.rollouts = 16});
  EXPECT_LE(imagining.trace.size(), 16U);  // simulations alone are episodes of the trace
  EXPECT_LE(environment.seconds(imagining.choice), environment.seconds(pure.choice) * 1.001);
}

class StoppedSearch : public ::testing::TestWithParam<int> {};

TEST_P(StoppedSearch, GoesOnAsIfNeverStopped) {
  const SmallProblem small(40);
  const ErrorStdEnvironment environment(small.problem);
  const double bound =
      (environment.seconds(environment.exact_choice()) + environment.seconds(environment.cheapest_choice())) /
      2;
  const Budget budget{.max_loss = {}, .max_seconds = bound, .simulations = 18};
  const search::Result whole = run(small, budget, {.rollouts = GetParam()});
  const TemporaryDirectory directory;
  const DdpgOptions options{
      .rollouts = GetParam(), .state = directory.path() / "search.ddpg", .resume = true};
  {
    Stopper stopper(14);
    DdpgOptions stopped = options;
    stopped.sharder = &stopper;
    EXPECT_THROW(run(small, budget, stopped), Error);
  }
  ASSERT_TRUE(std::filesystem::exists(options.state));
  expect_same(run(small, budget, options), whole);
  EXPECT_FALSE(std::filesystem::exists(options.state));
}

INSTANTIATE_TEST_SUITE_P(PureAndImagining, StoppedSearch, ::testing::Values(0, 8));

TEST(DdpgPolicy, RefusesTheStateOfAnotherSearchOrADamagedOne) {
  const SmallProblem small(20);
  const ErrorStdEnvironment environment(small.problem);
  const double bound =
      (environment.seconds(environment.exact_choice()) + environment.seconds(environment.cheapest_choice())) /
      2;
  const Budget budget{.max_loss = {}, .max_seconds = bound, .simulations = 18};
  const TemporaryDirectory directory;
  const DdpgOptions options{.rollouts = 0, .state = directory.path() / "search.ddpg", .resume = true};
  {
    Stopper stopper(14);
    DdpgOptions stopped = options;
    stopped.sharder = &stopper;
    EXPECT_THROW(run(small, budget, stopped), Error);
  }
  const Bytes whole = read_file(options.state, 1 << 28);
  Budget other = budget;
  other.max_seconds = 1.1 * bound;
  EXPECT_THROW(run(small, other, options), Error);
  for (const std::size_t length : {std::size_t{3}, std::size_t{20}, std::size_t{200}, whole.size() - 1}) {
    write_file(options.state, ByteView(whole).first(length));
    EXPECT_THROW(run(small, budget, options), Error) << length;
  }
}

}  // namespace
}  // namespace ap::ddpg
