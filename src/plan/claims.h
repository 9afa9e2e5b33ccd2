// What a plan says of its own errors and failures, held against what follows from its public numbers and,
// where they are at hand, from the weights.
#pragma once

#include "nn/ir/quantised_network.h"
#include "plan/plan.h"

namespace ap::plan {

/// Errors of layers packed by coefficients have parts that everybody can compute: fresh encryptions, dropped
/// bits, the server's own noise. What the weights add is computed if the network has them. A layer's failure
/// rate follows from its error, and the plan's from those of its layers. The plan must be valid for the
/// network.
/// @throws Error(input) naming the layer if the plan claims less than that anywhere.
void check_claims(const Plan& plan, const nn::QuantisedNetwork& network);

/// Whether check_claims leaves no way to understate the failure rate: the weights are there, and no layer is
/// packed for SIMD.
bool claims_are_checked(const Plan& plan, const nn::QuantisedNetwork& network);

}  // namespace ap::plan
