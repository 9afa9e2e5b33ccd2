#include "mpc/ot/random_ot.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "mpc/core/hash.h"
#include "mpc/core/transpose.h"
#include "security/symmetric.h"

namespace ap::mpc {
namespace {

/// Tiles made at a time: transfers and hashes stay in the second-level cache.
constexpr std::size_t kChunkTiles = 16;
// A chunk hashes each of its transfers once with Delta in it, under a key of its own.
static_assert(kChunkTiles * kTile * kMaxTableBits <= security::kMaxHashesPerKey);

/// Calls body(first tile, tiles) for consecutive chunks.
template <typename Body>
void for_chunks(std::size_t tiles, const Body& body) {
  for (std::size_t at = 0; at < tiles; at += kChunkTiles) body(at, std::min(kChunkTiles, tiles - at));
}

/// The lowest bits of 128 blocks.
Block lowest_bits(const Block* blocks) {
  Block out;
  slice_lowest(blocks, 1, &out, 1);
  return out;
}

constexpr std::uint64_t word_mask(int width) { return ~std::uint64_t{0} >> (64 - width); }

void check_table(int w, int outputs) {
  AP_ASSERT(w >= 1 && w <= kMaxTableBits && outputs >= 1 && outputs <= kMaxTableOutputs);
}

}  // namespace

void RandomOtSender::hash_both(std::size_t count) {
  zero_.resize(count);
  one_.resize(count);
  cots_.extend(channel_, zero_);
  const Block& delta = cots_.delta();
  for (std::size_t i = 0; i < count; ++i) one_[i] = zero_[i] ^ delta;
  const Permutation pi = cots_.hashing().at(tweak_);
  pi.hash(zero_.data(), tweak_, zero_.data(), count);
  pi.hash(one_.data(), tweak_, one_.data(), count);
  tweak_ += count;
}

void RandomOtSender::tables(int w, int outputs, std::size_t tiles, std::span<Block> strings) {
  check_table(w, outputs);
  const auto width = static_cast<std::size_t>(w);
  const std::size_t entries = std::size_t{1} << w;
  const std::size_t slices = static_cast<std::size_t>(outputs) * entries;
  AP_ASSERT(strings.size() == slices * tiles);
  // Bit e 2^w + j of a hash is output e of entry j: the entries whose index has bit i set, as a mask.
  std::uint64_t chosen[kMaxTableBits] = {};
  for (std::size_t bit = 0; bit < 64; ++bit) {
    for (std::size_t i = 0; i < width; ++i) chosen[i] |= std::uint64_t{(bit >> i) & 1} << bit;
  }
  std::array<Block, kTile> tile{};
  for_chunks(tiles, [&](std::size_t first, std::size_t count) {
    hash_both(count * width * kTile);
    for (std::size_t at = 0; at < count; ++at) {
      const std::size_t base = at * width * kTile;
      for (std::size_t instance = 0; instance < kTile; ++instance) {
        std::uint64_t string = 0;
        for (std::size_t i = 0; i < width; ++i) {
          const std::uint64_t zero = zero_[base + i * kTile + instance].lo;
          const std::uint64_t one = one_[base + i * kTile + instance].lo;
          string ^= zero ^ ((zero ^ one) & chosen[i]);
        }
        tile[instance].lo = string;
      }
      slice_lowest(tile.data(), slices, strings.data() + first + at, tiles);
    }
  });
}

void RandomOtSender::bits(int outputs, std::size_t tiles, std::span<Block> d, std::span<Block> shares) {
  const auto count = static_cast<std::size_t>(outputs);
  AP_ASSERT(outputs >= 1 && count <= kTile && d.size() == count * tiles && shares.size() == count * tiles);
  for_chunks(tiles, [&](std::size_t first, std::size_t chunk) {
    hash_both(chunk * kTile);
    for (std::size_t i = 0; i < chunk * kTile; ++i) one_[i] ^= zero_[i];
    for (std::size_t at = 0; at < chunk; ++at) {
      slice_lowest(zero_.data() + at * kTile, count, shares.data() + first + at, tiles);
      slice_lowest(one_.data() + at * kTile, count, d.data() + first + at, tiles);
    }
  });
}

template <typename Word>
void RandomOtSender::words(int width, std::span<Word> d, std::span<Word> shares) {
  AP_ASSERT(width >= 1 && width <= 8 * static_cast<int>(sizeof(Word)) && d.size() == shares.size());
  const std::uint64_t mask = word_mask(width);
  for_chunks(tiles_of(d.size()), [&](std::size_t first, std::size_t chunk) {
    hash_both(chunk * kTile);
    const std::size_t base = first * kTile;
    const std::size_t count = std::min(chunk * kTile, d.size() - base);
    for (std::size_t i = 0; i < count; ++i) {
      d[base + i] = static_cast<Word>((one_[i].lo - zero_[i].lo) & mask);
      shares[base + i] = static_cast<Word>((0 - zero_[i].lo) & mask);
    }
  });
}
template void RandomOtSender::words(int, std::span<std::uint32_t>, std::span<std::uint32_t>);
template void RandomOtSender::words(int, std::span<std::uint64_t>, std::span<std::uint64_t>);

void RandomOtSender::strings(int each, std::span<std::uint64_t> zero, std::span<std::uint64_t> one) {
  const auto size = static_cast<std::size_t>(each);
  AP_ASSERT((each == 1 || each == 2) && zero.size() == one.size() && zero.size() % size == 0);
  const std::size_t instances = zero.size() / size;
  for_chunks(tiles_of(instances), [&](std::size_t first, std::size_t chunk) {
    hash_both(chunk * kTile);
    const std::size_t base = first * kTile;
    const std::size_t count = std::min(chunk * kTile, instances - base);
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(zero.data() + (base + i) * size, &zero_[i], size * sizeof(std::uint64_t));
      std::memcpy(one.data() + (base + i) * size, &one_[i], size * sizeof(std::uint64_t));
    }
  });
}

