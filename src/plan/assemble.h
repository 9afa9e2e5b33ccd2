// From the choices for single layers to a plan: shared parameter groups, activations and totals.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cost/layer_cost.h"
#include "nonlinear/activation_spec.h"
#include "plan/candidates.h"

namespace ap::plan {

/// The indices of all linear nodes, ascending.
std::vector<int> linear_nodes(const nn::QuantisedNetwork& network);

/// Sets the predicted bytes and seconds of an activation: processor time of both parties, both phases.
void set_price(const cost::LayerWork& work, const cost::Profile& profile, ActivationChoice& choice);

/// How activation `node` reads its input as if it lay in ranges[input], with shares mod 2^out_bits of its
/// output, priced as garbled.
ActivationChoice choose_activation(const nn::QuantisedNetwork& network, int node, int out_bits,
                                   std::span<const nn::Interval> ranges, int guard_bits,
                                   const cost::Profile& profile = cost::typical_profile());
/// What an activation or a quadratic computes, for a plan with these primes (Plan::primes), without the windows
/// of a pooling: they do not matter to garbled sizes.
nonlinear::ActivationSpec spec_of(const nn::QuantisedNetwork& network, const ActivationChoice& choice,
                                  std::span<const std::uint64_t> primes = {});

/// The plan that runs linear node i as linears[i] (in the order of linear_nodes; modulus_bits as from
/// assign_moduli) and reads the input of every activation as if it lay in `ranges` (by node).
/// @throws Error(input) if the result is not a valid plan.
Plan assemble(const nn::QuantisedNetwork& network, std::string policy, double target_failure_log2,
              std::vector<int> modulus_bits, std::span<const Candidate> linears,
              std::span<const nn::Interval> ranges, int guard_bits,
              const cost::Profile& profile = cost::typical_profile());
/// The same with guard bits of their own for each activation (by node; those of other nodes are not looked
/// at).
Plan assemble(const nn::QuantisedNetwork& network, std::string policy, double target_failure_log2,
              std::vector<int> modulus_bits, std::span<const Candidate> linears,
              std::span<const nn::Interval> ranges, std::span<const int> guard_bits,
              const cost::Profile& profile = cost::typical_profile());

}  // namespace ap::plan
