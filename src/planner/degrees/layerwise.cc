#include "planner/degrees/layerwise.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "base/error.h"

namespace ap::degrees {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool is_activation(const nn::Op& op) {
  return std::holds_alternative<nn::ClipOp>(op) || std::holds_alternative<nn::SmoothOp>(op);
}

// Whether a node's inputs come from the image by linear maps alone: they can be encrypted with the levels they need.
std::vector<bool> fresh_nodes(const nn::Graph& graph) {
  std::vector<bool> fresh(graph.nodes.size(), true);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const int input : graph.nodes[i].inputs) {
      if (!fresh[at(input)] || is_activation(graph.nodes[at(input)].op)) fresh[i] = false;
    }
  }
  return fresh;
}

// Levels that every node's result needs until the next bootstraps; of activations, `depths` counts the ones without any.
std::vector<int> needed_levels(const nn::Graph& graph, std::span<const int> depth_of_node,
                               const std::vector<bool>& fresh) {
  std::vector<int> levels(graph.nodes.size());
  for (std::size_t i = graph.nodes.size(); i-- > 1;) {
    int needed = levels[i] + plan::levels_of(graph, static_cast<int>(i));
    if (is_activation(graph.nodes[i].op)) needed = fresh[i] ? levels[i] + depth_of_node[i] : 0;
    for (const int input : graph.nodes[i].inputs) levels[at(input)] = std::max(levels[at(input)], needed);
  }
  return levels;
}

std::vector<int> activation_nodes(const nn::Graph& graph) {
  std::vector<int> nodes;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (is_activation(graph.nodes[i].op)) nodes.push_back(static_cast<int>(i));
  }
  return nodes;
}

}  // namespace

Placement bootstrap_before_activations(const nn::Graph& graph, std::span<const int> depths, int max_level,
                                       bool one_chain) {
  const std::vector<int> activations = activation_nodes(graph);
  AP_ASSERT(depths.size() == activations.size());
  std::vector<bool> fresh = fresh_nodes(graph);
  std::vector<int> depth_of_node(graph.nodes.size());
  for (std::size_t k = 0; k < activations.size(); ++k) depth_of_node[at(activations[k])] = depths[k];
  std::vector<int> needed = needed_levels(graph, depth_of_node, fresh);
  if (needed[0] > max_level) {
    // Fresh ciphertexts have no more levels than bootstrapped ones.
    fresh.assign(graph.nodes.size(), false);
    needed = needed_levels(graph, depth_of_node, fresh);
  }
  Placement p;
  p.levels.resize(graph.nodes.size());
  p.bootstraps.resize(graph.nodes.size());
  for (const int node : activations) {
    if (fresh[at(node)]) continue;
    int& boot = p.bootstraps[at(graph.nodes[at(node)].inputs[0])];
    boot = std::max(
        {boot, needed[at(node)] + depth_of_node[at(node)], needed[at(graph.nodes[at(node)].inputs[0])]});
  }
  const int deepest = *std::ranges::max_element(p.bootstraps), most = std::max(needed[0], deepest);
  if (most > max_level) {
    fail_input(
        "network {}: an activation and what follows it take {} levels, and a bootstrap leaves at most {}: take "
        "lower degrees",
        graph.name, most, max_level);
  }
  if (one_chain) {
    for (int& boot : p.bootstraps) boot = boot == 0 ? 0 : deepest;
  }
  p.levels[0] = needed[0];
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    int level = std::numeric_limits<int>::max();
    for (const int input : graph.nodes[i].inputs)
      level = std::min(level, p.bootstraps[at(input)] > 0 ? p.bootstraps[at(input)] : p.levels[at(input)]);
    p.levels[i] = level - (is_activation(graph.nodes[i].op) ? depth_of_node[i]
                                                            : plan::levels_of(graph, static_cast<int>(i)));
    AP_ASSERT(p.levels[i] >= 0);
  }
  return p;
}

