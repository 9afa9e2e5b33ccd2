// From a plan's choice for an activation to what the activation protocols take.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "layers/activation/activation_spec.h"
#include "nn/ir/quantised_network.h"
#include "plan/plan.h"

namespace ap::plan {

/// What an activation (nn::is_activation) computes, for a plan with these primes (Plan::primes), without the windows
/// of a pooling: they do not matter to garbled sizes.
activation::ActivationSpec spec_of(const nn::QuantisedNetwork& network, const ActivationChoice& choice,
                                   std::span<const std::uint64_t> primes = {});

/// Whether an owner may choose between "gc", "ot" and "auto" for it: not for quadratics, tables and products.
bool takes_any_protocol(const nn::QuantisedNetwork& network, const ActivationChoice& choice);

/// What an owner's choice of "auto", "gc", "ot" or "one-trip" means for such an activation: "ot" where it cannot be run in
/// one trip (activation::takes_one_trip).
std::string protocol_of(const nn::QuantisedNetwork& network, const ActivationChoice& choice,
                        std::span<const std::uint64_t> primes, const std::string& wanted);

/// A protocol that a plan may name for such an activation, or for the argmax.
bool is_protocol(const std::string& name);

}  // namespace ap::plan
