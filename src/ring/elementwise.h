// Element-wise arithmetic on arrays of n residues modulo one prime below 2^60: the inner loops beside the transform
// (ring/ntt.h). Three implementations with the same result bit for bit: plain code for every prime, AVX-512 IFMA for
// primes of at most 50 bits, and, for wider primes on such processors, plain products with vector sums. All are
// constant time in the values. `out` may be one of the inputs unless a function says otherwise; n is a multiple of 8.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ring/automorphism.h"
#include "ring/modulus.h"

namespace ap::ring {

/// Primes up to this size have kernels whose products are of 52 bits.
inline constexpr int kNarrowPrimeBits = 50;

/// A constant factor below its prime, with the quotients that its products need (Shoup).
struct FixedFactor {
  FixedFactor() = default;
  /// w < q.
  FixedFactor(const Modulus& q, std::uint64_t w)
      : value(w),
        quotient64(q.shoup(w)),
        quotient52(static_cast<std::uint64_t>((static_cast<Uint128>(w) << 52) / q.value())) {}
  std::uint64_t value = 0, quotient64 = 0, quotient52 = 0;
};

/// Values that lie together in the inputs of `dots`.
inline constexpr std::size_t kInterleave = 16;
/// One output of `dots`: its weights and what reductions modulo its prime need.
struct DotOutput {
  DotOutput(const Modulus& modulus, const std::uint64_t* w)
      : q(&modulus),
        weights(w),
        fold(modulus, (std::uint64_t{1} << 52) % modulus.value()),
        inverse52((std::uint64_t{1} << 52) / modulus.value()) {}
  const Modulus* q;
  const std::uint64_t* weights;
  FixedFactor fold;         ///< 2^52
  std::uint64_t inverse52;  ///< floor(2^52 / q)
};

struct ElementwiseKernels {
  /// out = x w mod q; x < 2^52, or any x if q has more than 50 bits.
  void (*multiply)(const std::uint64_t* x, const FixedFactor& w, const Modulus& q, std::uint64_t* out,
                   std::size_t n);
  /// out = x w + y mod q; x as in `multiply`, y < q.
  void (*multiply_add)(const std::uint64_t* x, const FixedFactor& w, const std::uint64_t* y, const Modulus& q,
                       std::uint64_t* out, std::size_t n);
  /// out = sum_k x[k] w[k] mod q for up to 128 terms; w[k] < q; x[k] < 2^50, or below 2^60 if q has more than 50
  /// bits or the kernels are the plain ones. `out` must not be an input.
  void (*dot)(const std::uint64_t* const* x, const std::uint64_t* w, std::size_t count, const Modulus& q,
              std::uint64_t* out, std::size_t n);
  /// As `dot`, several outputs of the same inputs, which are read once for four: out[o][j] = sum_k x_k[j]
  /// outputs[o].weights[k] for j in [0, n), n a multiple of kInterleave. Inputs lie interleaved, kInterleave values of
  /// x_0, then those of x_1 and so on, so that they stream through the cache in order.
  void (*dots)(const std::uint64_t* x, std::size_t count, const DotOutput* outputs, std::uint64_t* const* out,
               std::size_t number, std::size_t n);
  /// out = round(sum_k y[k] / q_k) for y[k] < q_k < 2^50 and up to 64 terms, wrong only within 2^-42 of a half.
  /// reciprocal[k] = floor(2^(51 + bits) / q_k) and shift[k] = 50 - bits, bits those of q_k.
  void (*quotient)(const std::uint64_t* const* y, const std::uint64_t* reciprocal, const int* shift,
                   std::size_t count, std::uint64_t* out, std::size_t n);
  /// Modular sums and differences of values below q.
  void (*add)(const std::uint64_t* x, const std::uint64_t* y, std::uint64_t q, std::uint64_t* out,
              std::size_t n);
  void (*subtract)(const std::uint64_t* x, const std::uint64_t* y, std::uint64_t q, std::uint64_t* out,
                   std::size_t n);
  /// out = x under the automorphism of a polynomial in NTT form; not in place.
  void (*permute)(const std::uint64_t* x, const Automorphism& map, std::uint64_t* out, std::size_t n);
};

/// The reference implementation, for every prime below 2^60.
const ElementwiseKernels& plain_elementwise();
/// The fastest kernels of this processor (base/cpu.h) for primes of that many bits, 1 to 60.
const ElementwiseKernels& elementwise(int bits = kNarrowPrimeBits);
inline const ElementwiseKernels& elementwise(const Modulus& q) { return elementwise(q.bits()); }
#if defined(__x86_64__)
/// For primes of at most 50 bits, only where cpu().ifma.
const ElementwiseKernels& ifma_elementwise();
/// For primes of 51 to 60 bits, only where cpu().ifma.
const ElementwiseKernels& wide_elementwise();
#endif

}  // namespace ap::ring
