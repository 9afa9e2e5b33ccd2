// From residues modulo one set of primes to residues modulo another, of the centred integer (Halevi, Polyakov
// and Shoup, eprint 2018/117, section 2.2, with the quotient in fixed point instead of floating point), and
// the division by a product of primes with rounding that follows from it. Constant time in the values.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/memory.h"
#include "ring/elementwise.h"
#include "ring/modulus.h"
#include "ring/scratch.h"

namespace ap::ring {

/// With D the product of `from`: x in [0, D) by its residues -> factor_j (in_factor x mod D, centred) mod
/// to_j. The centred integer lies in (-D/2, D/2], or outside by less than D 2^-42.
/// Any mixture of primes below 2^60: beyond 50 bits it takes plain 64-bit arithmetic for all of them.
class BaseConverter {
 public:
  /// `out_factors`: one for each of `to`, or none for ones. 1 to 64 primes in `from`, any number in `to`.
  BaseConverter(std::span<const Modulus> from, std::span<const Modulus> to,
                std::span<const std::uint64_t> out_factors = {}, std::uint64_t in_factor = 1);

  std::size_t inputs() const { return from_.size(); }
  std::size_t outputs() const { return to_.size(); }

  /// The shared half of a conversion of n coefficients: what every output is a dot product of, interleaved for
  /// ElementwiseKernels::dots.
  class Prepared {
   private:
    friend class BaseConverter;
    Scratch storage_;
    std::size_t n_ = 0;
  };
  /// x[i]: n residues modulo from_i, n a multiple of kInterleave. `prepared` keeps its memory between calls.
  void prepare(std::span<const std::uint64_t* const> x, std::size_t n, Prepared& prepared) const;
  /// The n residues modulo to_j.
  void output(const Prepared& prepared, std::size_t j, std::span<std::uint64_t> out) const;
  /// out[k]: the n residues modulo to_(j + k); four together take little longer than one.
  void outputs(const Prepared& prepared, std::size_t j, std::span<std::uint64_t* const> out) const;

 private:
  std::vector<Modulus> from_, to_;
  int bits_ = 0;                      // of the largest prime: decides which kernels may be used
  std::vector<FixedFactor> factors_;  // in_factor (D / from_i)^-1 mod from_i
  std::vector<std::uint64_t>
      reciprocals_;  // 1 / from_i in the fixed point of the kernel, scaled up by its bits
  std::vector<int> shifts_;
  AlignedVector<std::uint64_t> weights_;  // for each output: D / from_i ..., then -D
};

/// round(factor x / D) modulo the primes kept, D the product of the primes dropped and x known modulo all of
/// them: factor/D (x - centred x mod D), where the subtraction's share comes from the converter.
struct ScaleDown {
  ScaleDown(std::span<const Modulus> dropped, std::span<const Modulus> kept, std::uint64_t factor = 1);
  BaseConverter converter;               ///< to -(1/D) centred(factor x mod D)
  std::vector<FixedFactor> kept_factor;  ///< factor / D
};

}  // namespace ap::ring
