#include "plan/activation_spec.h"

#include "plan/quadratic.h"

namespace ap::plan {

activation::ActivationSpec spec_of(const nn::QuantisedNetwork& network, const ActivationChoice& choice,
                                   std::span<const std::uint64_t> primes) {
  const nn::QNode& node = network.nodes[static_cast<std::size_t>(choice.node)];
  const auto input = static_cast<std::size_t>(node.inputs.front());
  if (const auto* quadratic = std::get_if<nn::QQuadratic>(&node.op)) {
    return quadratic_spec(*quadratic, choice, static_cast<std::size_t>(network.nodes[input].shape.size()));
  }
  const auto& op = std::get<nn::QActivation>(node.op);
  activation::ActivationSpec spec;
  spec.inputs = static_cast<std::size_t>(network.nodes[input].shape.size());
  spec.outputs = static_cast<std::size_t>(node.shape.size());
  spec.sum_bits = choice.truncation.sum_bits;
  spec.guard_bits = choice.truncation.guard_bits;
  spec.clamp_bits = op.bits;
  spec.out_bits = choice.out_bits;
  if (!primes.empty()) {
    spec.in_prime = primes[input];
    spec.out_prime = primes[static_cast<std::size_t>(choice.node)];
  }
  if (op.has_pool)
    spec.pool_size = static_cast<std::size_t>(op.pool.kernel_h) * static_cast<std::size_t>(op.pool.kernel_w);
  return spec;
}

}  // namespace ap::plan
