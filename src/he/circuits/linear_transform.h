// Linear transforms of slots under encryption: M v = sum_d diag_d rot_d(v), as baby steps and giant steps with double
// hoisting (he/rlwe/extended.h), for one level and to an exact scale.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "he/circuits/diagonal_matrix.h"
#include "he/circuits/step_plan.h"
#include "he/circuits/subring.h"
#include "he/ckks/encoder.h"
#include "he/ckks/evaluate.h"
#include "he/rlwe/extended.h"

namespace ap::circuits {

/// How diagonals are kept. `coefficients`: 8 bytes for each of 2n, and a transform for each prime at every use.
/// `values`: that for each prime of the level and each special prime, ready to multiply.
enum class DiagonalStorage { coefficients, values };
/// Whether the product is rescaled by the last prime of its level. Two transforms may share one prime.
enum class Rescaling { last_prime, none };

class LinearTransform {
 public:
  struct Levels {
    std::size_t level;     ///< data primes of what is transformed
    ckks::Scale from, to;  ///< scales of what is transformed and of the result
    Rescaling rescaling = Rescaling::last_prime;
    DiagonalStorage storage = DiagonalStorage::coefficients;
  };
  /// @throws Error(input) if the matrix has no diagonal or a size that is not a power of two from 8 to N/2, if the
  /// context has no special primes, or if the diagonals cannot be encoded at the scale that takes `from` to `to`.
  LinearTransform(const ckks::Encoder& encoder, const DiagonalMatrix& matrix, Levels levels);

  /// The matrix times the slots of x, which repeat every matrix.size() of N/2; so do those of the result, at level - 1
  /// (or, not rescaled, at level) and scale `to`. Uses all cores.
  /// @throws Error(input) if x has another level or scale, or a key is missing.
  ckks::Ciphertext apply(const ckks::Ciphertext& x, const rlwe::GaloisKeys& keys) const;

  /// The rotations that it needs keys of.
  std::vector<std::int64_t> rotations() const;
  const StepCost& cost() const { return plan_.cost; }
  std::size_t level() const { return levels_.level; }
  /// Of all diagonals.
  std::size_t memory_bytes() const;

 private:
  class EncodedDiagonals;

  rlwe::ContextPtr context_;
  Levels levels_;
  StepPlan plan_;
  std::shared_ptr<const EncodedDiagonals> diagonals_;
};

}  // namespace ap::circuits
