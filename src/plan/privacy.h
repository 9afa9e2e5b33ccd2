// What a plan gives away of the weights, computed from the plan and the weights themselves, whatever the plan says
// of it (layers/linear/coefficient/weight_privacy.h has the formulas).
#pragma once

#include "nn/ir/quantised_network.h"
#include "plan/plan.h"

namespace ap::plan {

/// The largest signal-to-noise ratio of any weight over plan.privacy.inferences inferences, of the layers packed by
/// coefficients; 0 if there are none or the plan promises nothing. `network` has its weights.
/// Infinite where a layer adds no noise of its own, or too little beside the errors that it hides.
double weight_snr(const nn::QuantisedNetwork& network, const Plan& plan);

/// Statistical distance, over all inferences together, of the replies of layers packed for SIMD from what their
/// results determine: plan.privacy.inferences times that of one inference; 0 if there are none.
double flooding_distance(const Plan& plan);

/// @throws Error(security) naming the layer if a weight's ratio is above noise::kWeightSnr.
void require_weight_privacy(const nn::QuantisedNetwork& network, const Plan& plan);

}  // namespace ap::plan
