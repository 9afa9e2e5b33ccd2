#include "planner/spaces/candidates.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "security/limits.h"
#include "tests/planner/convolution_node.h"

namespace ap::plan {
namespace {

TEST(Candidates, KeepTheirBudgetAtFullSecurity) {
  const nn::QNode node = convolution(16, 16, 16);
  for (const ErrorBudget& budget : {ErrorBudget{40, 0, 1}, ErrorBudget{1, 0, 1}, ErrorBudget{0, -40, 4096}}) {
    const auto all = candidates(node, 19, budget);
    ASSERT_FALSE(all.empty());
    for (const Candidate& c : all) {
      EXPECT_LE(c.parameters.log2_q(), security::max_log2_q(c.parameters.n));
      EXPECT_EQ(c.choice.log2_p, 19);
      if (budget.error_std > 0) {
        EXPECT_LE(c.choice.error_std, budget.error_std * 1.0001);
      } else {
        EXPECT_LE(c.choice.failure_log2, -40 + 1e-6);
      }
      EXPECT_LT(c.choice.coefficient()->c0_dropped_bits, c.parameters.log2_q());
      EXPECT_LT(c.choice.coefficient()->c1_dropped_bits, c.parameters.log2_q());
    }
  }
}

TEST(Candidates, ErrorToleranceReachesTheSmallestRing) {
  const nn::QNode node = convolution(64, 64, 8);
  const auto smallest = [&](const ErrorBudget& budget, std::uint64_t inferences) {
    LayerOptions options;
    options.privacy_inferences = inferences;
    std::uint32_t n = 1 << 20;
    for (const Candidate& c : candidates(node, 20, budget, options)) n = std::min(n, c.parameters.n);
    return n;
  };
  EXPECT_EQ(smallest({0, -40, 1e5}, 0), 2048u);
  EXPECT_EQ(smallest({64, 0, 1}, 0), 1024u);
  // Noise that hides the weights takes some 15 bits more of q.
  EXPECT_EQ(smallest({64, 0, 1}, noise::kDefaultInferences), 2048u);
  EXPECT_EQ(smallest({0, -40, 1e5}, noise::kDefaultInferences), 2048u);
  const auto exact = cheapest(node, 20, {0, -40, 1e5}), graded = cheapest(node, 20, {64, 0, 1});
  EXPECT_LT(price_of(graded, kGigabit), price_of(exact, kGigabit));
  EXPECT_THROW(cheapest(node, 60, {1e-18, 0, 1}), Error);
}

TEST(Pareto, NothingIsBeatenAndNothingIsMissing) {
  const nn::QNode node = convolution(16, 16, 8);
  const std::vector<ErrorBudget> budgets = {{0, -40, 1e5}, {1, 0, 1}, {16, 0, 1}, {128, 0, 1}};
  const auto front = pareto(node, 18, budgets);
  ASSERT_GE(front.size(), 3u);
  const auto error = [](const Candidate& c) { return c.choice.failure_log2 <= -40 ? 0 : c.choice.error_std; };
  const auto no_worse = [&](const Candidate& a, const Candidate& b) {
    return error(a) <= error(b) && a.choice.predicted_bytes <= b.choice.predicted_bytes &&
           a.choice.predicted_s <= b.choice.predicted_s;
  };
  for (std::size_t i = 0; i < front.size(); ++i) {
    for (std::size_t j = 0; j < front.size(); ++j) {
      if (i != j) {
        EXPECT_FALSE(no_worse(front[i], front[j])) << i << ' ' << j;
      }
    }
  }
  for (const ErrorBudget& budget : budgets) {
    for (const Candidate& c : candidates(node, 18, budget)) {
      EXPECT_TRUE(
          std::any_of(front.begin(), front.end(), [&](const Candidate& f) { return no_worse(f, c); }));
    }
  }
}

}  // namespace
}  // namespace ap::plan
