// The controls, random and greedy (planner/search/policies.h).
#include <algorithm>
#include <random>

#include "analysis/noise/counter_random.h"
#include "planner/search/policies.h"

namespace ap::search {
namespace {

// One bit of error on the scale of actions, and the step of what loosens all layers together.
constexpr double kBit = 1.0 / 7, kUniformStep = kBit / 2;
// How far a layer's random budget lies from the centre of its draw, in actions.
constexpr double kSpread = 0.25;
// Draws that cost no simulation because they are no faster than the best choice, before one is simulated
// anyway.
constexpr int kRedraws = 200;

double uniform(std::uint64_t key, std::uint64_t counter) {
  return static_cast<double>(noise::counter_bits(key, counter) >> 11) * 0x1p-53;
}

/// Everything a search may start from: the most exact choice that is fast enough.
Choice start_of(const Environment& environment, const Budget& budget) {
  const Choice exact = environment.exact_choice();
  return budget.max_seconds ? environment.constrain(exact, *budget.max_seconds) : exact;
}

double action_of(const Environment& environment, const Choice& choice, std::size_t layer) {
  return environment.points(layer)[static_cast<std::size_t>(choice[layer])].action;
}

/// The choice with layer `layer` one bit looser, at least one point.
Choice loosened(const Environment& environment, Choice choice, std::size_t layer) {
  const int wanted =
      environment.point_for(layer, std::max(action_of(environment, choice, layer) - kBit, 0.0));
  const int last = static_cast<int>(environment.points(layer).size()) - 1;
  choice[layer] = std::min(std::max(wanted, choice[layer] + 1), last);
  return choice;
}

}  // namespace

Choice RandomPolicy::search(Environment& environment, const Budget& budget, Trace& trace) {
  Incumbent contest(environment, budget, trace);
  contest.enter(start_of(environment, budget));
  const std::uint64_t key = noise::counter_key(seed_, 0, 0, 0);
  std::uint64_t counter = 0;
  const auto draw = [&] {
    const double centre = uniform(key, counter++);
    Choice choice;
    for (std::size_t i = 0; i < environment.layers(); ++i) {
      const double action = centre + kSpread * (2 * uniform(key, counter++) - 1);
      choice.push_back(environment.point_for(i, std::clamp(action, 0.0, 1.0)));
    }
    return budget.max_seconds ? environment.constrain(choice, *budget.max_seconds) : choice;
  };
  while (contest.open()) {
    Choice choice = draw();
    for (int k = 0; budget.max_loss && k < kRedraws && environment.seconds(choice) >= contest.best_seconds();
         ++k) {
      choice = draw();
    }
    contest.enter(choice);
  }
  return contest.best();
}

Choice GreedyPolicy::search(Environment& environment, const Budget& budget, Trace& trace) {
  Incumbent contest(environment, budget, trace);
  Choice at = start_of(environment, budget);
  contest.enter(at);
  if (!budget.max_loss) {
    // Tighten one layer by a bit, pay with the others, keep what changes fewer classes.
    for (std::size_t i = 0; contest.open(); i = (i + 1) % environment.layers()) {
      Choice tried = contest.best();
      tried[i] = environment.point_for(i, std::min(action_of(environment, tried, i) + kBit, 1.0));
      contest.enter(environment.constrain(tried, *budget.max_seconds));
    }
    return contest.best();
  }
  const auto constrained = [&](const Choice& choice) {
    return budget.max_seconds ? environment.constrain(choice, *budget.max_seconds) : choice;
  };
  for (double action = 1; action >= 0 && contest.open(); action -= kUniformStep) {
    const Choice tried = constrained(environment.uniform_choice(action));
    if (!contest.enter(tried)) break;
    at = tried;
  }
  std::vector<bool> frozen(environment.layers(), false);
  while (contest.open()) {
    std::size_t best = environment.layers();
    double most = 0;
    for (std::size_t i = 0; i < environment.layers(); ++i) {
      if (frozen[i] || static_cast<std::size_t>(at[i]) + 1 >= environment.points(i).size()) continue;
      const double saved = environment.seconds(at) - environment.seconds(loosened(environment, at, i));
      if (saved > most) most = saved, best = i;
    }
    if (best == environment.layers()) break;
    const Choice tried = loosened(environment, at, best);
    if (contest.enter(tried)) {
      at = tried;
    } else {
      frozen[best] = true;
    }
  }
  return contest.best();
}

std::unique_ptr<Policy> make_policy(const std::string& name, std::uint64_t seed) {
  if (name == "dp") return std::make_unique<KnapsackPolicy>();
  if (name == "random") return std::make_unique<RandomPolicy>(seed);
  if (name == "greedy") return std::make_unique<GreedyPolicy>();
  return nullptr;
}

}  // namespace ap::search
