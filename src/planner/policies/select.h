// Policy `exact`: the private result is that of the clear integer network, with no knob to turn. For every
// linear layer the smallest plaintext modulus by the exact interval bound; truncations exact to the last bit;
// and the cheapest ring and packing at 128 bits of security or more whose noise is so small that the +-1 of
// approximate re-sharing, which comes with probability 0.8 error_std an accumulator (layers/linear/noise_model.h), changes on
// average fewer than `max_changes` activations of a whole inference. Accumulators wrong by more than 1 are
// then rarer than any target below.
#pragma once

#include "analysis/cost/profile.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "nn/ir/quantised_network.h"
#include "plan/plan.h"

namespace ap::plan {

struct SelectOptions {
  double target_failure_log2 =
      -40;                 ///< of an accumulator off by more than 1, per inference; -128 with --strict
  double max_changes = 1;  ///< expected activations per inference that differ from the clear network's
  int guard_bits = 16;     ///< bits of each truncation that are exact (Truncation::guard_bits): all
  std::uint64_t privacy_inferences = noise::kDefaultInferences;  ///< LayerOptions
  cost::Profile profile = cost::typical_profile();
};

/// `network` has its weights.
/// @throws Error(input) naming the first layer for which no parameters exist, and what it would need.
Plan select_exact(const nn::QuantisedNetwork& network, const SelectOptions& options = {});

}  // namespace ap::plan
