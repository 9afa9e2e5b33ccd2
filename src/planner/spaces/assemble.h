// From the choices for single layers to a plan: shared parameter groups, activations and totals.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analysis/cost/layer_cost.h"
#include "planner/spaces/candidates.h"

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
/// The choice for node `index`, with predictions.
ActivationChoice choose_quadratic(const nn::QuantisedNetwork& network, int index, int out_bits,
                                  const nn::Interval& range, int guard_bits,
                                  const cost::Profile& profile = cost::typical_profile());

/// The plan that runs linear node i as linears[i] (in the order of linear_nodes; modulus_bits as from
/// assign_moduli) and reads the input of every activation as if it lay in `ranges` (by node).
/// @throws Error(input) if the result is not a valid plan.
Plan assemble(const nn::QuantisedNetwork& network, std::string policy, double target_failure_log2,
              std::vector<int> modulus_bits, std::span<const Candidate> linears,
              std::span<const nn::Interval> ranges, int guard_bits,
              const cost::Profile& profile = cost::typical_profile());
/// A plan with guard bits of their own for each activation (by node; those of other nodes are not looked
/// at).
Plan assemble(const nn::QuantisedNetwork& network, std::string policy, double target_failure_log2,
              std::vector<int> modulus_bits, std::span<const Candidate> linears,
              std::span<const nn::Interval> ranges, std::span<const int> guard_bits,
              const cost::Profile& profile = cost::typical_profile());

}  // namespace ap::plan
