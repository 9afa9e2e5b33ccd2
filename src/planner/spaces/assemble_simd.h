// From choices for single layers packed for SIMD to a plan.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analysis/cost/profile.h"
#include "planner/spaces/simd_candidates.h"

namespace ap::plan {

/// The plan that runs linear node i as linears[i] (in the order of linear_nodes), with every node's shares
/// modulo primes[node], and garbled activations that are exact.
/// The keys of a group are counted with the first layer that needs them: if they serve a session
/// (keeps_keys), by the share of one of cost::kTypicalSession inferences.
/// @throws Error(input) if the result is not a valid plan.
Plan assemble_simd(const nn::QuantisedNetwork& network, std::string policy, double target_failure_log2,
                   std::vector<std::uint64_t> primes, std::span<const SimdCandidate> linears,
                   const cost::Profile& profile = cost::typical_profile());

}  // namespace ap::plan
