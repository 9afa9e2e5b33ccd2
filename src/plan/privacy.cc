#include "plan/privacy.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "plan/packed_layers.h"

namespace ap::plan {
namespace {

// The plan rounds to whole steps; both sides compute in floating point.
constexpr double kRounding = 1 + 1e-6;

/// use(node, signal-to-noise ratio) for every layer, if privacy is promised.
template <typename Use>
void for_each_snr(const nn::QuantisedNetwork& network, const Plan& plan, const Use& use) {
  if (plan.privacy.inferences == 0) return;
  const std::vector<LinearLayer> layers = make_layers(plan, network);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const nn::QNode& node = network.nodes.at(static_cast<std::size_t>(plan.linears[i].node));
    use(node, packed(layers[i]).weight_snr(std::get<nn::QLinear>(node.op).weights, plan.privacy.inferences));
  }
}

}  // namespace

double weight_snr(const nn::QuantisedNetwork& network, const Plan& plan) {
  double largest = 0;
  for_each_snr(network, plan, [&](const nn::QNode&, double snr) { largest = std::max(largest, snr); });
  return largest;
}

double flooding_distance(const Plan& plan) {
  // Every layer's choice states the distance of the whole inference.
  double distance = 0;
  for (const LinearChoice& choice : plan.linears) {
    if (const SimdChoice* simd = choice.simd())
      distance = std::max(distance, std::exp2(-simd->statistical_bits));
  }
  return std::min(1.0, distance * static_cast<double>(plan.privacy.inferences));
}

void require_weight_privacy(const nn::QuantisedNetwork& network, const Plan& plan) {
  for_each_snr(network, plan, [&](const nn::QNode& node, double snr) {
    if (snr <= noise::kWeightSnr * kRounding) return;
    fail_security(
        "layer {}: over {} inferences a weight would stand out of the noise of the results by {:.3g}, {} is "
        "allowed; compile the network again",
        node.name, plan.privacy.inferences, snr, noise::kWeightSnr);
  });
}

}  // namespace ap::plan
