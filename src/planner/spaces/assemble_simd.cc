#include "planner/spaces/assemble_simd.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <set>

#include "analysis/cost/session_cost.h"
#include "base/error.h"
#include "plan/activation_spec.h"
#include "plan/packed_layers.h"
#include "planner/spaces/add_linear.h"
#include "planner/spaces/assemble.h"

namespace ap::plan {
namespace {

ActivationChoice choose_activation(const nn::QuantisedNetwork& network, int index, const nn::QActivation& op,
                                   const std::vector<std::uint64_t>& primes, const cost::Profile& profile) {
  const nn::QNode& node = network.nodes[static_cast<std::size_t>(index)];
  const auto input = static_cast<std::size_t>(node.inputs.front());
  ActivationChoice choice;
  choice.node = index;
  choice.protocol = "gc";
  // Shares modulo a prime cannot be truncated by their owners: the whole shift happens in the circuit.
  choice.truncation = {static_cast<int>(std::bit_width(primes[input])) - op.shift, op.shift, op.shift};
  choice.out_bits = std::bit_width(primes[static_cast<std::size_t>(index)]);
  set_price(cost::garbling_work(spec_of(network, choice, primes), profile), profile, choice);
  return choice;
}

/// Adds each group's keys to the first layers that need them, spread over a session if they serve one.
void add_keys(const nn::QuantisedNetwork& network, const SimdUnitCosts& costs, Plan& plan) {
  const std::uint64_t images = keeps_keys(plan) ? cost::kTypicalSession : 1;
  const std::vector<LinearLayer> layers = make_layers(plan, network);
  std::vector<std::optional<std::set<std::uint32_t>>> held(plan.batch_groups.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LinearChoice& choice = plan.linears[i];
    const auto group = static_cast<std::size_t>(choice.group);
    const bool first = !held[group];
    if (first) held[group].emplace();
    const std::size_t before = held[group]->size();
    for (const std::uint32_t element : packed(layers[i]).elements()) held[group]->insert(element);
    const KeyPrice keys = price_keys(plan.batch_groups[group], held[group]->size() - before, first, costs);
    choice.predicted_s += keys.seconds / static_cast<double>(images);
    choice.predicted_bytes += keys.bytes / images;
  }
}

}  // namespace

Plan assemble_simd(const nn::QuantisedNetwork& network, std::string policy, double target_failure_log2,
                   std::vector<std::uint64_t> primes, std::span<const SimdCandidate> linears,
                   const cost::Profile& profile) {
  Plan plan;
  plan.policy = std::move(policy);
  plan.target_failure_log2 = target_failure_log2;
  for (const std::uint64_t prime : primes) plan.modulus_bits.push_back(std::bit_width(prime));
  plan.failure_log2 = -1000;
  plan.min_lambda_bits = 10000;
  const std::vector<int> nodes = linear_nodes(network);
  AP_ASSERT(nodes.size() == linears.size() && primes.size() == network.nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bfv::BatchParameters& parameters = linears[i].parameters;
    // Rotation keys are published modulo all primes.
    add_linear(plan, plan.batch_groups, parameters, parameters.log2_qp(), linears[i].choice, nodes[i]);
  }
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    if (const auto* op = std::get_if<nn::QActivation>(&network.nodes[i].op)) {
      plan.activations.push_back(choose_activation(network, static_cast<int>(i), *op, primes, profile));
    }
  }
  plan.primes = std::move(primes);
  validate(plan, network);
  add_keys(network, profile.simd, plan);
  return plan;
}

}  // namespace ap::plan
