// plan::validate: a plan held against its network, layer by layer (plan/plan.h).
#include <algorithm>

#include "base/error.h"
#include "layers/activation/argmax_spec.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "plan/activation_spec.h"
#include "plan/packed_layers.h"
#include "plan/plan.h"
#include "plan/product.h"
#include "plan/quadratic.h"
#include "plan/validate_simd.h"
#include "random/wide_noise.h"

namespace ap::plan {
namespace {

// Sane limits on numbers that decide how much memory or time a package can ask for.
constexpr std::size_t kMaxGroups = 64;
/// Widest shift inside a circuit for shares modulo a prime (activation::ActivationSpec::guard_bits).
constexpr int kMaxPrimeShift = 24;

const nn::QNode& node_at(const nn::QuantisedNetwork& network, int index, const char* what) {
  if (index < 0 || static_cast<std::size_t>(index) >= network.nodes.size()) {
    fail_input("the plan names node {} for a {}, but the network has {} nodes", index, what,
               network.nodes.size());
  }
  return network.nodes[static_cast<std::size_t>(index)];
}

void in_range(const std::string& layer, const char* what, double value, double low, double high) {
  // Written so that a NaN fails.
  if (!(value >= low && value <= high)) {
    fail_input("layer {}: {} is {}, outside {}..{}", layer, what, value, low, high);
  }
}

bool is_activation(const nn::QNode& node) { return nn::is_activation(node.op); }

void check_coefficient(const LinearChoice& c, const CoefficientChoice& replies, const Plan& plan,
                       const nn::QNode& node) {
  if (const std::uint64_t prime = prime_of(plan, c.node); prime != 0) {
    fail_input("layer {} is shared modulo the prime {}, but is not packed for SIMD", node.name, prime);
  }
  in_range(node.name, "its parameter group", c.group, 0, static_cast<double>(plan.groups.size()) - 1);
  const bfv::Parameters& group = plan.groups[static_cast<std::size_t>(c.group)];
  const int held = plan.modulus_bits[static_cast<std::size_t>(c.node)];
  in_range(node.name, "log2 p", c.log2_p, held, held);
  in_range(node.name, "log2 p", c.log2_p, 2, group.log2_q() - 1);
  const int input_bits = plan.modulus_bits[static_cast<std::size_t>(node.inputs.front())];
  in_range(node.name, "the sharing modulus of its input", input_bits, c.log2_p, kMaxModulusBits);
  in_range(node.name, "the number of bits dropped from c0", replies.c0_dropped_bits, 0, group.log2_q() - 1);
  in_range(node.name, "the number of bits dropped from c1", replies.c1_dropped_bits, 0, group.log2_q() - 1);
  in_range(node.name, "the step of the server's noise", static_cast<double>(c.noise_step), 0,
           static_cast<double>(kMaxWideNoiseStep));
}

void check_linear(const LinearChoice& c, const Plan& plan, const nn::QuantisedNetwork& network,
                  const GroupContexts& contexts) {
  const nn::QNode& node = node_at(network, c.node, "linear layer");
  if (!std::holds_alternative<nn::QLinear>(node.op))
    fail_input("the plan treats layer {} as linear, but it is not", node.name);
  in_range(node.name, "the error's standard deviation", c.error_std, 0, 1e12);
  if (const SimdChoice* simd = c.simd()) {
    check_simd(c, *simd, plan, network);
  } else {
    check_coefficient(c, *c.coefficient(), plan, node);
  }
  // Throws with the layer's geometry if the packing does not fit.
  const LinearLayer layer = make_layer(c, network, contexts);
  if (const auto* simd = std::get_if<std::shared_ptr<const linear::SimdLinear>>(&layer))
    check_sizes(**simd, node.name);
}

void check_activation(const ActivationChoice& c, const Plan& plan, const nn::QuantisedNetwork& network) {
  const nn::QNode& node = node_at(network, c.node, "activation");
  if (std::holds_alternative<nn::QQuadratic>(node.op)) return check_quadratic(c, plan, network);
  if (std::holds_alternative<nn::QProduct>(node.op)) return check_product(c, plan, network);
  const std::optional<nn::Clamp> op = nn::clamp_of(node.op);
  if (!op) fail_input("the plan treats layer {} as an activation, but it is not", node.name);
  if (std::holds_alternative<nn::QTable>(node.op) && c.protocol != kPrivateProtocol) {
    fail_input("layer {} is a table activation and asks for protocol \"{}\"; it needs \"{}\"", node.name,
               c.protocol, kPrivateProtocol);
  }
  if (!is_protocol(c.protocol)) {
    fail_input("layer {} asks for the activation protocol \"{}\"; this version has: auto, gc, ot, one-trip",
               node.name, c.protocol);
  }
  const Truncation& t = c.truncation;
  in_range(node.name, "the shift", t.shift, op->shift, op->shift);
  const int input_bits = plan.modulus_bits[static_cast<std::size_t>(node.inputs.front())];
  if (prime_of(plan, node.inputs.front()) != 0) {
    // The circuit adds modulo the prime and takes the whole shift off.
    in_range(node.name, "the shift of shares modulo a prime", t.shift, 0, kMaxPrimeShift);
    in_range(node.name, "the number of guard bits", t.guard_bits, t.shift, t.shift);
    in_range(node.name, "the width of the garbled sum", t.sum_bits, input_bits - t.shift,
             input_bits - t.shift);
  } else {
    in_range(node.name, "the number of guard bits", t.guard_bits, 0, std::min(t.shift, 16));
  }
  in_range(node.name, "the width of the garbled sum", t.sum_bits, 2, kMaxModulusBits - t.shift);
  in_range(node.name, "the sharing modulus of its input", input_bits, t.input_bits(), kMaxModulusBits);
  const int out_bits = plan.modulus_bits[static_cast<std::size_t>(c.node)];
  in_range(node.name, "the sharing modulus of its output", c.out_bits, out_bits, out_bits);
  in_range(node.name, "the sharing modulus of its output", c.out_bits, op->bits, kMaxModulusBits);
  if (protocol_of(network, c, plan.primes, c.protocol) != c.protocol) {
    fail_input(
        "layer {} asks for the activation protocol \"{}\", which does not take {} bits of a sum at {} of the clamp, {} "
        "guard bits and {} of the output; use ot or auto",
        node.name, c.protocol, t.sum_bits, op->bits, t.guard_bits, c.out_bits);
  }
}

// A linear layer's input mask must be known before any reply arrives: it may depend on input and activations
// only.
void check_masks_known_early(const nn::QuantisedNetwork& network) {
  std::vector<bool> early(network.nodes.size());
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    bool inputs_early = true;
    for (const int input : node.inputs) inputs_early = inputs_early && early[static_cast<std::size_t>(input)];
    const bool linear = std::holds_alternative<nn::QLinear>(node.op);
    if (linear && !inputs_early) {
      fail_input(
          "layer {} reads the accumulators of another linear layer; a requantisation must stand between them",
          node.name);
    }
    early[i] = !linear && (is_activation(node) || inputs_early);
  }
}

void check_reveal(const Plan& plan, const nn::QuantisedNetwork& network) {
  if (plan.reveal == Reveal::logits) {
    if (!plan.argmax_protocol.empty())
      fail_input("the plan has a protocol for an argmax, but reveals the logits");
    return;
  }
  if (!is_protocol(plan.argmax_protocol)) {
    fail_input("the argmax asks for the protocol \"{}\"; this version has: auto, gc, ot, one-trip",
               plan.argmax_protocol);
  }
  const int logits = static_cast<int>(network.nodes.size()) - 1;
  const std::uint64_t prime = prime_of(plan, logits);
  if (prime != 0 && (plan.argmax_protocol == "ot" || plan.argmax_protocol == "one-trip")) {
    fail_input("the argmax asks for protocol {}, but the logits are shared modulo the prime {}; use gc",
               plan.argmax_protocol, prime);
  }
  const int bits = plan.modulus_bits[static_cast<std::size_t>(logits)];
  activation::argmax_spec(static_cast<std::size_t>(network.nodes.back().shape.size()), bits, prime);
}

}  // namespace

