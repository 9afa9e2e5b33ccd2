// A float network as homomorphic encryption sees it: linear forms of earlier tensors, and activations. Everything linear
// between two activations (convolutions, full connections, sums, batch normalisation, pooling, moves) is one sparse matrix for
// each tensor that it reads, so a residual block's shortcut and its branch meet in one form.
#pragma once

#include <vector>

#include "he_only/network/sparse_map.h"
#include "nn/ir/graph.h"

namespace ap::he_only {

/// A tensor that is held in ciphertexts.
struct Step {
  enum class Kind { input, linear, activation };
  Kind kind = Kind::input;
  int node = 0;       ///< of the graph, whose value this is
  int argument = -1;  ///< of an activation: the linear step before it, which no other activation takes
  nn::Shape shape;
};

/// sum of map times the value of a step, plus bias.
struct LinearForm {
  struct Term {
    std::size_t step;
    SparseMap map;
  };
  std::vector<Term> terms;  ///< of different steps, ascending
  std::vector<double> bias;
};

class Structure {
 public:
  /// `graph` must outlive it. @throws Error(input) that names each layer which is neither linear nor an activation of
  /// one argument, and what can be done.
  explicit Structure(const nn::Graph& graph);

  const nn::Graph& graph() const { return *graph_; }
  /// In the order of computation; the first is the input, the last the result.
  const std::vector<Step>& steps() const { return steps_; }
  const nn::Node& node(std::size_t step) const {
    return graph_->nodes[static_cast<std::size_t>(steps_[step].node)];
  }
  /// The steps that a step reads, ascending.
  std::vector<std::size_t> reads(std::size_t step) const;
  /// Of a linear step; built anew at each call.
  LinearForm form(std::size_t step) const;

 private:
  LinearForm expand(int node, int but_step) const;
  void collect(int node, int but_step, std::vector<std::size_t>& steps) const;
  int held(int node, int but_step) const;

  const nn::Graph* graph_;
  std::vector<Step> steps_;
  std::vector<int> step_of_;  ///< by node: the step that others read it from, or -1
};

/// Whether the node is an activation here. A quadratic without x^2 is linear.
bool is_activation(const nn::Node& node);

}  // namespace ap::he_only
