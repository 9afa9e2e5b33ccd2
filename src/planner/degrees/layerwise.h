// OLA's choice of degrees (arXiv 2310.10349): one bootstrap before every activation, to exactly the levels that the
// activation and the linear layers after it take (one chain of primes a depth), and a dynamic programme over discretised
// time,
//   V[i][k] = min over d of V[i-1][k - t_i(d)] + A_i E_i(d),   t_i(d) = ceil(T_i(d) / unit).
#pragma once

#include <span>
#include <vector>

#include "planner/degrees/level_search.h"

namespace ap::degrees {

/// Levels and bootstraps of a network that is bootstrapped before every activation, but for those that nothing is computed
/// before than linear maps of the input (unless they need more levels than there are), for given candidates.
struct Placement {
  std::vector<int> levels, bootstraps;  ///< by node, as in FrontPoint
};
/// `depths`: of the activations, by rising node. With `one_chain` all bootstraps lead to the same level, the greatest that one
/// of them needs. @throws Error(input) if an activation needs more than max_level.
Placement bootstrap_before_activations(const nn::Graph& graph, std::span<const int> depths, int max_level,
                                       bool one_chain);

/// Seconds of a placement: every node at the level of its inputs, and the bootstraps.
double seconds_of(const nn::Graph& graph, const HeCosts& costs, std::span<const Choices> choices,
                  std::span<const int> candidates, const Placement& placement);

/// The least variance for every time: unbeaten choices by rising variance and falling seconds, from one table of
/// `steps` units up to the time of the slowest candidates.
std::vector<FrontPoint> layerwise_degrees(const nn::Graph& graph, std::span<const Choices> choices,
                                          const HeCosts& costs, std::size_t steps = 2000);

}  // namespace ap::degrees
