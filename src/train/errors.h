// The errors that training injects and evaluation measures with (reference 1.6): any source of executor
// hooks, addressed by (seed, image), so that all policies meet the same random numbers. Half of the seeds
// train, the other half evaluates.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "nn/integer_executor.h"
#include "noise/inject.h"
#include "plan/plan.h"

namespace ap::train {

/// The hooks of one inference; what they refer to lives as long as they do. Random numbers depend on (seed,
/// image) alone. Empty function: no errors.
using Errors = std::function<nn::IntegerHooks(std::uint64_t seed, std::uint64_t image)>;

/// Rare failures of replies packed by slots. When a ciphertext fails, all outputs it carries are garbage,
/// uniform modulo p.
struct BatchedFailures {
  int node = 0;                                     ///< linear
  double log2_rate = 0;                             ///< log2 of the probability that one ciphertext fails
  std::uint64_t modulus = 0;                        ///< p, at most 2^31
  std::vector<std::vector<std::uint32_t>> outputs;  ///< by ciphertext: the flat output elements it carries
};

/// Errors of coefficient packing (noise/inject.h) and failures of batching together.
Errors inject(noise::ErrorModel model, std::vector<BatchedFailures> failures = {});

/// What a plan does to its network.
/// @throws Error(input) if the plan does not fit the network.
Errors errors_of_plan(const nn::QuantisedNetwork& network, const plan::Plan& plan);

/// The outputs that each reply of a layer packed by slots carries, for BatchedFailures.
std::vector<std::vector<std::uint32_t>> reply_outputs(const nn::QuantisedNetwork& network, int node,
                                                      const plan::BatchedChoice& choice, std::uint32_t n);

struct SeedHalves {
  std::vector<std::uint64_t> train, evaluate;
};
/// The seeds first, first + 1, ... alternately: `each` for either half.
SeedHalves halve_seeds(std::uint64_t first, int each);

}  // namespace ap::train
