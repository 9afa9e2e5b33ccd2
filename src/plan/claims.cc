#include "plan/claims.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "layers/linear/noise_model.h"
#include "plan/packed_layers.h"

namespace ap::plan {
namespace {

// Both sides compute in floating point, and logarithms span many orders of magnitude.
constexpr double kRounding = 1e-6;

void check_layer(const nn::QNode& node, const LinearChoice& choice, const linear::PackedLayer& layer) {
  const std::optional<double> least = layer.largest_error_std(std::get<nn::QLinear>(node.op).weights);
  if (!least) return;
  // Written so that a NaN fails.
  if (!(choice.error_std >= *least * (1 - kRounding))) {
    fail_input("layer {}: the package says that its error is {}, but its parameters cause {}", node.name,
               choice.error_std, *least);
  }
  const double log2_q = layer.ring().log2_q;
  const double deviation = choice.error_std * std::exp2(log2_q - choice.log2_p);
  const double failure = noise::log2_union(noise::log2_failure(deviation * deviation, log2_q, choice.log2_p),
                                           static_cast<double>(node.shape.size()));
  if (!(choice.failure_log2 >= failure - kRounding * (1 - failure))) {
    fail_input("layer {}: the package says that it fails with 2^{}, but with its error that is 2^{}",
               node.name, choice.failure_log2, failure);
  }
}

}  // namespace

void check_claims(const Plan& plan, const nn::QuantisedNetwork& network) {
  // A plan starts at 2^-1000, because it adds rates and not their logarithms.
  double sum = std::exp2(-1000);
  const GroupContexts contexts = make_contexts(plan);
  for (const LinearChoice& choice : plan.linears) {
    sum += std::exp2(choice.failure_log2);
    check_layer(network.nodes.at(static_cast<std::size_t>(choice.node)), choice,
                packed(make_layer(choice, network, contexts)));
  }
  const double failure = std::min(0.0, std::log2(sum));
  if (!(plan.failure_log2 >= failure - kRounding * (1 - failure))) {
    fail_input("the package says that an inference fails with 2^{}, but its layers do with 2^{}",
               plan.failure_log2, failure);
  }
}

bool claims_are_checked(const Plan& plan, const nn::QuantisedNetwork& network) {
  return std::none_of(plan.linears.begin(), plan.linears.end(), [&](const LinearChoice& choice) {
    const auto& op = std::get<nn::QLinear>(network.nodes.at(static_cast<std::size_t>(choice.node)).op);
    return choice.simd() || op.weights.empty();
  });
}

}  // namespace ap::plan
