// The inner loops of linear transforms under encryption: sums of products of polynomials in NTT form modulo one prime
// below 2^60, where a sum is reduced once for many products and every input is read once for two sums. Plain code for
// every prime, AVX-512 IFMA for primes of at most 50 bits, with the same result bit for bit. All are constant time in the
// values. All values are below the prime unless a function says otherwise; n is a multiple of kRun.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ring/automorphism.h"
#include "ring/elementwise.h"
#include "ring/modulus.h"

namespace ap::ring {

/// Values of a polynomial that lie together where polynomials lie side by side: value j of polynomial t of `count` is at
/// [(j / kRun * count + t) * kRun + j % kRun]. Sums over polynomials then stream through memory in order, while rows of a
/// power of two apart would compete for the same few places of a cache.
inline constexpr std::size_t kRun = 64;
/// Words after the last value of a weight that may be read, whatever they hold.
inline constexpr std::size_t kWeightPadding = 8;

/// How the n values of a weight are kept. A polynomial in X^(2^gap) has 2^gap times each of n / 2^gap values. If it is
/// also its own image under X -> 1/X (of real slots), the second half of the values is the first one backwards.
struct WeightShape {
  int log2_gap = 0;
  bool mirrored = false;
  /// Values that are kept.
  std::size_t words(std::size_t n) const { return (n >> log2_gap) / (mirrored ? 2 : 1); }
  /// Where value j of n is kept.
  std::size_t place(std::size_t j, std::size_t n) const {
    return (mirrored && j >= n / 2 ? n - 1 - j : j) >> log2_gap;
  }
};

/// Polynomial `term` of those side by side times a weight.
struct WeightedTerm {
  std::size_t term;
  const std::uint64_t* weight;  ///< of some WeightShape, kWeightPadding words more
};

struct ProductKernels {
  /// out_k = factor start_k + sum_t x[t] y_k[t] for k = 0, 1, up to 15 terms. A start may be nullptr, for zero, or the out
  /// of its k, which must not be another input.
  void (*pair)(const std::uint64_t* const* x, const std::uint64_t* const* y0, const std::uint64_t* const* y1,
               std::size_t count, const std::uint64_t* start0, const std::uint64_t* start1,
               std::uint64_t factor, const Modulus& q, std::uint64_t* out0, std::uint64_t* out1,
               std::size_t n);
  /// out_k = sum over `terms` of polynomial 2 term + k of `count` side by side times its weight. No term: zero.
  void (*weighted)(const std::uint64_t* x, std::size_t count, std::span<const WeightedTerm> terms,
                   WeightShape shape, const Modulus& q, std::uint64_t* out0, std::uint64_t* out1,
                   std::size_t n);
  /// x under the automorphism, as one of `count` polynomials side by side; `out` is the place of its first run.
  void (*permute_aside)(const std::uint64_t* x, const Automorphism& map, std::uint64_t* out,
                        std::size_t count, std::size_t n);
  /// sum += x under the automorphism.
  void (*permute_add)(const std::uint64_t* x, const Automorphism& map, std::uint64_t q, std::uint64_t* sum,
                      std::size_t n);
  /// out = x mod q, for |x| < 2^51. n is a multiple of 8.
  void (*residues)(const std::int64_t* x, const Modulus& q, std::uint64_t* out, std::size_t n);
  /// out[j] = x[j] - factor x[n - j] mod q with x[n] = 0, for |x| < 2^51: what the first butterfly of a transform of 2n
  /// leaves for its first half if coefficient 2n - j is the negative of coefficient j. n is a multiple of 8.
  void (*mirrored_residues)(const std::int64_t* x, const FixedFactor& factor, const Modulus& q,
                            std::uint64_t* out, std::size_t n);
};

/// The reference implementation, for every prime below 2^60.
const ProductKernels& plain_products();
/// The fastest kernels of this processor (base/cpu.h) for q.
const ProductKernels& products(const Modulus& q);
#if defined(__x86_64__)
/// For primes of at most 50 bits, only where cpu().ifma.
const ProductKernels& ifma_products();
#endif

}  // namespace ap::ring
