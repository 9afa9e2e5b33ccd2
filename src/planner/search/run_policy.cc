// A search from beginning to end: the policy, then validation on held-out images.
#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "planner/search/problem.h"

namespace ap::search {
namespace {

// Half a bit of error, on the scale of actions.
constexpr double kTighten = 0.5 / 7;

/// The layer that takes longest.
std::size_t costliest(const Environment& environment, const Choice& choice) {
  std::size_t layer = 0;
  const auto seconds = [&](std::size_t i) {
    return environment.points(i)[static_cast<std::size_t>(choice[i])].seconds;
  };
  for (std::size_t i = 1; i < choice.size(); ++i) {
    if (seconds(i) > seconds(layer)) layer = i;
  }
  return layer;
}

}  // namespace

Choice Policy::tightened(const Environment& environment, const Choice& choice) {
  Choice next = choice;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    const double action = environment.points(i)[static_cast<std::size_t>(choice[i])].action;
    const int wanted = environment.point_for(i, std::min(action + kTighten, 1.0));
    next[i] = std::max(std::min(wanted, choice[i] - 1), 0);
  }
  return next;
}

Result run_policy(Policy& policy, Environment& environment, const Budget& budget) {
  const auto start = std::chrono::steady_clock::now();
  if (budget.max_loss && !(*budget.max_loss >= 0 && *budget.max_loss <= 1)) {
    fail_input("an accuracy loss of {} is not between 0 and 1", *budget.max_loss);
  }
  if (budget.max_seconds && !(*budget.max_seconds > 0)) {
    fail_input("a latency of {} s is not positive", *budget.max_seconds);
  }
  if (budget.simulations < 1)
    fail_input("a search needs at least one simulation, not {}", budget.simulations);
  Result result;
  result.single = environment.single();
  result.choice =
      result.single ? environment.exact_choice() : policy.search(environment, budget, result.trace);
  if (budget.max_loss) {
    while (!environment.keeps_loss(environment.validate(result.choice), *budget.max_loss) ||
           !environment.keeps_loss(environment.evaluate(result.choice), *budget.max_loss)) {
      const Choice next = result.single ? result.choice : policy.tightened(environment, result.choice);
      if (next == result.choice) {
        fail_input(
            "no plan loses at most {:.3g} % of accuracy: with the smallest errors the held-out "
            "images still lose {:.3g} %; allow more, or give activations more bits",
            100 * *budget.max_loss, 100 * environment.validate(result.choice).loss());
      }
      result.choice = next;
      ++result.tightened;
    }
  }
  const double seconds = environment.seconds(result.choice);
  if (budget.max_seconds && seconds > *budget.max_seconds * (1 + 1e-9)) {
    const std::size_t layer = costliest(environment, result.choice);
    fail_input(
        "no plan was found that takes at most {:.4g} s per image and loses at most {:.3g} % of accuracy: "
        "policy {} needs {:.4g} s, of which layer {} takes most, {:.4g} s; allow more of either",
        *budget.max_seconds, 100 * *budget.max_loss, policy.name(), seconds, environment.layer_name(layer),
        environment.points(layer)[static_cast<std::size_t>(result.choice[layer])].seconds);
  }
  result.searched = environment.evaluate(result.choice);
  result.held_out = environment.validate(result.choice);
  result.plan = environment.plan_of(result.choice);
  result.plan.policy = policy.name();
  if (result.single) {
    result.plan.notes.push_back(
        "no error budget changes what any layer costs: every layer has a "
        "single point, so there was nothing to search");
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace ap::search