double seconds_of(const nn::Graph& graph, const HeCosts& costs, std::span<const Choices> choices,
                  std::span<const int> candidates, const Placement& placement) {
  double sum = 0;
  std::size_t next = 0;
  for (std::size_t i = 1; i < graph.nodes.size(); ++i) {
    int level = costs.max_level();
    for (const int input : graph.nodes[i].inputs) {
      const int boot = placement.bootstraps[at(input)];
      level = std::min(level, boot > 0 ? boot : placement.levels[at(input)]);
    }
    const double count = ciphertexts(graph, static_cast<int>(i), costs.slots());
    if (next < choices.size() && choices[next].node == static_cast<int>(i)) {
      const auto& candidate = choices[next].candidates.at(at(candidates[next]));
      sum += count * activation_seconds(costs, candidate.activation, level);
      ++next;
    } else {
      sum += costs.node(graph, static_cast<int>(i), level);
    }
    if (placement.bootstraps[i] > 0) sum += count * costs.bootstrap(placement.bootstraps[i]);
  }
  return sum;
}

std::vector<FrontPoint> layerwise_degrees(const nn::Graph& graph, std::span<const Choices> choices,
                                          const HeCosts& costs, std::size_t steps) {
  AP_ASSERT(!choices.empty() && steps >= 1);
  const std::vector<bool> fresh = fresh_nodes(graph);
  const std::vector<int> needed = needed_levels(graph, std::vector<int>(graph.nodes.size()), fresh);
  // T_i(d): the bootstrap, the activation, and linear layers, whose levels do not depend on d.
  std::vector<std::vector<double>> seconds(choices.size());
  double slowest = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const int node = choices[i].node;
    const double count = ciphertexts(graph, node, costs.slots());
    for (const approximation::Candidate& c : choices[i].candidates) {
      const int level = c.activation.depth + needed[at(node)];
      if (level > costs.max_level()) {
        seconds[i].push_back(std::numeric_limits<double>::infinity());
        continue;
      }
      std::vector<int> depth_of_node(graph.nodes.size());
      depth_of_node[at(node)] = c.activation.depth;
      const bool boots =
          !fresh[at(node)] || needed_levels(graph, depth_of_node, fresh)[0] > costs.max_level();
      seconds[i].push_back(
          count * (activation_seconds(costs, c.activation, level) + (boots ? costs.bootstrap(level) : 0)));
    }
    double most = 0;
    for (const double s : seconds[i]) most = std::isfinite(s) ? std::max(most, s) : most;
    slowest += most;
  }
  // A unit in which rounding up loses less than choices.size() / steps of the whole.
  const double unit = slowest / static_cast<double>(steps);
  const std::size_t cells = steps + choices.size() + 1;
  constexpr double kNone = std::numeric_limits<double>::infinity();
  std::vector<double> best(cells, 0);
  std::vector<std::vector<std::int16_t>> chosen(choices.size(), std::vector<std::int16_t>(cells, -1));
  const auto units = [&](std::size_t i, std::size_t c) {
    return std::isfinite(seconds[i][c]) ? static_cast<std::size_t>(std::ceil(seconds[i][c] / unit)) : cells;
  };
  for (std::size_t i = 0; i < choices.size(); ++i) {
    std::vector<double> next(cells, kNone);
    for (std::size_t c = 0; c < seconds[i].size(); ++c) {
      for (std::size_t k = units(i, c); k < cells; ++k) {
        const double variance = best[k - units(i, c)] + choices[i].variances[c];
        if (variance >= next[k]) continue;
        next[k] = variance;
        chosen[i][k] = static_cast<std::int16_t>(c);
      }
    }
    best = std::move(next);
  }
  std::vector<FrontPoint> result;
  double last = kNone;
  for (std::size_t k = 0; k < cells; ++k) {
    if (!(best[k] < last)) continue;
    last = best[k];
    FrontPoint p;
    p.variance = best[k];
    p.candidates.resize(choices.size());
    std::vector<int> depths(choices.size());
    for (std::size_t i = choices.size(), left = k; i-- > 0;) {
      const auto c = static_cast<std::size_t>(chosen[i][left]);
      p.candidates[i] = static_cast<int>(c);
      depths[i] = choices[i].candidates[c].activation.depth;
      left -= units(i, c);
    }
    const Placement placement = bootstrap_before_activations(graph, depths, costs.max_level(), false);
    p.seconds = seconds_of(graph, costs, choices, p.candidates, placement);
    p.levels = placement.levels;
    p.bootstraps = placement.bootstraps;
    result.push_back(std::move(p));
  }
  std::ranges::reverse(result);
  return result;
}

}  // namespace ap::degrees
