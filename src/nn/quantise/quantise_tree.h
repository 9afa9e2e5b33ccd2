// The accumulators between activations: for each requantisation (and for the logits) a tree of Add, pooling
// and Gather nodes whose leaves are linear layers, whose scale can be chosen, or tensors whose scale is
// given.
#pragma once

#include <span>
#include <vector>

#include "nn/quantise/quantise_rewrite.h"
#include "nn/quantise/quantise_scales.h"
#include "nn/quantise/quantise_statistics.h"

namespace ap::nn {

class AccumulatorTree {
 public:
  /// The tree above node `root`. Nodes of `scales` with a scale > 0 are given.
  AccumulatorTree(const IntegerGraph& graph, std::span<const NodeStatistics> statistics,
                  std::span<const NodeScale> scales, int root, std::int64_t largest_weight);

  /// The root's scale if a given tensor decides it (no Add lets it be chosen), else 0.
  double forced() const { return forced_; }
  /// Root scales at which one linear leaf's weights use exactly their full range.
  std::vector<double> full_range_scales() const;
  /// Root scales at which one given accumulator is added without a multiplier.
  std::vector<double> given_accumulator_scales() const;
  /// Whether an Add takes a tensor whose scale is given.
  bool adds_given() const;
  /// The smallest root scale that is worth having: weights fill their range as far as the worst case fits 32 bits,
  /// multipliers of given tensors are accurate to 2^-8. Smaller is exact too but makes accumulators wider. 0 if any scale will do (all weights
  /// zero).
  double finest() const;
  /// The smallest root scale at which the worst cases of the tree, and of later sums that take parts of it, fit 32 bits.
  double smallest_scale() const { return smallest_scale_; }
  /// Mean squared error of the root's value (in float units) due to rounding of weights and of multipliers.
  double error(double root_scale) const;
  /// Writes the scales of the tree's nodes.
  void assign(double root_scale, std::span<NodeScale> scales) const;

 private:
  struct Leaf {
    int node = 0;
    double ratio = 1;  ///< scale = ratio * root scale (times a power of two under an Add)
    bool under_add = false;
    double given = 0;        ///< its scale, if given
    double needed = 0;       ///< smallest scale at which the weights fit, if linear
    double input_scale = 0;  ///< if linear
    double power = 0;  ///< mean square of the tensor (given) or summed over the inputs of a sum (linear)
    std::vector<float> weights;  ///< a regular subset
  };
  void walk(int node, double ratio, bool under_add);
  void add_linear_leaf(Leaf leaf, const std::vector<float>& weights, double taps, int groups);
  double leaf_scale(const Leaf& leaf, double root_scale) const;
  double largest_value(int node) const;
  /// The largest magnitude of the tree's nodes and of all sums that take them, over their scale in units of the root's.
  double room() const;

  const IntegerGraph* graph_;
  std::span<const NodeStatistics> statistics_;
  std::span<const NodeScale> scales_;
  int root_;
  std::int64_t largest_weight_;
  std::vector<Leaf> leaves_;
  std::vector<int> inner_;           ///< nodes between leaves and root, in order
  std::vector<double> inner_ratio_;  ///< for Add nodes
  double forced_ = 0, smallest_scale_ = 0;
};

}  // namespace ap::nn
