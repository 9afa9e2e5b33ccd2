#include "planner/search/policies.h"

#include <gtest/gtest.h>

#include <barrier>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "planner/search/error_std_environment.h"
#include "planner/search/journal.h"
#include "tests/planner/search/small_problem.h"

namespace ap::search {
namespace {

TEST(ErrorStdEnvironment, ListsFallInSecondsAndRiseInError) {
  const test::SmallProblem small;
  ErrorStdEnvironment environment(small.problem);
  ASSERT_EQ(environment.layers(), 5U);
  for (std::size_t i = 0; i < environment.layers(); ++i) {
    const auto points = environment.points(i);
    ASSERT_GE(points.size(), 3U);
    for (std::size_t k = 1; k < points.size(); ++k) {
      EXPECT_GT(points[k].error, points[k - 1].error);
      EXPECT_LT(points[k].seconds, points[k - 1].seconds);
      EXPECT_LE(points[k].action, points[k - 1].action);
    }
    for (const double action : {0.0, 0.3, 0.7}) {
      EXPECT_GE(points[static_cast<std::size_t>(environment.point_for(i, action))].action, action - 1e-6);
    }
    EXPECT_EQ(environment.point_for(i, 0), environment.cheapest_choice()[i]);
  }
  const Choice cheapest = environment.cheapest_choice();
  const plan::Plan plan = environment.plan_of(cheapest);
  EXPECT_NEAR(
      environment.seconds(cheapest),
      [&] {
        double sum = 0;
        for (std::size_t i = 0; i < 5; ++i) sum += environment.points(i).back().seconds;
        return sum + environment.fixed_seconds();
      }(),
      1e-12);
  EXPECT_GE(plan.min_lambda_bits, 128);
}

TEST(ErrorStdEnvironment, InjectsWhatItsPlanInjects) {
  const test::SmallProblem small(40);
  ErrorStdEnvironment environment(small.problem);
  const Choice choice = environment.uniform_choice(0.2);
  plan::SimulateOptions options;
  options.seeds = small.problem.options.seeds;
  const plan::Simulation direct =
      plan::simulate(small.network, environment.plan_of(choice), small.problem.search.pixels,
                     small.problem.search.labels, options);
  const Counts& counts = environment.evaluate(choice).counts;
  EXPECT_DOUBLE_EQ(counts.loss(), *direct.loss);
  EXPECT_DOUBLE_EQ(counts.loss_std_error(), direct.loss_std_error);
  EXPECT_DOUBLE_EQ(counts.changes(), 1 - direct.agreement_mean);
}

TEST(Constrain, WalksToTheBoundAndNamesWhatStandsInTheWay) {
  const test::SmallProblem small(20);
  const ErrorStdEnvironment environment(small.problem);
  const double slow = environment.seconds(environment.exact_choice());
  const double fast = environment.seconds(environment.cheapest_choice());
  ASSERT_LT(fast, slow);
  for (const double share : {0.0, 0.3, 0.9}) {
    const double bound = fast + share * (slow - fast);
    const Choice choice = environment.constrain(environment.exact_choice(), bound * (1 + 1e-12));
    EXPECT_LE(environment.seconds(choice), bound * (1 + 1e-9));
  }
  EXPECT_EQ(environment.constrain(environment.exact_choice(), slow), environment.exact_choice());
  try {
    environment.constrain(environment.exact_choice(), fast / 2);
    FAIL();
  } catch (const Error& e) {
    std::size_t layer = 0;
    for (std::size_t i = 1; i < environment.layers(); ++i) {
      if (environment.points(i).back().seconds > environment.points(layer).back().seconds) layer = i;
    }
    EXPECT_NE(std::string(e.what()).find(environment.layer_name(layer)), std::string::npos) << e.what();
  }
}

Result run(const Problem& problem, const std::string& name, const Budget& budget) {
  ErrorStdEnvironment environment(problem);
  return run_policy(*make_policy(name, 7), environment, budget);
}

TEST(Policies, KnapsackIsNoWorseThanTheControls) {
  const test::SmallProblem small(200);
  const ErrorStdEnvironment environment(small.problem);
  const Budget budget{.max_loss = 0.01, .max_seconds = {}, .simulations = 40};
  const Result dp = run(small.problem, "dp", budget);
  EXPECT_EQ(dp.plan.policy, "dp");
  for (const std::string control : {"random", "greedy"}) {
    const Result other = run(small.problem, control, budget);
    EXPECT_LE(environment.seconds(dp.choice), environment.seconds(other.choice) * 1.02) << control;
    EXPECT_LE(other.trace.size(), 41U);
  }
  EXPECT_LT(environment.seconds(dp.choice), environment.seconds(environment.exact_choice()));
}

TEST(Policies, KeepABoundOnSeconds) {
  const test::SmallProblem small(100);
  const ErrorStdEnvironment environment(small.problem);
  const double bound =
      (environment.seconds(environment.exact_choice()) + environment.seconds(environment.cheapest_choice())) /
      2;
  double changes = 1;
  for (const std::string name : {"random", "greedy", "dp"}) {
    const Result r = run(small.problem, name, {.max_loss = {}, .max_seconds = bound, .simulations = 20});
    EXPECT_LE(environment.seconds(r.choice), bound) << name;
    if (name == "dp") {
      EXPECT_LE(r.held_out.counts.changes(), changes + 0.03);
    }
    changes = std::min(changes, r.held_out.counts.changes());
  }
  EXPECT_THROW(run(small.problem, "dp", {.max_loss = {}, .max_seconds = 1e-9, .simulations = 5}), Error);
  EXPECT_THROW(run(small.problem, "dp", {.max_loss = {}, .max_seconds = {}, .simulations = 5}), Error);
  EXPECT_THROW(run(small.problem, "dp", {.max_loss = 2, .max_seconds = {}, .simulations = 5}), Error);
}

/// Ranks are threads.
class ThreadSharder final : public Sharder {
 public:
  struct Shared {
    explicit Shared(int size) : ranks(size), barrier(size) {}
    int ranks;
    std::barrier<> barrier;
    std::vector<std::vector<std::int64_t>> values =
        std::vector<std::vector<std::int64_t>>(static_cast<std::size_t>(ranks));
  };
  ThreadSharder(Shared& shared, int rank) : shared_(&shared), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return shared_->ranks; }
  void sum(std::span<std::int64_t> values) override {
    shared_->values[static_cast<std::size_t>(rank_)].assign(values.begin(), values.end());
    shared_->barrier.arrive_and_wait();
    std::ranges::fill(values, 0);
    for (const auto& each : shared_->values) {
      for (std::size_t i = 0; i < values.size(); ++i) values[i] += each[i];
    }
    shared_->barrier.arrive_and_wait();
  }

