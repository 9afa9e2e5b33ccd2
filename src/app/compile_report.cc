#include "app/compile_report.h"

#include <cmath>
#include <map>

#include "plan/packed_layers.h"

namespace ap::app {
namespace {

LinearReport linear_report(const plan::LinearChoice& choice, const plan::LinearLayer& made,
                           const Audit& audit) {
  const linear::PackedLayer& layer = plan::packed(made);
  const linear::LayerRing ring = layer.ring();
  LinearReport report;
  report.packing = layer.describe();
  report.n = ring.n;
  report.log2_q = ring.log2_q;
  report.primes = ring.primes;
  report.log2_p = choice.log2_p;
  report.error_std = choice.error_std;
  report.ciphertext_error_rate = std::exp2(choice.failure_log2) / static_cast<double>(layer.replies());
  report.lambda_bits = group_of(audit, choice).estimate.lambda_min;
  return report;
}

}  // namespace

std::vector<LayerReport> layer_reports(const package::Package& package, const Audit& audit) {
  std::map<int, LayerReport> by_node;
  const auto add = [&](const auto& choice) -> LayerReport& {
    const nn::QNode& node = package.network.nodes[static_cast<std::size_t>(choice.node)];
    LayerReport& layer = by_node[choice.node];
    layer.name = node.name;
    layer.op = nn::op_name(node.op);
    layer.predicted_s = choice.predicted_s;
    layer.predicted_bytes = choice.predicted_bytes;
    return layer;
  };
  const std::vector<plan::LinearLayer> made = plan::make_layers(package.plan, package.network);
  for (std::size_t i = 0; i < made.size(); ++i) {
    const plan::LinearChoice& choice = package.plan.linears[i];
    add(choice).linear = linear_report(choice, made[i], audit);
  }
  for (const plan::ActivationChoice& choice : package.plan.activations)
    add(choice).activation = choice.protocol;
  std::vector<LayerReport> layers;
  for (auto& [node, layer] : by_node) layers.push_back(std::move(layer));
  return layers;
}

}  // namespace ap::app
