#include "layers/activation/one_trip/early_shares.h"

#include <array>

#include "base/error.h"
#include "layers/activation/one_trip/one_trip_plan.h"

namespace ap::activation {

using mpc::Block;

namespace {

constexpr std::size_t kMaxEntries = std::size_t{1} << kMaxOneTripDigit;
constexpr Block kOnes{~std::uint64_t{0}, ~std::uint64_t{0}};
using Entries = std::array<Block, kMaxEntries>;

/// Calls body(number of the pair, blocks of its first, of its second entry) for every pair that a level swaps.
template <typename Body>
void for_pairs(int width, int level, std::size_t tiles, std::size_t blocks, const Body& body) {
  const std::size_t step = std::size_t{1} << level;
  std::size_t pair = 0;
  for (std::size_t entry = 0; entry < blocks / tiles; ++entry) {
    if ((entry & step) == 0) body(pair++, entry * tiles, (entry + step) * tiles);
  }
  AP_ASSERT(pair << 1 == blocks / tiles && level < width);
}

/// at[v]: the instances of one tile whose digit is v.
void minterms(int width, std::size_t tiles, std::span<const Block> digit, std::size_t tile, Entries& at) {
  at[0] = kOnes;
  for (int i = 0; i < width; ++i) {
    const std::size_t count = std::size_t{1} << i;
    const Block bit = digit[static_cast<std::size_t>(i) * tiles + tile];
    for (std::size_t v = 0; v < count; ++v) {
      at[count + v] = at[v] & bit;
      at[v] ^= at[count + v];
    }
  }
}

}  // namespace

void rotate_client(int width, int level, std::size_t tiles, std::span<const Block> d,
                   std::span<const Block> shares, SliceWriter& corrections, std::span<Block> tables) {
  SecretVector<Block> masked(tiles);
  for_pairs(width, level, tiles, tables.size(), [&](std::size_t pair, std::size_t low, std::size_t high) {
    for (std::size_t i = 0; i < tiles; ++i) {
      const Block share = shares[pair * tiles + i];
      masked[i] = tables[low + i] ^ tables[high + i] ^ d[pair * tiles + i];
      tables[low + i] ^= share;
      tables[high + i] ^= share;
    }
    corrections.put(masked.data());
  });
}

void rotate_server(int width, int level, std::size_t tiles, std::span<const Block> choice,
                   std::span<const Block> shares, SliceReader& corrections, std::span<Block> tables) {
  std::vector<Block> masked(tiles);
  for_pairs(width, level, tiles, tables.size(), [&](std::size_t pair, std::size_t low, std::size_t high) {
    corrections.get(masked.data(), tiles);
    for (std::size_t i = 0; i < tiles; ++i) {
      const Block change =
          shares[pair * tiles + i] ^ ((masked[i] ^ tables[low + i] ^ tables[high + i]) & choice[i]);
      tables[low + i] ^= change;
      tables[high + i] ^= change;
    }
  });
}

void look_up(int width, std::size_t tiles, std::span<const Block> table, std::span<const Block> index,
             std::span<Block> out) {
  const std::size_t entries = std::size_t{1} << width;
  Entries level;
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    for (std::size_t j = 0; j < entries; ++j) level[j] = table[j * tiles + tile];
    for (int i = 0; i < width; ++i) {
      const Block bit = index[static_cast<std::size_t>(i) * tiles + tile];
      for (std::size_t j = 0; j < entries >> (i + 1); ++j)
        level[j] = level[2 * j] ^ ((level[2 * j] ^ level[2 * j + 1]) & bit);
    }
    out[tile] = level[0];
  }
}

void carry_tables(int width, std::size_t tiles, std::span<const Block> y, std::span<const Block> pointer,
                  std::span<Block> tables) {
  const std::size_t entries = std::size_t{1} << width;
  const bool both = tables.size() > entries * tiles;
  Entries at;
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    minterms(width, tiles, y, tile, at);
    Block carries{0, 0};  // y >= 2^w - x
    for (std::size_t x = 0; x < entries; ++x) {
      if (x > 0) carries ^= at[entries - x];
      const Block propagates = at[entries - 1 - x];
      if (!both) {
        tables[x * tiles + tile] = carries;
        continue;
      }
      const Block at_one = propagates & pointer[tile];
      tables[x * tiles + tile] = carries ^ at_one;
      tables[(entries + x) * tiles + tile] = carries ^ at_one ^ propagates;
    }
  }
}

void high_tables(int width, std::size_t tiles, std::span<const Block> y, std::span<const Block> pointer,
                 std::span<Block> tables) {
  const std::size_t entries = std::size_t{1} << width, mask = entries - 1;
  Entries at, nonnegative;
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    minterms(width, tiles, y, tile, at);
    nonnegative[0] = {0, 0};
    for (std::size_t v = 0; v < entries / 2; ++v) nonnegative[0] ^= at[v];
    // y in the cyclic interval [-x, 2^(w-1) - x)
    for (std::size_t x = 1; x < entries; ++x) {
      nonnegative[x] = nonnegative[x - 1] ^ at[(entries - x) & mask] ^ at[(entries + entries / 2 - x) & mask];
    }
    for (std::size_t x = 0; x < entries; ++x) {
      const Block zero[2] = {at[(entries - x) & mask], at[entries - 1 - x]};
      const Block above[2] = {nonnegative[x] ^ zero[0], nonnegative[(x + 1) & mask] ^ zero[1]};
      const Block turned = (zero[0] ^ zero[1]) & pointer[tile],
                  turned_above = (above[0] ^ above[1]) & pointer[tile];
      for (std::size_t position = 0; position < 2; ++position) {
        tables[(position * entries + x) * tiles + tile] = zero[position] ^ turned;
        tables[((2 + position) * entries + x) * tiles + tile] = above[position] ^ turned_above;
      }
    }
  }
}

}  // namespace ap::activation
