// The polynomial network in the clear, in doubles: the truth that encrypted answers are compared with, and what ranges are
// measured on.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "he_only/network/polynomial.h"
#include "he_only/network/structure.h"

namespace ap::he_only {

class ClearNetwork {
 public:
  /// Holds the matrices of all linear steps. `structure` must outlive it.
  explicit ClearNetwork(const Structure& structure);

  /// The values of every step for one image: activations by their polynomials, or exactly where there is none yet.
  /// @throws Error(input) if the image has a wrong number of values
  std::vector<std::vector<double>> run(std::span<const float> image,
                                       const std::vector<std::optional<Polynomial>>& polynomials) const;
  /// Those of the last step.
  std::vector<double> scores(std::span<const float> image,
                             const std::vector<std::optional<Polynomial>>& polynomials) const;

 private:
  const Structure& structure_;
  std::vector<LinearForm> forms_;  ///< by step
};

}  // namespace ap::he_only
