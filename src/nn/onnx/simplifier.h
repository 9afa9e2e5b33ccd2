// One graph while it is simplified: the passes of graph_passes.h on shared bookkeeping of readers and of replaced nodes.
#pragma once

#include <cstddef>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::nn {

class Simplifier {
 public:
  Simplifier(Graph& graph, int output);
  void run();

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  int count() const { return static_cast<int>(nodes_.size()); }
  Node& source(const Node& node) { return nodes_[at(node.inputs[0])]; }
  void redirect(int i) {
    for (int& input : nodes_[at(i)].inputs) input = alias_[at(input)];
  }
  void replace(int i, int by) { alias_[at(i)] = alias_[at(by)]; }
  void count_readers();
  void drop_dead_nodes();

  // Moving values (gather_passes.cc).
  void sink_gather(int i);
  void sink_gathers_of_sum(int i);
  void merge_gather(int i);
  void absorb_padding(int i);
  void absorb_gather(int i);
  // Scaling and shifting (affine_passes.cc).
  void fold_affine_backward(int i);
  void absorb_affine_input(int i);
  void turn_into_factor(int i);
  void merge_heads(int i);

  Graph& graph_;
  std::vector<Node>& nodes_;
  int output_;
  std::vector<int> alias_;    ///< the node that readers of node i should read instead
  std::vector<int> readers_;  ///< how many node inputs (and the output) read node i
};

}  // namespace ap::nn
