// From the choices for single layers to a plan: shared parameter groups, activations and totals.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "plan/candidates.h"

namespace ap::plan {

/// The indices of all linear nodes, ascending.
std::vector<int> linear_nodes(const nn::QuantisedNetwork& network);

/// The plan that runs linear node i as linears[i] (in the order of linear_nodes; modulus_bits as from
/// assign_moduli) and reads the input of every activation as if it lay in `ranges` (by node).
/// @throws Error(input) if the result is not a valid plan.
Plan assemble(const nn::QuantisedNetwork& network, std::string policy, double target_failure_log2,
              std::vector<int> modulus_bits, std::span<const Candidate> linears,
              std::span<const nn::Interval> ranges, int guard_bits,
              const cost::Profile& profile = cost::typical_profile());

}  // namespace ap::plan
