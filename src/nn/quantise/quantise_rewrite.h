// First step of quantisation: brings the float graph into a form where every node has a counterpart in the
// integer network. Two kinds of tensor exist then: *activations* (few bits, result of a requantisation or of
// local operations on such) and *accumulators* (sums of products). What multiplies or concatenates needs
// activations.
#pragma once

#include <vector>

#include "nn/ir/graph.h"

namespace ap::nn {

struct IntegerGraph {
  /// Has no AffineOp. A ClipOp without limits (-inf, inf) is a plain requantisation.
  Graph graph;
  /// Per node: true for accumulators, false for activations.
  std::vector<bool> accumulator;
  /// For a Clip: the MaxPool node that it does in the same step, before or after clamping (the same thing,
  /// since clamping is monotone), or -1. For such a MaxPool: the Clip; else -1.
  std::vector<int> pool, pooled_by;
};

/// Turns per-channel scaling into 1x1 depthwise convolutions, moves clips of accumulators before
/// concatenations, inserts the fewest requantisations that give every consumer what it needs, and pairs
/// max-pools with clips.
/// @throws Error(input) for what the integer network cannot express, naming the node.
/// @param merge  layers with nothing between them become one (nn/quantise/merge_layers.h)
IntegerGraph to_integer_graph(const Graph& graph, bool merge = true);

/// The number that an AveragePool divides the sum over its window by.
double pool_divisor(const AveragePoolOp& op);

}  // namespace ap::nn
