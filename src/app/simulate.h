// How accurate a package is, without cryptography.
#pragma once

#include "analysis/simulation/simulate.h"
#include "base/progress.h"
#include "nn/data/dataset.h"
#include "package/package.h"

namespace ap::app {

inline constexpr int kMaxSimulationSeeds = 1000;

/// Simulates the errors of the package's plan on `data` under `seeds` seeds: first_seed, first_seed + 1, ...
/// @throws Error(input) if the package has no weights, there are no images or seeds, or the shapes differ.
plan::Simulation simulate(const package::Package& package, const nn::Dataset& data, int seeds,
                          std::uint64_t first_seed, const ProgressSink& progress = {});

/// What the integer network says without errors.
struct ClearAnswer {
  int label = 0;               ///< the best class, the first of equals
  std::vector<double> scores;  ///< as the model gives them
};
/// @throws Error(input) if the package has no weights, or the images do not fit.
std::vector<ClearAnswer> classify_in_clear(const package::Package& package, const nn::Dataset& data);

}  // namespace ap::app
