// How a network runs on ciphertexts alone: the polynomial that stands for each activation, the levels of every node and
// the nodes whose results are bootstrapped. Planners make it (planner/degrees), simulation (analysis/approximation) and
// encrypted inference read it. Plain data about a float graph (nn/ir/graph.h), whose nodes it names by their index.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "he/circuits/composite_sign.h"
#include "nn/ir/graph.h"

namespace ap::plan {

/// x (1 + sign(x / bound)) / 2 with a composition of minimax polynomials: within bound 2^-bits of ReLU.
struct CompositeRelu {
  int bits = 0;
  circuits::CompositeSign sign;  ///< circuits::sign_for_relu(bits)
};

/// What is computed in place of one node, a ClipOp or SmoothOp: p(x) + offset[c] for every x of channel c.
struct ApproximateActivation {
  int node = 0;
  /// Every input lies in [-bound, bound], with a margin. A series' own interval, low = -bound and high = bound, is the same.
  double bound = 0;
  std::variant<circuits::ChebyshevSeries, CompositeRelu> function;
  /// One a channel of the node, or empty: constants that make up for the mean error of the channel on calibration images.
  /// A plaintext to add; no level.
  std::vector<float> offset;
  /// Levels (rescalings) from the input to the output, at most.
  int depth = 0;

  /// p(x).
  double operator()(double x) const;
};

/// The result of `node` is brought back to `level` levels before any node reads it.
struct BootstrapPoint {
  int node = 0;
  int level = 0;  ///< levels that are free for computation afterwards
  double bound =
      0;  ///< its values lie in [-bound, bound], with a margin: what has to be divided by to be in [-1, 1]
};

struct ApproximationPlan {
  std::string policy;                              ///< "uniform", "ola", "dp"
  std::vector<ApproximateActivation> activations;  ///< by rising node
  std::vector<BootstrapPoint> bootstraps;          ///< by rising node
  /// Of every node's result, before it is bootstrapped: levels left, 0 where the next thing has to be a bootstrap.
  /// levels[0] is what the input is encrypted with.
  std::vector<int> levels;
  double seconds = 0;   ///< by the planner's cost model
  double variance = 0;  ///< predicted variance of the change of the loss, sum A_i E_i
};

/// Levels that a node takes which is not approximated: 1 for what multiplies by plaintexts (convolutions, full connections,
/// affine maps, gathers that move values) and for products and squares of ciphertexts; 0 for sums, concatenations, gathers
/// that leave everything in its place, and averages over windows of equal weight: sums, and a change of the scale's name.
int levels_of(const nn::Graph& graph, int node);

/// Parts of a series that are cheaper apart: `linear` times t, which needs no level of its own, and the rest. ReLU, GELU and
/// SiLU are x / 2 and an even function, so that the rest of their series has even parity and about half the products.
struct SplitSeries {
  double linear = 0;  ///< c_1, of T_1(t) = t
  circuits::ChebyshevSeries rest;
};
SplitSeries split_linear(const circuits::ChebyshevSeries& series);

/// The levels that `function` takes: ceil(log2(degree + 1)) of a series, those of the sign and one more of a composite.
int depth_of(const std::variant<circuits::ChebyshevSeries, CompositeRelu>& function);

/// That every activation of the graph is approximated once, on a finite interval, with the depth it says, that every node's
/// level follows from its inputs', and that none falls below 0.
/// @throws Error(input) that names the node, the value and the limit.
void validate(const ApproximationPlan& plan, const nn::Graph& graph);

}  // namespace ap::plan
