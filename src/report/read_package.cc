#include "report/read_package.h"

#include <cmath>
#include <limits>
#include <map>

#include "plan/packed_layers.h"
#include "report/policy_style.h"
#include "security/limits.h"

namespace ap::report {
PlanView view_of(const package::Package& package, const std::string& source, const std::string& label) {
  const plan::Plan& plan = package.plan;
  PlanView view;
  view.network = package.network.name.empty() ? label : package.network.name;
  view.policy = policy_of_today(plan.policy);
  view.source = source;
  std::map<int, Layer> by_node;
  std::map<std::pair<std::uint32_t, double>, double> estimates;
  const auto node_of = [&](int index) -> const nn::QNode& {
    return package.network.nodes[static_cast<std::size_t>(index)];
  };
  double least = std::numeric_limits<double>::infinity();
  const std::vector<plan::LinearLayer> packed = plan::make_layers(plan, package.network);
  for (std::size_t i = 0; i < packed.size(); ++i) {
    const plan::LinearChoice& choice = plan.linears[i];
    const linear::PackedLayer& packed_layer = plan::packed(packed[i]);
    const linear::LayerRing ring = packed_layer.ring();
    const auto [estimate, is_new] = estimates.try_emplace({ring.n, ring.log2_published}, 0.0);
    if (is_new) estimate->second = security::lambda_bits(ring.n, ring.log2_published);
    const nn::QNode& node = node_of(choice.node);
    Layer& layer = by_node[choice.node];
    layer.name = node.name;
    layer.op = nn::op_name(node.op);
    layer.packing = packed_layer.describe();
    layer.n = ring.n;
    layer.log2_q = ring.log2_q;
    layer.log2_p = choice.log2_p;
    layer.tau_lsb = choice.error_std;
    layer.der_log2 =
        std::min(0.0, choice.failure_log2 - std::log2(static_cast<double>(packed_layer.replies())));
    layer.lambda_bits = estimate->second;
    layer.predicted_s = choice.predicted_s;
    layer.predicted_bytes = static_cast<double>(choice.predicted_bytes);
    least = std::min(least, estimate->second);
  }
  for (const plan::ActivationChoice& choice : plan.activations) {
    const nn::QNode& node = node_of(choice.node);
    Layer& layer = by_node[choice.node];
    layer.name = node.name;
    layer.op = nn::op_name(node.op);
    layer.activation = choice.protocol;
    layer.predicted_s = choice.predicted_s;
    layer.predicted_bytes = static_cast<double>(choice.predicted_bytes);
  }
  if (std::isfinite(least)) view.min_lambda_bits = least;
  for (auto& [node, layer] : by_node) {
    view.predicted_s += layer.predicted_s;
    view.predicted_bytes += layer.predicted_bytes;
    view.layers.push_back(std::move(layer));
  }
  return view;
}

}  // namespace ap::report
