#include "plan/claims.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "layers/linear/coefficient/he_linear.h"
#include "layers/linear/noise_model.h"
#include "random/prng.h"

namespace ap::plan {
namespace {

// Both sides compute in floating point, and logarithms span many orders of magnitude.
constexpr double kRounding = 1e-6;

/// The least standard deviation of p e / q that the layer can have.
double least_error(const nn::QNode& node, const LinearChoice& choice, const bfv::Parameters& group) {
  const auto& op = std::get<nn::QLinear>(node.op);
  noise::ReplyNoise reply{group.n,          0, kErrorSigma, choice.c0_dropped_bits, choice.c1_dropped_bits,
                          choice.noise_step};
  if (!op.weights.empty()) {
    const linear::Layout layout(linear::geometry_of(op, node.shape.c), choice.packing, group.n);
    reply.weight_norm2 = linear::max_reply_norm2(layout, op.weights);
  }
  return noise::error_std(noise::variance(reply), group.log2_q(), choice.log2_p);
}

void check_layer(const nn::QNode& node, const LinearChoice& choice, const bfv::Parameters& group) {
  const double least = least_error(node, choice, group);
  // Written so that a NaN fails.
  if (!(choice.error_std >= least * (1 - kRounding))) {
    fail_input("layer {}: the package says that its error is {}, but its parameters cause {}", node.name,
               choice.error_std, least);
  }
  const double deviation = choice.error_std * std::exp2(group.log2_q() - choice.log2_p);
  const double failure =
      noise::log2_union(noise::log2_failure(deviation * deviation, group.log2_q(), choice.log2_p),
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
  for (const LinearChoice& choice : plan.linears) {
    sum += std::exp2(choice.failure_log2);
    if (choice.simd) continue;
    check_layer(network.nodes.at(static_cast<std::size_t>(choice.node)), choice,
                plan.groups.at(static_cast<std::size_t>(choice.group)));
  }
  const double failure = std::min(0.0, std::log2(sum));
  if (!(plan.failure_log2 >= failure - kRounding * (1 - failure))) {
    fail_input("the package says that an inference fails with 2^{}, but its layers do with 2^{}",
               plan.failure_log2, failure);
  }
}

bool claims_are_checked(const Plan& plan, const nn::QuantisedNetwork& network) {
  return std::ranges::none_of(plan.linears, [&](const LinearChoice& choice) {
    const auto& op = std::get<nn::QLinear>(network.nodes.at(static_cast<std::size_t>(choice.node)).op);
    return choice.simd.has_value() || op.weights.empty();
  });
}

}  // namespace ap::plan