 private:
  Shared* shared_;
  int rank_;
};

TEST(Sharder, ThreeRanksDecideAsOne) {
  const test::SmallProblem small(50);
  const Budget budget{.max_loss = 0.02, .max_seconds = {}, .simulations = 12};
  const Result alone = run(small.problem, "dp", budget);
  ThreadSharder::Shared shared(3);
  std::vector<Result> results(3);
  std::vector<std::thread> ranks;
  for (int rank = 0; rank < 3; ++rank) {
    ranks.emplace_back([&, rank] {
      ThreadSharder sharder(shared, rank);
      ErrorStdEnvironment environment(small.problem, &sharder);
      results[static_cast<std::size_t>(rank)] = run_policy(*make_policy("dp", 7), environment, budget);
    });
  }
  for (auto& rank : ranks) rank.join();
  for (const Result& r : results) {
    EXPECT_EQ(r.choice, alone.choice);
    EXPECT_EQ(r.held_out.counts.right, alone.held_out.counts.right);
    EXPECT_EQ(r.held_out.counts.squares, alone.held_out.counts.squares);
    EXPECT_EQ(r.held_out.counts.changed, alone.held_out.counts.changed);
    ASSERT_EQ(r.trace.size(), alone.trace.size());
    for (std::size_t k = 0; k < r.trace.size(); ++k) EXPECT_EQ(r.trace[k].loss, alone.trace[k].loss);
  }
}

TEST(Journal, AStoppedSearchGoesOnWhereItWas) {
  const test::SmallProblem small(100, false);
  const auto file = std::filesystem::temp_directory_path() /
                    ("ap_search_" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "_" +
                     std::to_string(std::hash<std::thread::id>{}(std::this_thread::get_id())) + ".json");
  const Budget budget{.max_loss = 0, .max_seconds = {}, .simulations = 12};
  for (const std::string name : {"dp", "random"}) {
    const Result whole = run(small.problem, name, budget);
    std::filesystem::remove(file);
    {
      ErrorStdEnvironment environment(small.problem);
      Journal journal(file, name);
      EXPECT_EQ(journal.resume(environment), 0U);
      journal.follow(environment);
      int left = 6;
      environment.on_simulation([&] {
        if (--left == 0) throw Error(ErrorCode::input, "stopped");
      });
      EXPECT_THROW(run_policy(*make_policy(name, 7), environment, budget), Error);
    }
    ErrorStdEnvironment environment(small.problem);
    Journal journal(file, name);
    EXPECT_EQ(journal.resume(environment), 4U);
    int simulated = 0;
    environment.on_simulation([&] { ++simulated; });
    const Result resumed = run_policy(*make_policy(name, 7), environment, budget);
    journal.finish(environment, resumed);
    EXPECT_EQ(resumed.choice, whole.choice);
    EXPECT_EQ(resumed.tightened, whole.tightened);
    ASSERT_EQ(resumed.trace.size(), whole.trace.size());
    for (std::size_t k = 0; k < whole.trace.size(); ++k) {
      EXPECT_EQ(resumed.trace[k].loss, whole.trace[k].loss);
      EXPECT_EQ(resumed.trace[k].expected_loss, whole.trace[k].expected_loss);
    }
    // A finished search needs no simulation.
    ErrorStdEnvironment again(small.problem);
    EXPECT_GT(journal.resume(again), 4U);
    again.on_simulation([] { FAIL(); });
    EXPECT_EQ(run_policy(*make_policy(name, 7), again, budget).choice, whole.choice);
  }
  const test::SmallProblem other(52);
  ErrorStdEnvironment environment(other.problem);
  EXPECT_THROW(Journal(file, "dp").resume(environment), Error);
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace ap::search
