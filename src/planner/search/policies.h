// The policies that need no learning: the knapsack, and the two controls that it must beat.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "planner/search/knapsack.h"
#include "planner/search/problem.h"

namespace ap::search {

/// `dp`: weighs every layer's errors with sensitivities from one backward pass, solves the knapsack over the
/// Pareto lists, and bisects the allowed damage until the simulated loss meets its bound. A bound on seconds
/// alone needs no bisection.
class KnapsackPolicy final : public Policy {
 public:
  /// Backward passes on at most `images` images of the search part.
  explicit KnapsackPolicy(std::size_t images = 128) : images_(images) {}
  std::string name() const override { return "dp"; }
  Choice search(Environment& environment, const Budget& budget, Trace& trace) override;
  /// The fastest choice with less damage, by the sensitivities of the last search.
  Choice tightened(const Environment& environment, const Choice& choice) override;

 private:
  std::size_t images_;
  std::vector<double> sensitivities_;
  std::optional<Knapsack> knapsack_;
};

/// `random`: draws budgets around a random centre and keeps the best choice.
class RandomPolicy final : public Policy {
 public:
  explicit RandomPolicy(std::uint64_t seed) : seed_(seed) {}
  std::string name() const override { return "random"; }
  Choice search(Environment& environment, const Budget& budget, Trace& trace) override;

 private:
  std::uint64_t seed_;
};

/// `greedy`: loosens all layers together as far as the bound allows, then one at a time, the largest saving
/// first; a layer that breaks the bound is left alone from then on. With a bound on seconds alone it walks
/// the lists as Environment::constrain does, and then swaps error between pairs of layers.
class GreedyPolicy final : public Policy {
 public:
  std::string name() const override { return "greedy"; }
  Choice search(Environment& environment, const Budget& budget, Trace& trace) override;
};

/// By name: dp, random or greedy; null for other names.
std::unique_ptr<Policy> make_policy(const std::string& name, std::uint64_t seed);

/// Simulates a choice, appends it to the trace, and keeps the best one seen.
class Incumbent {
 public:
  Incumbent(Environment& environment, const Budget& budget, Trace& trace);
  /// Whether the choice keeps the bounds. Costs one simulation unless it was simulated before.
  bool enter(const Choice& choice);
  /// Whether simulations are left.
  bool open() const;
  /// The best choice entered: the fastest that keeps the bound on the loss, or without such a bound (or if
  /// none keeps it) the one with the fewest changes. @throws Error(internal) if none was entered.
  const Choice& best() const;
  bool has_best() const { return found_; }
  double best_seconds() const;

 private:
  Environment* environment_;
  Budget budget_;
  Trace* trace_;
  std::size_t entered_ = 0;
  bool found_ = false, kept_ = false;
  Choice best_;
  double best_changes_ = 0;
};

}  // namespace ap::search
