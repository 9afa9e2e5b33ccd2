// Budgets that are rates (AutoPrivacy, NeurIPS 2020): a layer's budget is the rate at which its reply ciphertexts
// fail to decrypt, 2^-5 to 2^-15, on SIMD batching with shares modulo primes.
#pragma once

#include "planner/policies/baselines.h"
#include "planner/search/problem.h"

namespace ap::search {

class AutoprivacyEnvironment final : public Environment {
 public:
  /// An action a allows a rate of 2^-round(kMostRate + a (kLeastRate - kMostRate)).
  static constexpr int kMostRate = 5, kLeastRate = 15;

  /// Makes every layer's list from the plans in which all layers have one rate: layers that share primes and
  /// keys are priced as in company.
  /// @throws Error(input) if the network fits no parameters.
  explicit AutoprivacyEnvironment(const Problem& problem, Sharder* sharder = nullptr,
                                  const plan::BaselineOptions& options = {});

  plan::Plan plan_of(const Choice& choice) const override;

 private:
  plan::BaselineOptions options_;
  std::vector<std::vector<double>> rates_;  ///< log2, beside points_
};

}  // namespace ap::search
