#include "report/read_package.h"

#include <cmath>
#include <limits>
#include <map>

#include "layers/linear/coefficient/layout.h"
#include "layers/linear/simd/conv.h"
#include "security/limits.h"

namespace ap::report {
namespace {

std::string packing_of(const plan::LinearChoice& choice) {
  if (choice.simd) return "SIMD";
  const linear::Packing& p = choice.packing;
  return fmt::format("coefficient {}x{} in{} out{}", p.window_h, p.window_w, p.channels_in, p.channels_out);
}

/// Ciphertexts of one reply message.
double replies_of(const nn::QNode& node, const plan::LinearChoice& choice, std::uint32_t n) {
  const linear::Geometry geometry = linear::geometry_of(std::get<nn::QLinear>(node.op), node.shape.c);
  if (!choice.simd) return static_cast<double>(linear::counts(geometry, choice.packing).replies);
  // A matrix has one reply.
  if (geometry.in.h == 1 && geometry.in.w == 1 && geometry.groups == 1) return 1;
  return static_cast<double>(linear::SimdConv(geometry, choice.simd->conv, n).replies());
}

}  // namespace

PlanView view_of(const package::Package& package, const std::string& source, const std::string& label) {
  const plan::Plan& plan = package.plan;
  PlanView view;
  view.network = package.network.name.empty() ? label : package.network.name;
  view.policy = plan.policy;
  view.source = source;
  std::map<int, Layer> by_node;
  std::map<std::pair<std::uint32_t, double>, double> estimates;
  const auto node_of = [&](int index) -> const nn::QNode& {
    return package.network.nodes[static_cast<std::size_t>(index)];
  };
  double least = std::numeric_limits<double>::infinity();
  for (const plan::LinearChoice& choice : plan.linears) {
    const auto group = static_cast<std::size_t>(choice.group);
    const std::uint32_t n = choice.simd ? plan.batch_groups[group].n : plan.groups[group].n;
    const double log2_q = choice.simd ? plan.batch_groups[group].log2_q() : plan.groups[group].log2_q();
    // Keys are published modulo q times the special primes.
    const double published = choice.simd ? plan.batch_groups[group].log2_qp() : log2_q;
    const auto [estimate, is_new] = estimates.try_emplace({n, published}, 0.0);
    if (is_new) estimate->second = security::lambda_bits(n, published);
    const nn::QNode& node = node_of(choice.node);
    Layer& layer = by_node[choice.node];
    layer.name = node.name;
    layer.op = nn::op_name(node.op);
    layer.packing = packing_of(choice);
    layer.n = n;
    layer.log2_q = log2_q;
    layer.log2_p = choice.log2_p;
    layer.tau_lsb = choice.error_std;
    layer.der_log2 = std::min(0.0, choice.failure_log2 - std::log2(replies_of(node, choice, n)));
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
