// The error-budget mode: a layer's budget is the standard deviation tau of its accumulators' error, a
// fraction of the step that the activation behind it rounds to, on coefficient packing (design section 5).
#pragma once

#include "plan/candidates.h"
#include "search/problem.h"

namespace ap::search {

class TauEnvironment final : public Environment {
 public:
  /// An action a allows tau = step * 2^(kLog2Loosest - a (kLog2Loosest - kLog2Tightest)).
  static constexpr double kLog2Loosest = 1, kLog2Tightest = -6;
  static constexpr int kGrid = 29;  ///< budgets on the grid: quarter bits

  /// Makes the Pareto list of every layer.
  /// @throws Error(input) naming the first layer that no parameters hold even at the loosest budget.
  explicit TauEnvironment(const Problem& problem, Sharder* sharder = nullptr);

  plan::Plan plan_of(const Choice& choice) const override;
  const plan::Candidate& candidate(std::size_t layer, int point) const;

 protected:
  noise::ErrorModel error_model(const Choice& choice) const override;

 private:
  std::vector<int> modulus_bits_;
  std::vector<std::vector<plan::Candidate>> candidates_;  ///< beside points_
  std::vector<std::vector<noise::LinearError>> errors_;   ///< beside points_
  noise::ErrorModel frame_;                               ///< truncations and logits
};

}  // namespace ap::search
