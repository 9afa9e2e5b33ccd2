// Policy dp: the knapsack over measured sensitivities (planner/search/policies.h).
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "planner/search/knapsack.h"
#include "planner/search/margin_model.h"
#include "planner/search/policies.h"

namespace ap::search {
namespace {

// Rounds of weighing errors where the solution of the round before lies.
constexpr int kRounds = 4;
// Without a bound on the loss, sensitivities are first taken where errors are a quarter of a step.
constexpr double kStartAction = 3.0 / 7;
// What is left of the damage when a choice must be tightened.
constexpr double kTighten = 0.5;
// How finely the bisection tells variances apart, and its first stride, in natural logarithms.
constexpr double kPrecision = 0.1, kStride = 0.5;

std::vector<double> variances_of(const Environment& environment, const Choice& choice) {
  std::vector<double> variances;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    const double error = environment.points(i)[static_cast<std::size_t>(choice[i])].error;
    variances.push_back(error * error);
  }
  return variances;
}

Knapsack solve(const Environment& environment, std::span<const double> sensitivities) {
  std::vector<std::vector<Item>> lists;
  for (std::size_t i = 0; i < environment.layers(); ++i) {
    std::vector<Item>& list = lists.emplace_back();
    for (const Point& p : environment.points(i))
      list.push_back({p.seconds, sensitivities[i] * p.error * p.error});
  }
  return Knapsack(lists);
}

/// The last index in [0, size) that passes, for a test that passes up to some index; 0 if none does.
template <typename Passes>
std::size_t last_passing(std::size_t size, Passes passes) {
  std::size_t low = 0, high = size;
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (passes(middle) ? low : high) = middle;
  }
  return low;
}

/// Enters sums of the knapsack by bisection over the logarithm of their damage, starting at sum `start` with
/// growing strides, for a test that passes up to some damage.
void bisect(Incumbent& contest, const Knapsack& knapsack, std::size_t start) {
  const double most = knapsack.damage(knapsack.size() - 1), least = most * 1e-9;
  const auto place = [&](std::size_t k) { return std::log(std::max(knapsack.damage(k), least)); };
  double low = place(0), high = place(knapsack.size() - 1), probe = place(start), stride = kStride;
  std::optional<bool> first;
  bool striding = true;
  while (contest.open() && high - low > kPrecision) {
    const bool passed = contest.enter(knapsack.choice(knapsack.fastest(std::exp(probe) * (1 + 1e-9))));
    (passed ? low : high) = probe;
    if (!first) first = passed;
    striding = striding && passed == *first;
    probe += passed ? stride : -stride;
    stride *= 2;
    if (!striding || probe <= low || probe >= high) probe = (low + high) / 2;
  }
}

}  // namespace

Choice KnapsackPolicy::search(Environment& environment, const Budget& budget, Trace& trace) {
  Incumbent contest(environment, budget, trace);
  if (!environment.small_errors()) {
    fail_input(
        "policy dp weighs errors that grow with their budgets, and where budgets are rates a reply is ruined or is not; "
        "use --policy ddpg, greedy or random");
  }
  const MarginModel model(*environment.problem().network, environment.problem().search.pixels, images_);
  // A bound that no choice keeps is refused here, with the layer that stands in the way.
  if (budget.max_seconds) environment.constrain(environment.exact_choice(), *budget.max_seconds);
  const double fixed = environment.fixed_seconds();
  const double changes = budget.max_loss ? environment.allowed_changes(*budget.max_loss) : 0;
  const auto solution = [&](const Knapsack& knapsack) {
    if (!budget.max_loss) {
      const std::size_t k = knapsack.least_damage(*budget.max_seconds - fixed);
      return std::min(k, knapsack.size() - 1);
    }
    return last_passing(knapsack.size(), [&](std::size_t k) {
      return model.expected_changes(variances_of(environment, knapsack.choice(k))) <= changes;
    });
  };
  Choice at = environment.uniform_choice(kStartAction);
  for (int round = 0; round < kRounds; ++round) {
    sensitivities_ = model.sensitivities(variances_of(environment, at));
    knapsack_.emplace(solve(environment, sensitivities_));
    at = knapsack_->choice(solution(*knapsack_));
  }
  if (budget.max_loss) {
    bisect(contest, *knapsack_, solution(*knapsack_));
    if (!contest.has_best()) {
      Choice exact = environment.exact_choice();
      contest.enter(budget.max_seconds ? environment.constrain(std::move(exact), *budget.max_seconds)
                                       : exact);
    }
  } else {
    contest.enter(at);
  }
  return contest.best();
}

Choice KnapsackPolicy::tightened(const Environment& environment, const Choice& choice) {
  AP_ASSERT(knapsack_ && choice.size() == sensitivities_.size());
  const std::vector<double> variances = variances_of(environment, choice);
  double damage = 0;
  for (std::size_t i = 0; i < choice.size(); ++i) damage += sensitivities_[i] * variances[i];
  return knapsack_->choice(knapsack_->fastest(damage * kTighten));
}

}  // namespace ap::search
