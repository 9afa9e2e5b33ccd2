#include "nn/onnx/graph_passes.h"

#include <numeric>

#include "base/error.h"
#include "nn/onnx/simplifier.h"

namespace ap::nn {

Simplifier::Simplifier(Graph& graph, int output) : graph_(graph), nodes_(graph.nodes), output_(output) {
  alias_.resize(nodes_.size());
  std::iota(alias_.begin(), alias_.end(), 0);
}

void Simplifier::run() {
  drop_dead_nodes();
  count_readers();
  for (int i = 0; i < count(); ++i) {
    redirect(i);
    sink_gather(i);
    sink_gathers_of_sum(i);
    merge_gather(i);
  }
  drop_dead_nodes();
  count_readers();
  for (int i = 0; i < count(); ++i) {
    redirect(i);
    fold_affine_backward(i);
  }
  drop_dead_nodes();
  for (int i = 0; i < count(); ++i) {
    redirect(i);
    absorb_affine_input(i);
    absorb_padding(i);
    absorb_gather(i);
  }
  drop_dead_nodes();
  count_readers();
  for (int i = 0; i < count(); ++i) {
    redirect(i);
    merge_heads(i);
    turn_into_factor(i);
  }
  drop_dead_nodes();
}

void Simplifier::count_readers() {
  readers_.assign(nodes_.size(), 0);
  for (const Node& node : nodes_) {
    for (const int input : node.inputs) ++readers_[at(input)];
  }
  ++readers_[at(output_)];
}

void Simplifier::drop_dead_nodes() {
  output_ = alias_[at(output_)];
  for (int i = 0; i < count(); ++i) redirect(i);
  std::vector<bool> live(nodes_.size(), false);
  live[at(output_)] = true;
  for (int i = output_; i >= 0; --i) {
    if (!live[at(i)]) continue;
    for (const int input : nodes_[at(i)].inputs) live[at(input)] = true;
  }
  if (!live[0]) fail_input("{}: the output does not depend on the input", graph_.name);
  if (output_ == 0) fail_input("{}: the network computes nothing; its output is its input", graph_.name);
  std::vector<int> moved(nodes_.size(), -1);
  std::vector<Node> kept;
  for (int i = 0; i <= output_; ++i) {
    if (!live[at(i)]) continue;
    moved[at(i)] = static_cast<int>(kept.size());
    for (int& input : nodes_[at(i)].inputs) input = moved[at(input)];
    kept.push_back(std::move(nodes_[at(i)]));
  }
  nodes_ = std::move(kept);
  output_ = count() - 1;
  alias_.resize(nodes_.size());
  std::iota(alias_.begin(), alias_.end(), 0);
}

void simplify(Graph& graph, int output) { Simplifier(graph, output).run(); }

}  // namespace ap::nn
