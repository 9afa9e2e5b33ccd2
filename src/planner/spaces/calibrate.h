// Ranges of accumulators as images really use them, for plaintext moduli below the exact bound.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/ir/quantised_bounds.h"
#include "nn/ir/quantised_network.h"

namespace ap::plan {

/// Observations of one node over some images: how often large values occur, on each side.
struct Tail {
  double largest = 0;    ///< observed, in the direction of the tail (minus the smallest for the low side)
  double threshold = 0;  ///< exceeded by `rate` elements of one image on average
  double rate = 0;
  double mean_excess = 0;  ///< of the exceedances: beyond the threshold the tail falls like an exponential
  /// The value that one image exceeds somewhere with probability of at most 2^log2_probability by the
  /// exponential tail; never below the largest value observed plus an eighth.
  double bound(double log2_probability) const;
};

struct NodeTails {
  Tail low, high;
};

/// Runs the integer network on the images (quantised inputs, one after another) and looks at the nodes whose
/// values must not wrap: inputs of activations, and the logits. Other nodes have empty tails (rate 0).
/// @throws Error(input) without images.
std::vector<NodeTails> observe_tails(const nn::QuantisedNetwork& network,
                                     std::span<const std::int32_t> images);

/// Ranges that an inference leaves with probability of at most 2^overflow_log2 (union bound over the observed
/// nodes and both sides), never wider than the exact ones. Nodes that may wrap keep theirs.
std::vector<nn::Interval> calibrated_ranges(const nn::QuantisedNetwork& network,
                                            std::span<const NodeTails> tails, double overflow_log2);

}  // namespace ap::plan
