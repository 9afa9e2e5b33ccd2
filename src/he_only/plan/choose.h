// Ring and chain for a network without bootstrapping, and what it will cost.
#pragma once

#include <cstdint>
#include <vector>

#include "he_only/plan/program.h"

namespace ap::he_only {

struct Request {
  double inferences = 1 << 20;  ///< that the weights stay private for, of all clients together
  double weights = 1;           ///< of the network
  /// Largest standard deviation of an answer's error, as a fraction of the largest answer.
  double largest_error = 1.0 / 256;
};

struct Chosen {
  Choices choices;
  ShapedNetwork shaped;
  Program program;
  double slot_error =
      0;  ///< standard deviation of a score's error with all noise, in units of the largest score
  std::uint64_t inferences = 0;  ///< that the weights stay private for
  double bits_per_weight = 0;    ///< that all of them together tell at most
  double lambda_bits = 0;        ///< the least of all keys
};

/// The smallest ring that is secure and precise enough, with as many special primes as make key switching cheapest. Sets
/// choices.ring and choices.flood_step.
/// @param mean_squares  of the values of every step, in units of choices.largest squared
/// @throws Error(input) that says what is too much, if no ring does
Chosen choose(const Structure& structure, Choices choices, const std::vector<double>& mean_squares,
              const Request& request);

/// The noise on answers, and what it leaves: sets flood_step, slot_error and bits_per_weight of what has a program.
void choose_flooding(const Structure& structure, const std::vector<double>& mean_squares,
                     const Request& request, Chosen& chosen);

}  // namespace ap::he_only
