#include "planner/search/error_std_environment.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "layers/linear/coefficient/layer_noise.h"
#include "plan/activation_spec.h"
#include "plan/product.h"
#include "plan/quadratic.h"
#include "planner/search/prediction.h"
#include "planner/spaces/assemble.h"

namespace ap::search {
namespace {

// Budgets of the encryption noise, as log2 of fractions of the step: a quarter of a bit apart where networks
// begin to suffer, coarser towards errors that nothing notices.
std::vector<double> budget_grid() {
  std::vector<double> grid;
  for (double b = ErrorStdEnvironment::kLog2Loosest; b > ErrorStdEnvironment::kLog2Tightest; b -= 0.25)
    grid.push_back(b);
  for (double b = ErrorStdEnvironment::kLog2Tightest; b >= -10; b -= 1) grid.push_back(b);
  for (double b = -14; b >= -22; b -= 4) grid.push_back(b);
  return grid;
}

// More guard bits than any shift has bits: shares are truncated inside the circuit only.
constexpr int kMaxGuardBits = 16;
// What activations may have.
constexpr int kGuardBits[] = {0, 1, 2, 3, 4, 6, kMaxGuardBits};

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// By node: the number of the last linear layer behind it with only local nodes between, or -1.
std::vector<int> nearest_layer(const nn::QuantisedNetwork& network) {
  std::vector<int> nearest(network.nodes.size(), -1);
  int layer = 0;
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    if (std::holds_alternative<nn::QLinear>(node.op)) {
      nearest[i] = layer++;
    } else if (!std::holds_alternative<nn::QActivation>(node.op) &&
               !std::holds_alternative<nn::QTable>(node.op) &&
               !std::holds_alternative<nn::QProduct>(node.op)) {
      for (const int input : node.inputs) nearest[i] = std::max(nearest[i], nearest[at(input)]);
    }
  }
  return nearest;
}

LayerFeatures features_of(const nn::QNode& node, int index, const plan::Candidate& exact) {
  const auto& op = std::get<nn::QLinear>(node.op);
  LayerFeatures f;
  f.index = index;
  f.c_in = op.in_shape.c;
  f.c_out = node.shape.c;
  f.width = op.in_shape.w;
  f.height = op.in_shape.h;
  f.kernel = op.window.kernel_h;
  f.stride = op.in_shape.h == 1 && op.in_shape.w == 1 ? 0 : op.window.stride_h;
  f.log2_p = exact.choice.log2_p;
  f.log2_q = exact.parameters.log2_q();
  f.log2_n = std::log2(exact.parameters.n);
  return f;
}

}  // namespace

ErrorStdEnvironment::ErrorStdEnvironment(const Problem& problem, Sharder* sharder)
    : Environment(problem, sharder),
      nodes_(plan::linear_nodes(*problem.network)),
      modulus_bits_(plan::assign_moduli(*problem.network, problem.ranges, 0)),
      owner_(problem.network->nodes.size(), -1),
      candidates_(nodes_.size()),
      options_(nodes_.size()),
      errors_(nodes_.size()) {
  const nn::QuantisedNetwork& network = *problem.network;
  const std::vector<int> nearest = nearest_layer(network);
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    if (std::holds_alternative<nn::QQuadratic>(network.nodes[i].op)) {
      const auto choice = plan::choose_quadratic(network, static_cast<int>(i), modulus_bits_[i],
                                                 problem.ranges[at(network.nodes[i].inputs.front())],
                                                 kMaxGuardBits, problem.options.profile);
      fixed_seconds_ +=
          choice.predicted_s + static_cast<double>(choice.predicted_bytes) / problem.options.bytes_per_second;
      fixed_bytes_ += choice.predicted_bytes;
    }
    const nn::QOp& op = network.nodes[i].op;
    if (!nn::is_activation(op) || std::holds_alternative<nn::QQuadratic>(op)) continue;
    owner_[i] = nearest[at(network.nodes[i].inputs.front())];
    if (owner_[i] >= 0) continue;
    const auto choice = plan::choose_activation(network, static_cast<int>(i), modulus_bits_[i],
                                                problem.ranges, kMaxGuardBits, problem.options.profile);
    const Price price = activation_price(plan::spec_of(network, choice), problem.options.protocol,
                                         problem.options.bytes_per_second, problem.options.profile);
    fixed_seconds_ += price.seconds;
    fixed_bytes_ += price.bytes;
  }
  points_.resize(nodes_.size());
  features_.resize(nodes_.size());
  parallel_for(nodes_.size(), [&](std::size_t i) { list_points(i); });
}

