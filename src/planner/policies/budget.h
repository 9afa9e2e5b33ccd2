// Policy `budget`: instead of rare failures, small ones. Every linear layer may add an error of standard
// deviation error_std to its accumulators, a fraction of the step 2^shift that the activation behind it rounds to,
// and takes the cheapest ring and packing for that; the largest fraction is taken that costs no more accuracy
// than allowed, by simulation. Optionally plaintext moduli are calibrated: narrower than the exact bound,
// with a stated probability that an accumulator wraps, and the wraps simulated too.
#pragma once

#include <optional>

#include "analysis/simulation/simulate.h"
#include "planner/spaces/candidates.h"

namespace ap::plan {

struct BudgetOptions {
  double max_accuracy_loss = 0.002;  ///< largest simulated loss of top-1 accuracy, 0 to 1
  std::vector<double> fractions = {0.25, 0.1875, 0.125, 0.0625, 0.03125};  ///< tried in this order
  std::optional<double>
      overflow_log2;  ///< log2 of the probability of a wrap per inference; absent: exact moduli
  /// Fewer than policy `exact` has: what local truncation of the other bits adds, 2^(shift - guard_bits) /
  /// sqrt(12), is small beside the errors that this policy allows anyway, and each bit costs a gate.
  int guard_bits = 2;
  double bytes_per_second = kGigabit;
  std::uint64_t privacy_inferences = noise::kDefaultInferences;  ///< LayerOptions
  cost::Profile profile = cost::typical_profile();
  SimulateOptions simulate;
};

/// The error that counts as one unit for each linear layer (in the order of linear_nodes): 2^shift of the
/// activations that read its accumulators, divided by what lies between (multipliers of sums; the root of the
/// number of elements of poolings), the smallest if there are several. For logits: 2^-7 of the largest in
/// `ranges`.
std::vector<double> error_steps(const nn::QuantisedNetwork& network, std::span<const nn::Interval> ranges);

/// The cheapest plan in which the i-th linear layer has at most error_std[i], with moduli for `ranges`.
/// @throws Error(input) naming the first layer for which no parameters exist.
Plan select_error_std(const nn::QuantisedNetwork& network, std::span<const double> error_std,
                      std::span<const nn::Interval> ranges, const BudgetOptions& options = {});

struct BudgetSelection {
  Plan plan;
  double fraction = 0;  ///< of the steps; 0 if none was accurate enough and the plan is that of select_exact
  std::vector<double> steps;  ///< error_steps
  double overflow_log2 = 0;   ///< stated probability of a wrap; -infinity for exact moduli
  Simulation simulation;      ///< of the plan, on `images`
};

/// `images` are quantised inputs, best not those that the network was quantised with, and never test images;
/// `labels` one each, or empty: then the loss is the fraction of images whose best class changes.
/// @throws Error(input) if options are out of range or there are no images.
BudgetSelection select_budget(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images,
                              std::span<const int> labels, const BudgetOptions& options = {});

}  // namespace ap::plan
