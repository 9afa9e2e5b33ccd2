// Degrees, levels and bootstraps of a network together: a dynamic programme over its nodes in order. A state is the level of
// every value that a later node still reads; of each state it keeps the choices of degrees and bootstraps that no other beats
// in both seconds and the predicted variance of the loss.
#pragma once

#include <span>
#include <vector>

#include "analysis/approximation/fits.h"
#include "planner/degrees/he_costs.h"

namespace ap::degrees {

/// What could stand for one activation, and what each adds to the variance of the loss (A_i E_i of OLA).
struct Choices {
  int node = 0;
  std::vector<approximation::Candidate> candidates;
  std::vector<double> variances;  ///< one a candidate
};

struct SearchOptions {
  /// Unbeaten choices of one state are thinned to one in each of so many cells of the logarithm of the variance.
  std::size_t cells = 64;
  /// No more states are kept after a node; the fastest stay.
  std::size_t states = 4096;
};

/// A complete choice.
struct FrontPoint {
  double seconds = 0, variance = 0;
  std::vector<int> candidates;  ///< by activation
  std::vector<int> bootstraps;  ///< by node: free levels afterwards, 0: none
  std::vector<int> levels;      ///< by node, before the bootstrap
};

/// The unbeaten choices by rising variance and falling seconds. Any node's result but the input and the output may be
/// bootstrapped; the input is encrypted with any level at no cost.
/// @throws Error(input) if no choice fits the levels that bootstraps leave, with the node where it ends.
std::vector<FrontPoint> search_levels(const nn::Graph& graph, std::span<const Choices> choices,
                                      const HeCosts& costs, const SearchOptions& options = {});

}  // namespace ap::degrees
