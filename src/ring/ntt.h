// The negacyclic number-theoretic transform: products in Z_q[X]/(X^n + 1) become products of values.
//
// Forward: coefficients in natural order -> values in bit-reversed order (value i is the polynomial at
// psi^(2 rev(i) + 1), psi = primitive_root(q, n)). Inverse: back. The order and the root are part of the wire
// format, so every kernel gives the same words. Algorithms: decimation-in-time butterflies of Longa and
// Naehrig (eprint 2016/504, algorithms 1 and 2) with the lazy reductions of Harvey (arXiv 1205.2926).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/memory.h"
#include "ring/modulus.h"

namespace ap::ring {

/// `scalar` runs everywhere; `avx2` needs a prime below 2^30, `avx512_32` too and n >= 512, `ifma` a prime
/// below 2^50; `avx512_64` takes every prime.
enum class NttKernel { scalar, avx2, avx512_32, avx512_64, ifma };

/// Whether a kernel runs on this processor (base/cpu.h) for degree n and prime q.
bool suits(NttKernel kernel, std::size_t n, std::uint64_t q);
/// The fastest kernel that suits.
NttKernel best_ntt_kernel(std::size_t n, std::uint64_t q);

/// Everything precomputed for one ring degree and prime. Immutable; calls may run in parallel and take the
/// same time for all values.
class NttTables {
 public:
  /// n: power of two in [16, 65536]; q: prime below 2^60 that is 1 mod 2n; `kernel` must suit.
  NttTables(std::size_t n, std::uint64_t q);
  NttTables(std::size_t n, std::uint64_t q, NttKernel kernel);
  /// Tables of length n/2 whose forward() makes the first half of the values of a transform of length n from what the
  /// first butterfly leaves for it, x_j + first_root() x_(j + n/2) for j in [0, n/2). They have no inverse().
  struct FirstHalf {};
  NttTables(std::size_t n, std::uint64_t q, FirstHalf);

  std::size_t n() const { return n_; }
  const Modulus& modulus() const { return modulus_; }
  NttKernel kernel() const { return kernel_; }
  /// primitive_root(q, n)^(n/2), n the length of the whole transform.
  std::uint64_t first_root() const { return first_root_; }

  /// In place; n values in [0, q) to n values in [0, q).
  void forward(std::span<std::uint64_t> values) const;
  void inverse(std::span<std::uint64_t> values) const;

  /// sum[j] += sum_k x[k][j] * y[k][j] mod q for j in [0, n): one reduction for several products. All in [0,
  /// q).
  void multiply_add(std::span<const std::uint64_t* const> x, std::span<const std::uint64_t* const> y,
                    std::span<std::uint64_t> sum) const;

  /// Tables of one direction, indexed by (number of groups in the stage) + group; see the kernels.
  struct Roots {
    AlignedVector<std::uint64_t> root, quotient;
    AlignedVector<std::uint32_t> narrow_root, narrow_quotient;  ///< avx512_32 has these instead
    std::uint64_t scale = 0, scale_quotient = 0;                ///< inverse only: 1/n
    std::uint64_t last_scaled = 0,
                  last_scaled_quotient = 0;  ///< inverse only: root of the last stage, over n
  };

 private:
  std::size_t n_;
  Modulus modulus_;
  NttKernel kernel_;
  std::uint64_t first_root_ = 0;
  Roots forward_, inverse_;
};

}  // namespace ap::ring
