#include "planner/spaces/assemble.h"

#include <algorithm>
#include <cmath>

#include "analysis/cost/layer_cost.h"
#include "base/error.h"
#include "plan/activation_spec.h"
#include "plan/product.h"
#include "plan/quadratic.h"
#include "planner/spaces/add_linear.h"

namespace ap::plan {

void set_price(const cost::LayerWork& work, const cost::Profile& profile, ActivationChoice& choice) {
  choice.predicted_s = cost::cpu_of(work.offline, profile).sum() + cost::cpu_of(work.online, profile).sum();
  choice.predicted_bytes = static_cast<std::uint64_t>(work.offline.bytes() + work.online.bytes());
}

ActivationChoice choose_activation(const nn::QuantisedNetwork& network, int node, int out_bits,
                                   std::span<const nn::Interval> ranges, int guard_bits,
                                   const cost::Profile& profile) {
  const nn::QNode& at = network.nodes[static_cast<std::size_t>(node)];
  ActivationChoice choice;
  choice.node = node;
  const nn::Interval& range = ranges[static_cast<std::size_t>(at.inputs.front())];
  choice.out_bits = out_bits;
  if (const auto* product = std::get_if<nn::QProduct>(&at.op)) {
    const nn::Interval& gate = ranges[static_cast<std::size_t>(at.inputs[1])];
    choice.truncation = product_truncation(*product, range, gate, guard_bits);
  } else {
    choice.truncation = truncation_of(*nn::clamp_of(at.op), range, guard_bits);
  }
  if (!std::holds_alternative<nn::QActivation>(at.op)) {
    choice.protocol = kPrivateProtocol;
    set_price(cost::activation_work(ActivationProtocol::ot, spec_of(network, choice), profile), profile,
              choice);
    return choice;
  }
  set_price(cost::garbling_work(spec_of(network, choice), profile), profile, choice);
  return choice;
}

ActivationChoice choose_quadratic(const nn::QuantisedNetwork& network, int index, int out_bits,
                                  const nn::Interval& range, int guard_bits, const cost::Profile& profile) {
  const nn::QNode& node = network.nodes[static_cast<std::size_t>(index)];
  const auto& op = std::get<nn::QQuadratic>(node.op);
  const QuadraticRings rings = quadratic_rings(op, range, guard_bits);
  ActivationChoice choice;
  choice.node = index;
  choice.protocol = kQuadraticProtocol;
  choice.argument = rings.argument;
  choice.truncation = rings.result;
  choice.out_bits = out_bits;
  const auto spec = quadratic_spec(op, choice, static_cast<std::size_t>(node.shape.size()));
  set_price(cost::activation_work(ActivationProtocol::ot, spec, profile), profile, choice);
  return choice;
}

std::vector<int> linear_nodes(const nn::QuantisedNetwork& network) {
  std::vector<int> linears;
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    if (std::holds_alternative<nn::QLinear>(network.nodes[i].op)) linears.push_back(static_cast<int>(i));
  }
  return linears;
}

Plan assemble(const nn::QuantisedNetwork& network, std::string policy, double target_failure_log2,
              std::vector<int> modulus_bits, std::span<const Candidate> linears,
              std::span<const nn::Interval> ranges, int guard_bits, const cost::Profile& profile) {
  const std::vector<int> guards(network.nodes.size(), guard_bits);
  return assemble(network, std::move(policy), target_failure_log2, std::move(modulus_bits), linears, ranges,
                  guards, profile);
}

Plan assemble(const nn::QuantisedNetwork& network, std::string policy, double target_failure_log2,
              std::vector<int> modulus_bits, std::span<const Candidate> linears,
              std::span<const nn::Interval> ranges, std::span<const int> guard_bits,
              const cost::Profile& profile) {
  AP_ASSERT(guard_bits.size() == network.nodes.size());
  Plan plan;
  plan.policy = std::move(policy);
  plan.target_failure_log2 = target_failure_log2;
  plan.modulus_bits = std::move(modulus_bits);
  plan.failure_log2 = -1000;
  plan.min_lambda_bits = 10000;
  const std::vector<int> nodes = linear_nodes(network);
  AP_ASSERT(nodes.size() == linears.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bfv::Parameters& parameters = linears[i].parameters;
    add_linear(plan, plan.groups, parameters, parameters.log2_q(), linears[i].choice, nodes[i]);
  }
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QOp& op = network.nodes[i].op;
    if (nn::is_activation(op) && !std::holds_alternative<nn::QQuadratic>(op)) {
      plan.activations.push_back(choose_activation(network, static_cast<int>(i), plan.modulus_bits[i], ranges,
                                                   guard_bits[i], profile));
    } else if (std::holds_alternative<nn::QQuadratic>(op)) {
      const auto input = static_cast<std::size_t>(network.nodes[i].inputs.front());
      plan.activations.push_back(choose_quadratic(network, static_cast<int>(i), plan.modulus_bits[i],
                                                  ranges[input], guard_bits[i], profile));
    }
  }
  validate(plan, network);
  return plan;
}

}  // namespace ap::plan
