// Costs of layers packed for SIMD (layers/linear/simd/conv.h, fc.h), from counts of their operations.
// Units are those of ring degree 8192 for one prime; transforms scale with N log N, the rest with N.
#pragma once

#include <cstdint>

#include "he/bfv/batch_context.h"
#include "layers/linear/simd/conv.h"

namespace ap::cost {

struct SimdUnitCosts {
  double transform_s = 5.6e-6;  ///< number-theoretic transform of a 45-bit prime
  double pass_s = 1.2e-6;       ///< multiply and add N values
  double stream_s = 3.5e-6;     ///< what N factors add to that when they come from memory: weights, keys
  double move_s = 1.5e-6;       ///< copy, clear, permute or add N values
  double encrypt_s = 32e-6;     ///< encrypt or decrypt, for one prime
  double load_s = 20e-6;        ///< check and expand what is encrypted so, for one prime
  double slots_s = 15e-6;       ///< encode or decode slots
  friend bool operator==(const SimdUnitCosts&, const SimdUnitCosts&) = default;
};

struct SimdRing {
  std::uint32_t n = 0;
  int data = 1, special = 0;  ///< primes
  int digits = 1;             ///< of the gadget
};

SimdRing ring_of(const bfv::BatchParameters& parameters);

/// Processor seconds of the two parties.
struct SimdSeconds {
  double client = 0, server = 0;
};

/// One evaluation of a layer whose replies keep `reply_level` primes. Hoisted rotations of an input share its
/// decomposition; a reply is flooded, switched down and packed.
SimdSeconds simd_seconds(const linear::SimdCounts& counts, const SimdRing& ring, int reply_level,
                         const SimdUnitCosts& costs);

/// Bytes of `elements` rotation keys in memory.
double simd_key_memory(const SimdRing& ring, std::uint64_t elements);

/// Making, and checking and expanding, `elements` rotation keys and, if `public_key`, the public key.
SimdSeconds simd_key_seconds(const SimdRing& ring, std::uint64_t elements, bool public_key,
                             const SimdUnitCosts& costs);

}  // namespace ap::cost