void ErrorStdEnvironment::list_points(std::size_t layer) {
  const nn::QuantisedNetwork& network = *problem().network;
  const ProblemOptions& options = problem().options;
  const nn::QNode& node = network.nodes[at(nodes_[layer])];
  const double step = problem().steps[layer];
  const plan::LayerSpace space(node, std::max(modulus_bits_[at(nodes_[layer])], 2),
                               {options.bytes_per_second, options.profile, options.privacy_inferences});
  std::vector<plan::Candidate>& candidates = candidates_[layer];
  for (const double log2_fraction : budget_grid()) {
    const plan::ErrorBudget budget{.error_std = step * std::exp2(log2_fraction)};
    // The loosest budget is the easiest: without parameters for it there are none at all.
    if (candidates.empty()) {
      candidates.push_back(space.cheapest(budget));
    } else if (!space.candidates(budget).empty()) {
      candidates.push_back(space.cheapest(budget));
    }
  }
  // The activations behind this layer, for every number of guard bits.
  int shift = 0;
  std::vector<Price> guards;
  for (const int guard : kGuardBits) {
    Price sum;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
      if (owner_[i] != static_cast<int>(layer)) continue;
      const auto choice = plan::choose_activation(network, static_cast<int>(i), modulus_bits_[i],
                                                  problem().ranges, guard, options.profile);
      shift = std::max(shift, choice.truncation.shift);
      sum += activation_price(plan::spec_of(network, choice), options.protocol, options.bytes_per_second,
                              options.profile);
    }
    guards.push_back(sum);
  }
  struct Joint {
    Point point;
    Option option;
  };
  std::vector<Joint> all;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const Price linear = linear_price(candidates[c].choice, options.bytes_per_second);
    for (std::size_t g = 0; g < std::size(kGuardBits); ++g) {
      // A dropped bit of weight d errs uniformly over d; a layer without activation has one choice of guards.
      const double dropped = kGuardBits[g] < shift ? step * std::exp2(-kGuardBits[g]) : 0;
      const double error = std::hypot(candidates[c].choice.error_std, dropped / std::sqrt(12.0));
      const double action = (kLog2Loosest - std::log2(error / step)) / (kLog2Loosest - kLog2Tightest);
      all.push_back({{std::clamp(action, 0.0, 1.0), error, linear.seconds + guards[g].seconds,
                      linear.bytes + guards[g].bytes},
                     {c, kGuardBits[g]}});
      if (kGuardBits[g] >= shift) break;
    }
  }
  std::ranges::sort(all, {}, [](const Joint& j) { return std::pair(j.point.error, j.point.seconds); });
  for (const Joint& j : all) {
    if (!points_[layer].empty() && j.point.seconds >= points_[layer].back().seconds) continue;
    points_[layer].push_back(j.point);
    options_[layer].push_back(j.option);
  }
  errors_[layer].resize(candidates.size());
  features_[layer] =
      features_of(node, static_cast<int>(layer), candidates[options_[layer].front().candidate]);
}

const plan::Candidate& ErrorStdEnvironment::candidate(std::size_t layer, int point) const {
  return candidates_[layer][options_[layer][at(point)].candidate];
}

int ErrorStdEnvironment::guard_bits(std::size_t layer, int point) const {
  return options_[layer][at(point)].guard_bits;
}

std::vector<int> ErrorStdEnvironment::guards_of(const Choice& choice) const {
  std::vector<int> guards(owner_.size(), kMaxGuardBits);
  for (std::size_t i = 0; i < owner_.size(); ++i) {
    if (owner_[i] >= 0) guards[i] = guard_bits(at(owner_[i]), choice[at(owner_[i])]);
  }
  return guards;
}

plan::Plan ErrorStdEnvironment::plan_of(const Choice& choice) const {
  AP_ASSERT(choice.size() == layers());
  std::vector<plan::Candidate> chosen;
  for (std::size_t i = 0; i < choice.size(); ++i) chosen.push_back(candidate(i, choice[i]));
  plan::Plan plan = plan::assemble(*problem().network, "search", 0, modulus_bits_, chosen, problem().ranges,
                                   guards_of(choice), problem().options.profile);
  plan.privacy.inferences = problem().options.privacy_inferences;
  for (plan::ActivationChoice& activation : plan.activations) {
    if (plan::takes_any_protocol(*problem().network, activation))
      activation.protocol =
          plan::protocol_of(*problem().network, activation, plan.primes, problem().options.protocol);
  }
  return plan;
}

noise::ErrorModel ErrorStdEnvironment::error_model(const Choice& choice) const {
  AP_ASSERT(choice.size() == layers());
  const nn::QuantisedNetwork& network = *problem().network;
  noise::ErrorModel model;
  model.linears.resize(layers());
  parallel_for(layers(), [&](std::size_t i) {
    const std::size_t c = options_[i][at(choice[i])].candidate;
    noise::LinearError& error = errors_[i][c];
    if (error.error_std.empty()) {
      const nn::QNode& node = network.nodes[at(nodes_[i])];
      const auto& op = std::get<nn::QLinear>(node.op);
      const plan::Candidate& chosen = candidates_[i][c];
      const plan::CoefficientChoice& replies = *chosen.choice.coefficient();
      const linear::Layout layout(linear::geometry_of(op, node.shape.c), replies.packing,
                                  chosen.parameters.n);
      error.node = nodes_[i];
      error.error_std = noise::output_error_stds(layout, op.weights, replies.c0_dropped_bits,
                                                 replies.c1_dropped_bits, chosen.choice.noise_step,
                                                 chosen.parameters.log2_q(), chosen.choice.log2_p);
    }
    model.linears[i] = error;
  });
  const std::vector<int> guards = guards_of(choice);
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    const nn::Interval& range = problem().ranges[at(node.inputs.empty() ? 0 : node.inputs.front())];
    plan::Truncation t;
    std::int64_t low = 0;
    if (const auto clamp = nn::clamp_of(node.op)) {
      t = plan::truncation_of(*clamp, range, guards[i]);
      low = clamp->low;
    } else if (const auto* product = std::get_if<nn::QProduct>(&node.op)) {
      t = plan::product_truncation(*product, range, problem().ranges[at(node.inputs[1])], guards[i]);
      low = product->low;
    } else {
      continue;
    }
    model.truncations.push_back(
        {static_cast<int>(i), t.sum_bits, t.shift, t.dropped_bits(), t.offset(), low});
  }
  model.logits = static_cast<int>(network.nodes.size()) - 1;
  model.logit_bits = modulus_bits_.back();
  return model;
}

}  // namespace ap::search