void RandomOtReceiver::draw(std::size_t count) {
  blocks_.resize(count);
  hashes_.resize(count);
  cots_.extend(channel_, blocks_);
  cots_.hashing().at(tweak_).hash(blocks_.data(), tweak_, hashes_.data(), count);
  tweak_ += count;
}

void RandomOtReceiver::tables(int w, int outputs, std::size_t tiles, std::span<Block> index,
                              std::span<Block> strings) {
  check_table(w, outputs);
  const auto width = static_cast<std::size_t>(w);
  const auto count = static_cast<std::size_t>(outputs);
  AP_ASSERT(index.size() == width * tiles && strings.size() == count * tiles);
  for_chunks(tiles, [&](std::size_t first, std::size_t chunk) {
    draw(chunk * width * kTile);
    for (std::size_t at = 0; at < chunk; ++at) {
      const std::size_t base = at * width * kTile;
      for (std::size_t i = 0; i < width; ++i) {
        index[i * tiles + first + at] = lowest_bits(blocks_.data() + base + i * kTile);
      }
      Block values[kMaxTableOutputs] = {};
      for (std::size_t instance = 0; instance < kTile; ++instance) {
        std::uint64_t string = 0;
        std::uint64_t chosen = 0;
        for (std::size_t i = 0; i < width; ++i) {
          string ^= hashes_[base + i * kTile + instance].lo;
          chosen |= low_bit(blocks_[base + i * kTile + instance]) << i;
        }
        string >>= chosen;
        for (std::size_t e = 0; e < count; ++e) {
          const std::uint64_t bit = (string >> (e << w)) & 1;
          (instance < 64 ? values[e].lo : values[e].hi) |= bit << (instance % 64);
        }
      }
      for (std::size_t e = 0; e < count; ++e) strings[e * tiles + first + at] = values[e];
    }
  });
}

