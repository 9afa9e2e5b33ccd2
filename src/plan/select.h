// Policy `exact`: for every linear layer the smallest plaintext modulus by the exact interval bound, and the cheapest
// ring and packing whose noise makes an accumulator wrong by more than the declared +-1 with probability below the
// target, over all coefficients of an inference, at 128 bits of security or more.
#pragma once

#include "nn/quantised_network.h"
#include "plan/plan.h"

namespace ap::plan {

struct SelectOptions {
  double target_failure_log2 = -40;  ///< per inference; -128 with --strict
  int guard_bits = 2;                ///< bits of each truncation that are exact (Truncation::guard_bits)
};

/// `network` has its weights.
/// @throws Error(input) naming the first layer for which no parameters exist, and what it would need.
Plan select_exact(const nn::QuantisedNetwork& network, const SelectOptions& options = {});

}  // namespace ap::plan
