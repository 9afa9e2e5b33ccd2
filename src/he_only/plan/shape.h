// Where every tensor of a network lies in slots, and which diagonals its linear steps have there: what the ring degree and the
// weights decide, before any prime or level is chosen.
#pragma once

#include <vector>

#include "he_only/layout/layout.h"
#include "he_only/network/structure.h"

namespace ap::he_only {

/// One matrix of a linear step: that of one tensor that it reads.
struct ShapedTerm {
  std::size_t step = 0;
  std::vector<std::vector<std::vector<std::size_t>>> diagonals;  ///< of each pair [to][from] of ciphertexts
  std::vector<std::size_t> folds;  ///< steps of rotations that sum parts (layout/packing.h)
  double mean_row_square = 0;      ///< mean over the rows of the sum of squared weights
};

struct ShapedNetwork {
  std::size_t most_slots = 0;                  ///< of a ciphertext: N/2
  std::vector<Layout> layouts;                 ///< by step
  std::vector<std::vector<ShapedTerm>> terms;  ///< by step; of linear ones only

  /// The largest number of ciphertexts of a tensor.
  std::size_t ciphertexts() const;
  /// The longest period of a tensor.
  std::size_t period() const;
};

/// @param most_slots  N/2
/// @throws Error(input) if a layer has no weight that is not zero
ShapedNetwork shape(const Structure& structure, std::size_t most_slots);

}  // namespace ap::he_only
