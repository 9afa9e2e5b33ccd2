#include "plan/privacy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "layers/linear/noise_model.h"
#include "random/wide_noise.h"

namespace ap::plan {
namespace {

// The plan rounds to whole steps; both sides compute in floating point.
constexpr double kRounding = 1 + 1e-6;

double layer_snr(const nn::QNode& node, const LinearChoice& choice, const bfv::Parameters& group,
                 std::uint64_t inferences) {
  const auto& op = std::get<nn::QLinear>(node.op);
  const double largest = linear::largest_magnitude(op.weights);
  if (choice.noise_step == 0) return largest > 0 ? std::numeric_limits<double>::infinity() : 0;
  const linear::Layout layout(linear::geometry_of(op, node.shape.c), choice.packing, group.n);
  const double sigma = wide_noise_sigma(choice.noise_step);
  const noise::WeightExposure exposure{inferences, layout.reads_of_a_weight(), largest,
                                       linear::max_reply_norm2(layout, op.weights)};
  if (!noise::wide_enough(exposure, choice.noise_step)) return std::numeric_limits<double>::infinity();
  return noise::weight_snr(exposure, choice.noise_step,
                           noise::error_std(sigma * sigma, group.log2_q(), choice.log2_p));
}

template <typename Use>
void for_each_coefficient_layer(const nn::QuantisedNetwork& network, const Plan& plan, const Use& use) {
  if (plan.privacy.inferences == 0) return;
  for (const LinearChoice& choice : plan.linears) {
    if (choice.simd) continue;
    const nn::QNode& node = network.nodes.at(static_cast<std::size_t>(choice.node));
    use(node, layer_snr(node, choice, plan.groups.at(static_cast<std::size_t>(choice.group)),
                        plan.privacy.inferences));
  }
}

}  // namespace

double weight_snr(const nn::QuantisedNetwork& network, const Plan& plan) {
  double largest = 0;
  for_each_coefficient_layer(network, plan,
                             [&](const nn::QNode&, double snr) { largest = std::max(largest, snr); });
  return largest;
}

double flooding_distance(const Plan& plan) {
  // Every layer's choice states the distance of the whole inference.
  double distance = 0;
  for (const LinearChoice& choice : plan.linears) {
    if (choice.simd) distance = std::max(distance, std::exp2(-choice.simd->statistical_bits));
  }
  return std::min(1.0, distance * static_cast<double>(plan.privacy.inferences));
}

void require_weight_privacy(const nn::QuantisedNetwork& network, const Plan& plan) {
  for_each_coefficient_layer(network, plan, [&](const nn::QNode& node, double snr) {
    if (snr <= noise::kWeightSnr * kRounding) return;
    fail_security(
        "layer {}: over {} inferences a weight would stand out of the noise of the results by {:.3g}, {} is "
        "allowed; compile the network again",
        node.name, plan.privacy.inferences, snr, noise::kWeightSnr);
  });
}

}  // namespace ap::plan
