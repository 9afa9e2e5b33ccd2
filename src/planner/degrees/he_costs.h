// What operations on ciphertexts cost, as planners of HE-only networks ask for it. Levels count rescalings that are left:
// an operation at level l works on the primes of l levels and of those below that only bootstrapping uses.
#pragma once

#include <cstddef>
#include <vector>

#include "nn/ir/graph.h"
#include "plan/approximation/approximation_plan.h"

namespace ap::degrees {

/// Seconds. Levels are 0 to max_level().
class HeCosts {
 public:
  virtual ~HeCosts() = default;
  /// The most levels that a bootstrap leaves free.
  virtual int max_level() const = 0;
  /// Real values that one ciphertext holds.
  virtual std::size_t slots() const = 0;
  /// Product of two ciphertexts of that level, relinearised and rescaled.
  virtual double product(int level) const = 0;
  virtual double rotation(int level) const = 0;
  /// Product of a rotated ciphertext and one diagonal, added to a sum.
  virtual double diagonal(int level) const = 0;
  /// From the bottom to `level` free levels, of one ciphertext.
  virtual double bootstrap(int level) const = 0;
  /// Any node but an activation, at the level of its inputs; by default from `linear_work`, the others above and nothing
  /// for sums and concatenations. For layouts that know better.
  virtual double node(const nn::Graph& graph, int node, int level) const;
};

/// One figure a level, index 0 to max_level.
struct CostTable : HeCosts {
  std::size_t slot_count = 0;
  std::vector<double> products, rotations, diagonals, bootstraps;  ///< bootstraps[0] is never asked for

  int max_level() const override { return static_cast<int>(products.size()) - 1; }
  std::size_t slots() const override { return slot_count; }
  double product(int level) const override { return products.at(static_cast<std::size_t>(level)); }
  double rotation(int level) const override { return rotations.at(static_cast<std::size_t>(level)); }
  double diagonal(int level) const override { return diagonals.at(static_cast<std::size_t>(level)); }
  double bootstrap(int level) const override { return bootstraps.at(static_cast<std::size_t>(level)); }
};

/// N = 2^16, 2^15 slots, 15 free levels, one core: figures of bench/ckks at one number of primes each, carried over to the
/// others by counts of transforms (docs/polynomial-networks.md). `bootstrap_seconds` is that of a bootstrap to 12 levels.
CostTable default_costs(double bootstrap_seconds = 8.8);

/// Operations of a linear node whose input and output are packed channel by channel, several channels a ciphertext, with
/// baby steps and giant steps over the diagonals of its matrix.
struct LinearWork {
  double rotations = 0, diagonals = 0;
};
LinearWork linear_work(const nn::Graph& graph, int node, std::size_t slots);

/// Ciphertexts that hold the node's result.
double ciphertexts(const nn::Graph& graph, int node, std::size_t slots);

/// An activation of one ciphertext whose input is at `level`: its products at the levels where they happen. `level` is at
/// least the activation's depth.
double activation_seconds(const HeCosts& costs, const plan::ApproximateActivation& activation, int level);

}  // namespace ap::degrees
