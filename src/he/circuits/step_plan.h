// Which rotations a linear transform makes: baby steps of its input, which share one decomposition, and giant steps of
// sums, which need a division and a decomposition each (baby-step giant-step).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "he/rlwe/context.h"

namespace ap::circuits {

/// What one use takes. A limb is a polynomial modulo one prime: N words.
struct StepCost {
  std::size_t baby = 0;        ///< rotations of the input
  std::size_t giant = 0;       ///< rotations of sums
  std::size_t divisions = 0;   ///< divisions of one polynomial by P
  std::size_t transforms = 0;  ///< of one limb, without those of the diagonals
  std::size_t key_limbs = 0;   ///< of keys that are read
  /// In units of one transform of a limb: a limb of a key, read from memory and multiplied, counts 0.8 of one.
  double total() const { return static_cast<double>(transforms) + 0.8 * static_cast<double>(key_limbs); }
};

/// Every diagonal is baby + giant modulo the size of the matrix, for one baby and one giant step.
struct StepPlan {
  std::vector<std::size_t> baby, giant;  ///< in [0, size), ascending, without repetitions
  /// For each diagonal asked for, in their order: where its steps stand in `baby` and in `giant`.
  struct Place {
    std::size_t baby, giant;
  };
  std::vector<Place> places;
  StepCost cost;
};

/// The cheapest of the splits with babies in [0, width), for all sensible widths. `diagonals`: distinct, below `size`.
StepPlan plan_steps(std::span<const std::size_t> diagonals, std::size_t size,
                    const rlwe::Parameters& parameters, std::size_t level);

}  // namespace ap::circuits
