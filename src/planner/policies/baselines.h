// The published systems as policies: DELPHI (USENIX Security 2020), DARL (DATE 2019) and AutoPrivacy (NeurIPS
// 2020) as their papers run them: layers packed for SIMD, shares modulo primes, garbled activations. Where
// the published numbers do not decrypt, are not secure or do not exist, the nearest that do are taken and
// Plan::notes says so. Weights are hidden by flooding with `statistical_bits`, added honestly to every q.
#pragma once

#include <span>
#include <vector>

#include "analysis/cost/profile.h"
#include "nn/ir/quantised_network.h"
#include "plan/plan.h"
#include "planner/spaces/simd_candidates.h"

namespace ap::plan {

struct BaselineOptions {
  double target_failure_log2 =
      -40;                    ///< some reply decrypts wrongly, per inference; not of select_autoprivacy
  int statistical_bits = 40;  ///< of flooding, per inference
  /// select_darl: AutoPrivacy's rule for circuit privacy instead: log2 q three times, N four times as large,
  /// and all of the room that gives is flooding.
  bool flooding_by_rule = false;
  /// select_darl: q from the noise alone, also where the published 165 bits are more.
  bool tight = false;
  cost::Profile profile = cost::typical_profile();
  double bytes_per_second = kGigabit;
};

/// One parameter set for the network (AutoPrivacy, Fig. 2a and Table 1): N = 8192, p of 22 bits, q of 180
/// bits and a special prime, copies of the input shifted by the client.
/// @throws Error(input) naming the layer that fits no set, Error(security) never: sets below 128 bits are
/// left out.
Plan select_delphi(const nn::QuantisedNetwork& network, const BaselineOptions& options = {});

/// One parameter set from the noise of this network's layers (systems, section 2.7): N = 8192, the smallest
/// p, q of 165 bits, rotations or copies, whichever is cheaper.
Plan select_darl(const nn::QuantisedNetwork& network, const BaselineOptions& options = {});

/// AutoPrivacy with batching (Fig. 2b): for linear layer i (in the order of linear_nodes) the cheapest (p, q,
/// N) whose replies decrypt wrongly with probability at most 2^der_log2[i] each. One p for each component of
/// the network that shares it (plan/primes.h).
Plan select_autoprivacy(const nn::QuantisedNetwork& network, std::span<const double> der_log2,
                        const BaselineOptions& options = {});

}  // namespace ap::plan
