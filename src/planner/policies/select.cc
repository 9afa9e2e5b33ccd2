#include "planner/policies/select.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "planner/policies/budget.h"
#include "planner/spaces/assemble.h"

namespace ap::plan {
namespace {

/// Standard deviation of the noise of each linear layer, in accumulator LSBs, that keeps both promises. A deviation
/// of 1 changes an activation only if the accumulator lies at a rounding step, one in `step`.
std::vector<double> exact_error_stds(const nn::QuantisedNetwork& network,
                                     std::span<const nn::Interval> ranges, const SelectOptions& options) {
  double coefficients = 0;
  for (const int i : linear_nodes(network))
    coefficients += static_cast<double>(network.nodes[static_cast<std::size_t>(i)].shape.size());
  // An error of 1/2 must lie z standard deviations out; exp(-z^2 / 2) bounds both tails.
  const double z = std::sqrt(2 * std::log(2.0) * (std::log2(coefficients) - options.target_failure_log2));
  std::vector<double> error_stds = error_steps(network, ranges);
  for (double& error_std : error_stds)
    error_std = std::min(options.max_changes * error_std / (0.8 * coefficients), 0.5 / z);
  return error_stds;
}

}  // namespace

Plan select_exact(const nn::QuantisedNetwork& network, const SelectOptions& options) {
  const std::vector<nn::Interval> ranges = exact_ranges(network);
  std::vector<int> modulus_bits = assign_moduli(network, ranges, options.guard_bits);
  const std::vector<int> linears = linear_nodes(network);
  const std::vector<double> error_stds = exact_error_stds(network, ranges, options);
  std::vector<Candidate> chosen(linears.size());
  parallel_for(linears.size(), [&](std::size_t i) {
    const auto node = static_cast<std::size_t>(linears[i]);
    chosen[i] = cheapest(network.nodes[node], std::max(modulus_bits[node], 2), {.error_std = error_stds[i]},
                         {kGigabit, options.profile, options.privacy_inferences});
  });
  Plan plan = assemble(network, "exact", options.target_failure_log2, std::move(modulus_bits), chosen, ranges,
                       options.guard_bits, options.profile);
  plan.privacy.inferences = options.privacy_inferences;
  return plan;
}

}  // namespace ap::plan
