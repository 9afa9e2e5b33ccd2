// Packages whose every byte is the same whatever compiled the program. Plans are those of the planner with
// its typical profile, but without what it estimates in floating point.
#pragma once

#include <cmath>

#include "plan/activation_spec.h"
#include "planner/policies/select.h"
#include "tests/faults/tiny_network.h"
#include "tests/protocol/hybrid/gated_network.h"
#include "tests/protocol/hybrid/mixed_network.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/simd_plan.h"

namespace ap::transcripts {

using protocol::test::SimdPlanOptions;

/// The plan with round numbers for estimates: of errors and failures bounds that hold for every plan here (a
/// package that claims less than its parameters cause is refused), of time and traffic none.
inline plan::Plan without_estimates(plan::Plan plan) {
  constexpr double kError = 0.06, kLayerFailure = -44, kFailure = -41, kLambda = 128;
  for (plan::LinearChoice& choice : plan.linears) {
    choice.error_std = choice.simd() ? 0 : kError;
    choice.failure_log2 = kLayerFailure;
    choice.predicted_s = 0;
    choice.predicted_bytes = 0;
  }
  for (plan::ActivationChoice& choice : plan.activations) {
    choice.predicted_s = 0;
    choice.predicted_bytes = 0;
  }
  plan.failure_log2 = kFailure;
  plan.min_lambda_bits = kLambda;
  return plan;
}

/// The network with scales that follow from each other, as a file must have them.
inline nn::QuantisedNetwork with_scales(nn::QuantisedNetwork network) {
  for (nn::QNode& node : network.nodes) {
    if (node.inputs.empty()) continue;
    const double input = network.nodes[static_cast<std::size_t>(node.inputs.front())].scale;
    if (const auto* activation = std::get_if<nn::QActivation>(&node.op)) {
      node.scale = std::ldexp(input, activation->shift);
    } else if (const auto* product = std::get_if<nn::QProduct>(&node.op)) {
      const double second = network.nodes[static_cast<std::size_t>(node.inputs[1])].scale;
      node.scale = std::ldexp(input * second, product->shift);
    } else if (std::holds_alternative<nn::QConcat>(node.op) || std::holds_alternative<nn::QGather>(node.op)) {
      node.scale = input;
    }
  }
  return network;
}

inline nn::QuantisedNetwork small_network(std::uint8_t seed) {
  return with_scales(protocol::test::small_network(seed));
}
inline nn::QuantisedNetwork gated_network() { return with_scales(protocol::test::gated_network()); }
inline nn::QuantisedNetwork mixed_network() { return with_scales(protocol::test::mixed_network()); }

enum class Protocols { gc, ot, alternating, one_trip };

/// Quadratic activations keep their own protocol.
inline plan::Plan with_protocols(const nn::QuantisedNetwork& network, plan::Plan plan, Protocols protocols) {
  std::size_t turn = 0;
  for (plan::ActivationChoice& choice : plan.activations) {
    if (choice.protocol != "gc") continue;
    const bool garbled =
        protocols == Protocols::gc || (protocols == Protocols::alternating && turn++ % 2 == 0);
    choice.protocol = garbled ? "gc" : "ot";
    if (protocols == Protocols::one_trip)
      choice.protocol = plan::protocol_of(network, choice, plan.primes, "one-trip");
  }
  return plan;
}

inline plan::Plan coefficient_plan(const nn::QuantisedNetwork& network, Protocols protocols,
                                   int guard_bits = plan::SelectOptions{}.guard_bits) {
  plan::SelectOptions options;
  options.guard_bits = guard_bits;
  return without_estimates(with_protocols(network, plan::select_exact(network, options), protocols));
}

/// Layers packed for SIMD, wholly or (options.simd) in part.
inline plan::Plan slot_plan(const nn::QuantisedNetwork& network, const SimdPlanOptions& options = {}) {
  return without_estimates(
      protocol::test::simd_plan(network, coefficient_plan(network, Protocols::gc), options));
}

inline plan::Plan revealing_label(plan::Plan plan, const std::string& protocol) {
  plan.reveal = plan::Reveal::label;
  plan.argmax_protocol = protocol;
  return plan;
}

/// Two linear layers and an activation.
inline package::Package tiny_package() {
  const nn::QuantisedNetwork network = with_scales(faults::tiny_package(true).network);
  return protocol::test::packaged(network, coefficient_plan(network, Protocols::gc));
}

/// Fully connected layers too long for the slots of long_package: the first has more rows, the second more
/// columns than half of them.
inline nn::QuantisedNetwork long_network() {
  using namespace protocol::test;
  constexpr int kLong = 1030;
  Prng prng(Seed{9});
  nn::QuantisedNetwork net;
  net.name = "long";
  auto& nodes = net.nodes;
  nodes.push_back(make_node("input", nn::QInput{}, {}, {8, 1, 1}));
  nodes[0].low = -128;
  nodes[0].high = 127;
  nodes.push_back(make_node("rows", make_linear(prng, {8, 1, 1}, {}, 1, kLong), {0}, {kLong, 1, 1}));
  nn::QActivation relu = make_activation(10);
  relu.bits = 4;
  nodes.push_back(make_node("relu", relu, {1}, {kLong, 1, 1}));
  nodes.push_back(make_node("columns", make_linear(prng, {kLong, 1, 1}, {}, 1, 10), {2}, {10, 1, 1}));
  nn::set_ranges(net, static_cast<int>(nodes.size()));
  return with_scales(std::move(net));
}

inline package::Package long_package() {
  plan::Plan plan = slot_plan(long_network());
  plan.linears[0].simd()->fc = linear::SimdFcMethod::hybrid_baby_giant;
  plan.linears[1].simd()->fc = linear::SimdFcMethod::diagonal_baby_giant;
  return protocol::test::packaged(long_network(), plan);
}

}  // namespace ap::transcripts
