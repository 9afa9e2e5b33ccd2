// The end of a layer packed for SIMD: the server keeps a uniform share of every slot, read or not, and hides
// what the noise would tell of its weights.
#pragma once

#include <cstdint>
#include <span>

#include "he/bfv/batch_scheme.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/keys.h"

namespace ap::linear {

/// Subtracts a uniform share from all N slots of x (so that slots which hold partial sums tell nothing),
/// floods with `flood_bits` (bfv::flood), switches to `level` primes and packs. client slots + server_shares
/// = slots of x mod p, exactly.
Bytes share_slots(const bfv::BatchContext& context, const rlwe::PublicKey& key, rlwe::Ciphertext x,
                  int flood_bits, std::size_t level, Prng& prng, std::span<std::uint64_t> server_shares);

}  // namespace ap::linear
