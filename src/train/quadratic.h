// DELPHI's planner (USENIX Security 2020, section 5): which activations become 0.1992 + 0.5002 x + 0.1997
// x^2, the least-squares quadratic of ReLU under a standard normal argument. Random sets of a given size are
// each blended in during a short training; the one of best validation accuracy is kept.
#pragma once

#include <functional>
#include <vector>

#include "train/fine_tune.h"

namespace ap::train {

inline constexpr nn::QuadraticOp kDelphiQuadratic{0.1992F, 0.5002F, 0.1997F};

/// The quadratic nearest to a clip, in the mean square, at the arguments `samples` that it has met: DELPHI's
/// for a ReLU of standard normal arguments, another one for arguments of another size.
/// @throws Error(input) if there are fewer than three different arguments.
nn::QuadraticOp fit_quadratic(const nn::ClipOp& clip, std::span<const float> samples);

/// The nodes that may become quadratics: clips with a lower bound of 0, in order.
std::vector<int> activations(const nn::Graph& graph);

/// Up to `count` different sets of k out of n activations, ascending within a set. The first `keep_first` and
/// last `keep_last` are left out as long as k others remain, else none is. All sets if there are at most
/// `count`; otherwise drawn at random.
/// @throws Error(input) unless 1 <= k <= n.
std::vector<std::vector<int>> candidate_sets(int n, int k, int keep_first, int keep_last, int count,
                                             std::uint64_t seed);

struct QuadraticOptions {
  int replace = 0;     ///< how many activations
  int population = 4;  ///< candidate sets
  int search_epochs =
      4;  ///< budget of all candidates together; fewer are tried if it is smaller than population
  std::size_t search_images = 5000;  ///< an epoch of a candidate
  int keep_first = 1, keep_last = 2;
  double blend_share = 0.6;
  bool fitted = false;  ///< fit_quadratic of each activation's arguments instead of kDelphiQuadratic
};

struct Candidate {
  std::vector<int> nodes;  ///< of the graph
  double accuracy = 0;     ///< on the validation images, in float; 0 if its training diverged
};

struct QuadraticResult {
  nn::Graph graph;  ///< the best candidate's, with quadratics and the weights of its short training
  std::vector<Candidate> candidates;
  std::size_t best = 0;
  bool stopped = false;
};
/// @throws Error(input) if there are too few activations, or every candidate diverges.
QuadraticResult choose_quadratics(const nn::Graph& graph, const Samples& train, const Samples& validation,
                                  const QuadraticOptions& options, const TrainOptions& train_options,
                                  const std::function<void(const Candidate&)>& on_candidate = {});

}  // namespace ap::train
