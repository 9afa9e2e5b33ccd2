#include "app/compile_report.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "layers/linear/coefficient/layout.h"
#include "planner/spaces/simd_candidates.h"

namespace ap::app {
namespace {

std::string packing_text(const linear::Packing& p) {
  std::string text =
      fmt::format("coefficient {}x{} in{} out{}", p.window_h, p.window_w, p.channels_in, p.channels_out);
  if (p.groups > 1) text += fmt::format(" groups{}", p.groups);
  if (p.phases) text += " phases";
  return text;
}

/// How a layer is packed; "SIMD" is BFV batching.
std::string packing_text(const nn::QNode& node, const plan::LinearChoice& choice) {
  if (!choice.simd) return packing_text(choice.packing);
  if (linear::is_matrix(linear::geometry_of(std::get<nn::QLinear>(node.op), node.shape.c)))
    return "SIMD hybrid";
  switch (choice.simd->conv) {
    case linear::SimdConvMethod::input_rotation:
      return "SIMD input-rotation";
    case linear::SimdConvMethod::output_rotation:
      return "SIMD output-rotation";
    case linear::SimdConvMethod::shifted_copies:
      return "SIMD shifted-copies";
    case linear::SimdConvMethod::shifted_copies_published:
      return "SIMD shifted-copies-published";
  }
  return "SIMD";
}

/// The probability that one reply ciphertext holds a wrong coefficient, from the layer's failure probability.
double ciphertext_error_rate(const package::Package& package, const plan::LinearChoice& choice) {
  const nn::QNode& node = package.network.nodes[static_cast<std::size_t>(choice.node)];
  const auto geometry = linear::geometry_of(std::get<nn::QLinear>(node.op), node.shape.c);
  const auto replies = static_cast<double>(
      choice.simd ? plan::simd_layer(geometry, *choice.simd,
                                     package.plan.batch_groups[static_cast<std::size_t>(choice.group)].n)
                        .counts.replies
                  : linear::counts(geometry, choice.packing).replies);
  return std::exp2(choice.failure_log2) / replies;
}

LinearReport linear_report(const package::Package& package, const Audit& audit,
                           const plan::LinearChoice& choice) {
  LinearReport report;
  report.packing = packing_text(package.network.nodes[static_cast<std::size_t>(choice.node)], choice);
  const auto group = static_cast<std::size_t>(choice.group);
  const auto set_ring = [&](std::uint32_t n, double log2_q, std::vector<std::uint64_t> primes) {
    report.n = n;
    report.log2_q = log2_q;
    report.primes = std::move(primes);
  };
  if (choice.simd) {
    const bfv::BatchParameters& p = package.plan.batch_groups[group];
    set_ring(p.n, p.log2_q(), p.data_primes);
  } else {
    const bfv::Parameters& p = package.plan.groups[group];
    set_ring(p.n, p.log2_q(), p.primes);
  }
  report.log2_p = choice.log2_p;
  report.error_std = choice.error_std;
  report.ciphertext_error_rate = ciphertext_error_rate(package, choice);
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
  for (const plan::LinearChoice& choice : package.plan.linears)
    add(choice).linear = linear_report(package, audit, choice);
  for (const plan::ActivationChoice& choice : package.plan.activations)
    add(choice).activation = choice.protocol;
  std::vector<LayerReport> layers;
  for (auto& [node, layer] : by_node) layers.push_back(std::move(layer));
  return layers;
}

}  // namespace ap::app
