// What a simulation of a choice would probably find, in microseconds: the margin model (planner/search/margin_model.h),
// corrected by the simulations run so far. This is what lets an agent learn from many more episodes than are
// simulated (Dyna; Sutton, ICML 1990).
#pragma once

#include <utility>
#include <vector>

#include "planner/search/margin_model.h"
#include "planner/search/problem.h"

namespace ap::search {

class Forecast {
 public:
  /// One backward pass for each of at most `images` images of the search part. `environment` outlives it.
  /// @throws Error(input) if errors of this environment are not small ones.
  explicit Forecast(const Environment& environment, std::size_t images = 128);

  /// Expected fraction of images whose best class changes.
  double changes(const Choice& choice) const;
  /// By layer: d changes / d variance of its errors at `choice`.
  std::vector<double> slopes(const Choice& choice) const;
  /// Corrects the forecast by what a simulation found. To first order errors pass through a network unhindered;
  /// activations that saturate, and errors on errors, make their true effect larger or smaller. One factor on
  /// all variances takes that up: the one under which the forecast meets each simulation, averaged over its
  /// logarithm by the number of changes that stand behind it.
  void learn(const Choice& choice, const Counts& counts);
  /// The factor on all variances; 1 before anything was learnt.
  double factor() const;

 private:
  std::vector<double> variances(const Choice& choice, double factor) const;
  const Environment* environment_;
  MarginModel model_;
  double weight_, sum_ = 0;  ///< of logarithms of factors
};

/// The choice after steps of single layers, each the best by forecast: to more exact points while more than
/// `allowed` changes are forecast, most changes saved a second first; then to cheaper points as long as the
/// changes stay allowed, most seconds saved a change first; then both in exchange while that saves seconds.
Choice refined(const Environment& environment, const Forecast& forecast, Choice choice, double allowed);

}  // namespace ap::search
