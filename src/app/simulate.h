// How accurate a package is, without cryptography.
#pragma once

#include "analysis/simulation/simulate.h"
#include "nn/data/dataset.h"
#include "package/package.h"

namespace ap::app {

inline constexpr int kMaxSimulationSeeds = 1000;

/// Simulates the errors of the package's plan on `data` under `seeds` seeds: first_seed, first_seed + 1, ...
/// @throws Error(input) if the package has no weights, there are no images or seeds, or the shapes differ.
plan::Simulation simulate(const package::Package& package, const nn::Dataset& data, int seeds,
                          std::uint64_t first_seed, bool progress);

}  // namespace ap::app
