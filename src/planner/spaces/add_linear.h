// The bookkeeping of a linear layer in a plan, the same for both packings.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "plan/plan.h"
#include "security/limits.h"

namespace ap::plan {

/// Appends `choice` for node `node` with the group of equal parameters among `groups` (of this plan), a new
/// one if there is none; keeps min_lambda_bits and failure_log2. `log2_published`: bits of the largest
/// modulus that anything under the group's key is published with.
template <typename Parameters>
void add_linear(Plan& plan, std::vector<Parameters>& groups, const Parameters& parameters,
                double log2_published, LinearChoice choice, int node) {
  choice.node = node;
  const auto found = std::ranges::find(groups, parameters);
  choice.group = static_cast<int>(found - groups.begin());
  if (found == groups.end()) {
    groups.push_back(parameters);
    plan.min_lambda_bits =
        std::min(plan.min_lambda_bits, security::lambda_bits(parameters.n, log2_published));
  }
  plan.failure_log2 = std::min(0.0, std::log2(std::exp2(plan.failure_log2) + std::exp2(choice.failure_log2)));
  plan.linears.push_back(choice);
}

}  // namespace ap::plan
