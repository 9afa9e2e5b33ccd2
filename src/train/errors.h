// The errors that training injects and evaluation measures with: any source of executor
// hooks, addressed by (seed, image), so that all policies meet the same random numbers. Half of the seeds
// train, the other half evaluates.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "analysis/noise/inject.h"
#include "nn/execute/integer_executor.h"
#include "plan/plan.h"

namespace ap::train {

/// The hooks of one inference; what they refer to lives as long as they do. Random numbers depend on (seed,
/// image) alone. Empty function: no errors.
using Errors = std::function<nn::IntegerHooks(std::uint64_t seed, std::uint64_t image)>;

/// Errors of one network, as analysis/noise/inject.h makes them.
Errors inject(noise::ErrorModel model);

/// What a plan does to its network.
/// @throws Error(input) if the plan does not fit the network.
Errors errors_of_plan(const nn::QuantisedNetwork& network, const plan::Plan& plan);

struct SeedHalves {
  std::vector<std::uint64_t> train, evaluate;
};
/// The seeds first, first + 1, ... alternately: `each` for either half.
SeedHalves halve_seeds(std::uint64_t first, int each);

}  // namespace ap::train
