#include "plan/select.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "plan/assemble.h"

namespace ap::plan {
namespace {

/// Standard deviation of the noise, in accumulator LSBs, that keeps both promises. A deviation of 1 changes
/// an activation only if the accumulator lies at a rounding step, one in 2^shift. Of a quadratic
/// that is the shift of its argument.
double exact_tau(const nn::QuantisedNetwork& network, double coefficients, const SelectOptions& options) {
  int shift = 16;
  for (const nn::QNode& node : network.nodes) {
    if (const auto* op = std::get_if<nn::QActivation>(&node.op)) shift = std::min(shift, op->shift);
    if (const auto* op = std::get_if<nn::QQuadratic>(&node.op)) shift = std::min(shift, op->shift);
  }
  const double few_changes = options.max_changes * std::exp2(shift) / (0.8 * coefficients);
  // An error of 1/2 must lie z standard deviations out; exp(-z^2 / 2) bounds both tails.
  const double z = std::sqrt(2 * std::log(2.0) * (std::log2(coefficients) - options.target_failure_log2));
  return std::min(few_changes, 0.5 / z);
}

}  // namespace

Plan select_exact(const nn::QuantisedNetwork& network, const SelectOptions& options) {
  const std::vector<nn::Interval> ranges = exact_ranges(network);
  std::vector<int> modulus_bits = assign_moduli(network, ranges, options.guard_bits);
  const std::vector<int> linears = linear_nodes(network);
  double coefficients = 0;
  for (const int i : linears)
    coefficients += static_cast<double>(network.nodes[static_cast<std::size_t>(i)].shape.size());
  const double tau = exact_tau(network, coefficients, options);
  std::vector<Candidate> chosen(linears.size());
  parallel_for(linears.size(), [&](std::size_t i) {
    const auto node = static_cast<std::size_t>(linears[i]);
    chosen[i] = cheapest(network.nodes[node], std::max(modulus_bits[node], 2), {.tau = tau},
                         {kGigabit, options.profile, options.privacy_inferences});
  });
  Plan plan = assemble(network, "exact", options.target_failure_log2, std::move(modulus_bits), chosen, ranges,
                       options.guard_bits, options.profile);
  plan.privacy.inferences = options.privacy_inferences;
  return plan;
}

}  // namespace ap::plan
