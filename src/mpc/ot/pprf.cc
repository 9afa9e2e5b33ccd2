#include "mpc/ot/pprf.h"

#include <algorithm>
#include <cstring>

#include "base/declassify.h"
#include "base/error.h"
#include "base/memory.h"

namespace ap::mpc {
namespace {

void xor_seed(Seed& into, const Seed& from, std::uint8_t mask) {
  for (std::size_t i = 0; i < into.size(); ++i)
    into[i] = static_cast<std::uint8_t>(into[i] ^ (from[i] & mask));
}

/// 0xff if a == b, else 0.
std::uint8_t equal_mask(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t difference = a ^ b;
  return static_cast<std::uint8_t>(((difference | (0 - difference)) >> 31) - 1);
}

/// The children of nodes[0 .. count) into nodes[0 .. 2 count): node i has the children 2i and 2i + 1.
void expand_level(std::span<Seed> nodes, std::size_t count) {
  for (std::size_t i = count; i-- > 0;) {
    Prng generator(nodes[i]);
    generator.fill(std::span<std::uint8_t>(nodes[2 * i]));
    generator.fill(std::span<std::uint8_t>(nodes[2 * i + 1]));
  }
}

}  // namespace

void pprf_expand(const Seed& root, int depth, std::span<const SeedPair> keys, std::span<Seed> leaves,
                 std::uint8_t* corrections) {
  AP_ASSERT(depth >= 1 && depth <= kMaxPprfDepth && leaves.size() == std::size_t{1} << depth);
  AP_ASSERT(keys.size() == static_cast<std::size_t>(depth));
  leaves[0] = root;
  for (std::size_t level = 0; level < keys.size(); ++level) {
    const std::size_t parents = std::size_t{1} << level;
    expand_level(leaves, parents);
    for (std::size_t side = 0; side < 2; ++side) {
      Seed sum = keys[level][side];
      for (std::size_t i = 0; i < parents; ++i) xor_seed(sum, leaves[2 * i + side], 0xff);
      std::memcpy(corrections + (2 * level + side) * sizeof(Seed), sum.data(), sizeof(Seed));
      wipe(sum.data(), sum.size());
    }
  }
}

void pprf_puncture(std::uint32_t hole, int depth, std::span<const Seed> keys, const std::uint8_t* corrections,
                   std::span<Seed> leaves) {
  const std::size_t count = std::size_t{1} << depth;
  const bool inside = hole < count;
  declassify(inside);
  AP_ASSERT(depth >= 1 && depth <= kMaxPprfDepth && leaves.size() == count && inside);
  AP_ASSERT(keys.size() == static_cast<std::size_t>(depth));
  SecretVector<Seed> nodes(count);
  for (int level = 0; level < depth; ++level) {
    const std::size_t parents = std::size_t{1} << level;
    // The unknown node is zero, and so are both of what would be its children but for what `expand_level`
    // makes of zero: cleared below.
    expand_level(nodes, parents);
    const auto path = hole >> (depth - level);  // the hole's ancestor among the parents
    const auto bit = (hole >> (depth - 1 - level)) & 1;
    for (std::size_t i = 0; i < parents; ++i) {
      const std::uint8_t keep = static_cast<std::uint8_t>(~equal_mask(static_cast<std::uint32_t>(i), path));
      for (std::size_t side = 0; side < 2; ++side) {
        for (std::uint8_t& byte : nodes[2 * i + side]) byte = static_cast<std::uint8_t>(byte & keep);
      }
    }
    // The sibling of the path: the sum of its side minus the known nodes of that side.
    Seed companion = keys[static_cast<std::size_t>(level)];
    for (std::uint32_t side = 0; side < 2; ++side) {
      const std::uint8_t other = static_cast<std::uint8_t>(~equal_mask(side, bit));
      Seed sent;
      std::memcpy(sent.data(), corrections + (2 * static_cast<std::size_t>(level) + side) * sizeof(Seed),
                  sizeof(Seed));
      xor_seed(companion, sent, other);
      for (std::size_t i = 0; i < parents; ++i) xor_seed(companion, nodes[2 * i + side], other);
    }
    for (std::uint32_t i = 0; i < 2 * parents; ++i) {
      xor_seed(nodes[i], companion, equal_mask(i, (2 * path + bit) ^ 1));
    }
    wipe(companion.data(), companion.size());
  }
  for (std::uint32_t to = 0; to < count; ++to) {
    Seed leaf{};
    for (std::uint32_t from = 0; from < count; ++from)
      xor_seed(leaf, nodes[from], equal_mask(to ^ hole, from));
    leaves[to] = leaf;
    wipe(leaf.data(), leaf.size());
  }
}

}  // namespace ap::mpc
