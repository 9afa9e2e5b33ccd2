#include "plan/approximation/approximation_plan.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace ap::plan {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool is_activation(const nn::Op& op) {
  return std::holds_alternative<nn::ClipOp>(op) || std::holds_alternative<nn::SmoothOp>(op);
}

bool moves_nothing(const nn::GatherOp& op, const nn::Shape& in) {
  if (static_cast<std::int64_t>(op.index.size()) != in.size()) return false;
  for (std::size_t i = 0; i < op.index.size(); ++i) {
    if (op.index[i] != static_cast<std::int32_t>(i)) return false;
  }
  return true;
}

void check_activation(const ApproximateActivation& a, const nn::Node& node) {
  if (!(a.bound > 0) || !std::isfinite(a.bound)) {
    fail_input("node {}: an activation on [-{}, {}]: the bound must be positive and finite", node.name,
               a.bound, a.bound);
  }
  if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&a.function)) {
    if (series->low != -a.bound || series->high != a.bound) {
      fail_input("node {}: a polynomial on [{}, {}], but inputs are in [-{}, {}]: both must be the same",
                 node.name, series->low, series->high, a.bound, a.bound);
    }
    for (const double c : series->coefficients) {
      if (!std::isfinite(c)) fail_input("node {}: a polynomial with a coefficient {}", node.name, c);
    }
  }
  if (a.depth < depth_of(a.function)) {
    fail_input("node {}: its polynomial takes {} levels, not {}", node.name, depth_of(a.function), a.depth);
  }
  if (!a.offset.empty() && a.offset.size() != at(node.shape.c)) {
    fail_input("node {}: {} offsets for {} channels: one a channel or none", node.name, a.offset.size(),
               node.shape.c);
  }
}

}  // namespace

double ApproximateActivation::operator()(double x) const {
  if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&function)) return (*series)(x);
  return circuits::relu(std::get<CompositeRelu>(function).sign, bound, x);
}

int levels_of(const nn::Graph& graph, int node) {
  const nn::Node& n = graph.nodes[at(node)];
  if (std::holds_alternative<nn::InputOp>(n.op) || std::holds_alternative<nn::AddOp>(n.op) ||
      std::holds_alternative<nn::ConcatOp>(n.op)) {
    return 0;
  }
  const nn::Shape& in = graph.nodes[at(n.inputs[0])].shape;
  if (const auto* gather = std::get_if<nn::GatherOp>(&n.op)) return moves_nothing(*gather, in) ? 0 : 1;
  if (const auto* pool = std::get_if<nn::AveragePoolOp>(&n.op)) {
    return pool->count_include_pad || pool->window.pad == nn::Padding{} ? 0 : 1;
  }
  return 1;
}

SplitSeries split_linear(const circuits::ChebyshevSeries& series) {
  SplitSeries split{0, series};
  if (series.coefficients.size() > 1) std::swap(split.linear, split.rest.coefficients[1]);
  return split;
}

int depth_of(const std::variant<circuits::ChebyshevSeries, CompositeRelu>& function) {
  if (const auto* series = std::get_if<circuits::ChebyshevSeries>(&function)) {
    return circuits::polynomial_depth(series->degree());
  }
  return std::get<CompositeRelu>(function).sign.depth() + 1;
}

void validate(const ApproximationPlan& plan, const nn::Graph& graph) {
  const std::size_t count = graph.nodes.size();
  if (plan.levels.size() != count) {
    fail_input("a plan with levels of {} nodes for the network {} of {}", plan.levels.size(), graph.name,
               count);
  }
  std::vector<int> after = plan.levels, depth(count);
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const nn::Node& node = graph.nodes[i];
    if (is_activation(node.op)) {
      if (next == plan.activations.size() || plan.activations[next].node != static_cast<int>(i))
        fail_input("node {}: the plan has no polynomial for it, or not in the order of nodes", node.name);
      check_activation(plan.activations[next], node);
      depth[i] = plan.activations[next++].depth;
    } else {
      depth[i] = levels_of(graph, static_cast<int>(i));
    }
  }
  if (next != plan.activations.size()) {
    fail_input("the plan has a polynomial for node {} of the network {}, which is no activation",
               plan.activations[next].node, graph.name);
  }
  int last = -1;
  for (const BootstrapPoint& b : plan.bootstraps) {
    if (b.node <= last || at(b.node) >= count || b.level < 1 || !(b.bound > 0) || !std::isfinite(b.bound)) {
      fail_input(
          "a bootstrap after node {} to {} levels of values up to {}: nodes must rise, both others be "
          "positive",
          b.node, b.level, b.bound);
    }
    last = b.node;
    after[at(b.node)] = b.level;
  }
  for (std::size_t i = 0; i < count; ++i) {
    int most = plan.levels[i];
    for (const int input : graph.nodes[i].inputs) most = std::min(most, after[at(input)] - depth[i]);
    if (plan.levels[i] < 0 || plan.levels[i] > most) {
      fail_input("node {}: {} levels left, but its inputs leave {}: bootstrap earlier or to more levels",
                 graph.nodes[i].name, plan.levels[i], most);
    }
  }
}

}  // namespace ap::plan
