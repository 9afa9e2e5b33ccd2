// The inner loops of batching, over arrays of n residues modulo primes below 2^50: a reference implementation
// that runs everywhere and one for AVX-512 IFMA, with the same result bit for bit. Constant time in the
// values. `out` may be one of the inputs unless a function says otherwise; n is a multiple of eight.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ring/modulus.h"

namespace ap::bfv {

/// Every prime of a batching context is below this, so that all kernels may use 52-bit products.
inline constexpr int kBatchPrimeBits = 50;

/// A constant factor below its prime, with the quotients that its products need.
struct FixedFactor {
  FixedFactor() = default;
  FixedFactor(const ring::Modulus& q, std::uint64_t w)
      : value(w),
        quotient64(q.shoup(w)),
        quotient52(static_cast<std::uint64_t>((static_cast<ring::Uint128>(w) << 52) / q.value())) {}
  std::uint64_t value = 0, quotient64 = 0, quotient52 = 0;
};

/// The map f(X) -> f(X^element) on polynomials in NTT form, where it permutes the values. In bit-reversed
/// order eight neighbours stay together: block k comes from block `block[k]` with its lanes in the order
/// lanes[turn[k]].
struct Automorphism {
  /// `element` odd, below 2n.
  Automorphism(std::size_t n, std::uint32_t element);
  std::vector<std::uint32_t> block;
  std::vector<std::uint8_t> turn;
  std::array<std::array<std::uint64_t, 8>, 8> lanes;
};

struct BatchKernels {
  /// out = x w mod q; x < 2^52.
  void (*multiply)(const std::uint64_t* x, const FixedFactor& w, const ring::Modulus& q, std::uint64_t* out,
                   std::size_t n);
  /// out = x w + y mod q; x < 2^52, y < q.
  void (*multiply_add)(const std::uint64_t* x, const FixedFactor& w, const std::uint64_t* y,
                       const ring::Modulus& q, std::uint64_t* out, std::size_t n);
  /// out = sum_k x[k] w[k] mod q; x[k] < 2^50, w[k] < q. `out` must not be an input.
  void (*dot)(const std::uint64_t* const* x, const std::uint64_t* w, std::size_t count,
              const ring::Modulus& q, std::uint64_t* out, std::size_t n);
  /// out = round(sum_k y[k] / q_k) for y[k] < q_k and up to 64 terms, wrong only within 2^-42 of a half.
  /// reciprocal[k] = floor(2^(51 + bits) / q_k) and shift[k] = 50 - bits, bits those of q_k.
  void (*quotient)(const std::uint64_t* const* y, const std::uint64_t* reciprocal, const int* shift,
                   std::size_t count, std::uint64_t* out, std::size_t n);
  /// Modular sums and differences of values below q.
  void (*add)(const std::uint64_t* x, const std::uint64_t* y, std::uint64_t q, std::uint64_t* out,
              std::size_t n);
  void (*subtract)(const std::uint64_t* x, const std::uint64_t* y, std::uint64_t q, std::uint64_t* out,
                   std::size_t n);
  /// out = x under the automorphism; not in place.
  void (*permute)(const std::uint64_t* x, const Automorphism& map, std::uint64_t* out, std::size_t n);
};

const BatchKernels& plain_batch_kernels();
/// The fastest ones that this processor runs (base/cpu.h).
const BatchKernels& batch_kernels();
#if defined(__x86_64__)
/// Only where cpu().ifma.
const BatchKernels& ifma_batch_kernels();
#endif

}  // namespace ap::bfv
