#include "plan/activation_spec.h"

#include "layers/activation/one_trip/one_trip_plan.h"
#include "plan/product.h"
#include "plan/quadratic.h"

namespace ap::plan {

bool takes_any_protocol(const nn::QuantisedNetwork& network, const ActivationChoice& choice) {
  return std::holds_alternative<nn::QActivation>(network.nodes[static_cast<std::size_t>(choice.node)].op);
}

bool is_protocol(const std::string& name) {
  return name == "auto" || name == "gc" || name == "ot" || name == "one-trip";
}

std::string protocol_of(const nn::QuantisedNetwork& network, const ActivationChoice& choice,
                        std::span<const std::uint64_t> primes, const std::string& wanted) {
  if (wanted != "one-trip" || activation::takes_one_trip(spec_of(network, choice, primes))) return wanted;
  return "ot";
}

activation::ActivationSpec spec_of(const nn::QuantisedNetwork& network, const ActivationChoice& choice,
                                   std::span<const std::uint64_t> primes) {
  const nn::QNode& node = network.nodes[static_cast<std::size_t>(choice.node)];
  const auto input = static_cast<std::size_t>(node.inputs.front());
  if (const auto* quadratic = std::get_if<nn::QQuadratic>(&node.op)) {
    return quadratic_spec(*quadratic, choice, static_cast<std::size_t>(network.nodes[input].shape.size()));
  }
  if (const auto* product = std::get_if<nn::QProduct>(&node.op)) {
    const auto elements = static_cast<std::size_t>(node.shape.size());
    const auto gates =
        static_cast<std::size_t>(network.nodes[static_cast<std::size_t>(node.inputs[1])].shape.size());
    return product_spec(*product, choice, elements, elements / gates);
  }
  const nn::Clamp op = *nn::clamp_of(node.op);
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
  if (const auto* table = std::get_if<nn::QTable>(&node.op)) {
    spec.table =
        activation::TableSpec{table->relu, table->even, table->cell_bits, table->value_bits(), table->values};
    return spec;
  }
  const auto& activation = std::get<nn::QActivation>(node.op);
  if (activation.has_pool) {
    spec.pool_size = static_cast<std::size_t>(activation.pool.kernel_h) *
                     static_cast<std::size_t>(activation.pool.kernel_w);
  }
  return spec;
}

}  // namespace ap::plan