void RandomOtReceiver::bits(int outputs, std::size_t tiles, std::span<Block> choices,
                            std::span<Block> shares) {
  const auto count = static_cast<std::size_t>(outputs);
  AP_ASSERT(outputs >= 1 && count <= kTile && choices.size() == tiles && shares.size() == count * tiles);
  for_chunks(tiles, [&](std::size_t first, std::size_t chunk) {
    draw(chunk * kTile);
    for (std::size_t at = 0; at < chunk; ++at) {
      choices[first + at] = lowest_bits(blocks_.data() + at * kTile);
      slice_lowest(hashes_.data() + at * kTile, count, shares.data() + first + at, tiles);
    }
  });
}

template <typename Word>
void RandomOtReceiver::words(int width, std::span<Block> choices, std::span<Word> shares) {
  AP_ASSERT(width >= 1 && width <= 8 * static_cast<int>(sizeof(Word)) &&
            choices.size() == tiles_of(shares.size()));
  const std::uint64_t mask = word_mask(width);
  for_chunks(choices.size(), [&](std::size_t first, std::size_t chunk) {
    draw(chunk * kTile);
    const std::size_t base = first * kTile;
    const std::size_t count = std::min(chunk * kTile, shares.size() - base);
    for (std::size_t at = 0; at < chunk; ++at) {
      choices[first + at] = lowest_bits(blocks_.data() + at * kTile);
    }
    for (std::size_t i = 0; i < count; ++i) shares[base + i] = static_cast<Word>(hashes_[i].lo & mask);
  });
}
template void RandomOtReceiver::words(int, std::span<Block>, std::span<std::uint32_t>);
template void RandomOtReceiver::words(int, std::span<Block>, std::span<std::uint64_t>);

void RandomOtReceiver::strings(int each, std::span<Block> choices, std::span<std::uint64_t> strings) {
  const auto size = static_cast<std::size_t>(each);
  AP_ASSERT((each == 1 || each == 2) && strings.size() % size == 0 &&
            choices.size() == tiles_of(strings.size() / size));
  for_chunks(choices.size(), [&](std::size_t first, std::size_t chunk) {
    draw(chunk * kTile);
    const std::size_t base = first * kTile;
    const std::size_t count = std::min(chunk * kTile, strings.size() / size - base);
    for (std::size_t at = 0; at < chunk; ++at) {
      choices[first + at] = lowest_bits(blocks_.data() + at * kTile);
    }
    for (std::size_t i = 0; i < count; ++i)
      std::memcpy(strings.data() + (base + i) * size, &hashes_[i], size * sizeof(std::uint64_t));
  });
}

void slice_words(std::span<const std::uint64_t> words, int shift, int bits, std::span<Block> slices) {
  const std::size_t tiles = tiles_of(words.size());
  const auto count = static_cast<std::size_t>(bits);
  AP_ASSERT(bits >= 1 && shift >= 0 && shift + bits <= 64 && slices.size() == count * tiles);
  std::array<Block, kTile> tile{};
  for (std::size_t at = 0; at < tiles; ++at) {
    const std::size_t present = std::min(kTile, words.size() - at * kTile);
    for (std::size_t i = 0; i < kTile; ++i) tile[i].lo = i < present ? words[at * kTile + i] >> shift : 0;
    slice_lowest(tile.data(), count, slices.data() + at, tiles);
  }
}

void permute_entries(Block* entries, int w, const Block* index) {
  const std::size_t count = std::size_t{1} << w;
  for (int i = 0; i < w; ++i) {
    const std::size_t step = std::size_t{1} << i;
    for (std::size_t j = 0; j < count; ++j) {
      if (j & step) continue;
      const Block change = (entries[j] ^ entries[j + step]) & index[i];
      entries[j] ^= change;
      entries[j + step] ^= change;
    }
  }
}

Block select_entry(const Block* entries, int w, const Block* index) {
  Block level[std::size_t{1} << kMaxTableBits];
  std::copy_n(entries, std::size_t{1} << w, level);
  for (int i = 0; i < w; ++i) {
    for (std::size_t j = 0; j < std::size_t{1} << (w - 1 - i); ++j) {
      level[j] = level[2 * j] ^ ((level[2 * j] ^ level[2 * j + 1]) & index[i]);
    }
  }
  return level[0];
}

}  // namespace ap::mpc
