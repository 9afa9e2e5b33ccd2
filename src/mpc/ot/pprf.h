// Small puncturable pseudorandom functions by trees of seeds (Goldreich, Goldwasser, Micali), transferred by
// base oblivious transfers: the owner of a tree knows all 2^depth leaves, the other party all but one, which
// it chose and the owner does not learn. Made once a session, under the OT extension of mpc/ot/cot.h.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "mpc/ot/base_ot.h"

namespace ap::mpc {

inline constexpr int kMaxPprfDepth = 8;

/// Bytes of the owner's message for `trees` trees: two masked sums a level.
constexpr std::size_t pprf_bytes(std::size_t trees, int depth) {
  return trees * static_cast<std::size_t>(depth) * 2 * sizeof(Seed);
}

/// Owner: expands one tree from `root` into leaves (2^depth) and writes its corrections (pprf_bytes(1,
/// depth)) under the keys of `depth` base OTs.
void pprf_expand(const Seed& root, int depth, std::span<const SeedPair> keys, std::span<Seed> leaves,
                 std::uint8_t* corrections);

/// The other party: keys[l] is the key of the side that leaves the path to `hole` at level l (level 0 next to
/// the root decides the highest bit of a leaf's index), so its base choice was the complement of the hole's
/// bit. leaves[i] is the leaf number i xor hole: leaves[0], the hole, is zero and meaningless. No address or
/// branch depends on `hole`.
void pprf_puncture(std::uint32_t hole, int depth, std::span<const Seed> keys, const std::uint8_t* corrections,
                   std::span<Seed> leaves);

}  // namespace ap::mpc
