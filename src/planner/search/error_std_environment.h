// The error-budget mode: a layer's budget is the standard deviation of its accumulators' error as a fraction
// of the step that the activation behind it rounds to, on coefficient packing (docs/architecture.md, "The
// protocol in one page"). Two things spend it: the noise of the encryption (error_std), and the low bits that
// the activation truncates on each share alone, all but its guard bits. A point holds the cheapest of both
// together.
#pragma once

#include "planner/search/problem.h"
#include "planner/spaces/candidates.h"

namespace ap::search {

class ErrorStdEnvironment final : public Environment {
 public:
  /// An action a allows errors of step * 2^(kLog2Loosest - a (kLog2Loosest - kLog2Tightest)).
  static constexpr double kLog2Loosest = 1, kLog2Tightest = -6;

  /// Makes the Pareto list of every layer.
  /// @throws Error(input) naming the first layer that no parameters hold even at the loosest budget.
  explicit ErrorStdEnvironment(const Problem& problem, Sharder* sharder = nullptr);

  plan::Plan plan_of(const Choice& choice) const override;
  const plan::Candidate& candidate(std::size_t layer, int point) const;
  int guard_bits(std::size_t layer, int point) const;

 protected:
  noise::ErrorModel error_model(const Choice& choice) const override;

 private:
  struct Option {
    std::size_t candidate;  ///< index into candidates_
    int guard_bits;
  };
  void list_points(std::size_t layer);
  std::vector<int> guards_of(const Choice& choice) const;

  std::vector<int> nodes_;         ///< of the linear layers
  std::vector<int> modulus_bits_;  ///< by node
  std::vector<int> owner_;         ///< by node: the last linear layer that an activation reads, or -1
  std::vector<std::vector<plan::Candidate>> candidates_;
  std::vector<std::vector<Option>> options_;                     ///< beside points_
  mutable std::vector<std::vector<noise::LinearError>> errors_;  ///< beside candidates_; made when first used
};

}  // namespace ap::search