void validate(const Plan& plan, const nn::QuantisedNetwork& network) {
  if (plan.modulus_bits.size() != network.nodes.size()) {
    fail_input("the plan is for a network of {} nodes, this one has {}", plan.modulus_bits.size(),
               network.nodes.size());
  }
  if (plan.groups.size() > kMaxGroups) {
    fail_input("the plan has {} parameter groups, more than the {} allowed", plan.groups.size(), kMaxGroups);
  }
  check_batch_groups(plan);
  const GroupContexts contexts = make_contexts(plan);
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    const int bits = plan.modulus_bits[i];
    in_range(node.name, "the sharing modulus", bits, 1, kMaxModulusBits);
    if (is_activation(node)) continue;
    for (const int input : node.inputs) {
      in_range(node.name, "the sharing modulus of its input",
               plan.modulus_bits[static_cast<std::size_t>(input)], bits, kMaxModulusBits);
    }
  }
  check_primes(plan, network);
  check_reveal(plan, network);
  check_masks_known_early(network);
  // Both parties walk the choices in this order, which must be that of the data.
  const auto earlier = [](const auto& a, const auto& b) { return a.node < b.node; };
  if (!std::is_sorted(plan.linears.begin(), plan.linears.end(), earlier) ||
      !std::is_sorted(plan.activations.begin(), plan.activations.end(), earlier)) {
    fail_input("the plan's choices are not in the order of the network's nodes");
  }
  std::vector<int> choices(network.nodes.size(), 0);
  for (const LinearChoice& c : plan.linears) {
    check_linear(c, plan, network, contexts);
    ++choices[static_cast<std::size_t>(c.node)];
  }
  for (const ActivationChoice& c : plan.activations) {
    check_activation(c, plan, network);
    ++choices[static_cast<std::size_t>(c.node)];
  }
  for (std::size_t i = 0; i < network.nodes.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    const bool chosen = std::holds_alternative<nn::QLinear>(node.op) || is_activation(node);
    if (choices[i] != (chosen ? 1 : 0))
      fail_input("the plan has {} choices for layer {}", choices[i], node.name);
  }
  in_range("(network)", "the target failure rate", plan.target_failure_log2, -1000, 0);
  in_range("(network)", "the number of inferences its privacy counts on",
           static_cast<double>(plan.privacy.inferences), 0, static_cast<double>(noise::kMaxInferences));
  in_range("(network)", "the lowest security estimate", plan.min_lambda_bits, 0, 10000);
}

}  // namespace ap::plan
