// 1-of-2^w random OT of short strings for w up to 8 (mpc/ot/random_ot.h).
#include <algorithm>
#include <vector>

#include "base/error.h"
#include "mpc/ot/random_ot.h"
#include "security/symmetric.h"

namespace ap::mpc {
namespace {

/// Tiles made at a time.
constexpr std::size_t kChunkTiles = 16;
constexpr std::size_t kMaxBlocks = entry_array_bits(kMaxLookupBits, kMaxLookupOutputBits) / 128;
// A chunk hashes each of its transfers, with Delta in it, once for every block, under a key of its own.
static_assert(kChunkTiles * kTile * kMaxLookupBits * kMaxBlocks <= security::kMaxHashesPerKey);

void check(int w, int bits) {
  AP_ASSERT(w >= 1 && w <= kMaxLookupBits && bits >= 1 && bits <= kMaxLookupOutputBits);
}

/// The bits of block `block` that belong to entries whose number has bit i set.
Block entries_with(int i, int bits, std::size_t block) {
  std::uint64_t half[2] = {};
  for (std::size_t at = 0; at < 128; ++at) {
    const std::size_t entry = (block * 128 + at) / static_cast<std::size_t>(bits);
    half[at / 64] |= std::uint64_t{(entry >> i) & 1} << (at % 64);
  }
  return {half[0], half[1]};
}

/// Calls body(first instance, instances, tiles) for consecutive chunks.
template <typename Body>
void for_chunks(std::size_t count, const Body& body) {
  for (std::size_t at = 0; at < count; at += kChunkTiles * kTile) {
    const std::size_t instances = std::min(kChunkTiles * kTile, count - at);
    body(at, instances, tiles_of(instances));
  }
}

}  // namespace

void RandomOtSender::lookups(int w, int bits, std::span<Block> pads) {
  check(w, bits);
  const auto width = static_cast<std::size_t>(w);
  const std::size_t blocks = lookup_blocks(w, bits);
  AP_ASSERT(pads.size() % blocks == 0);
  std::vector<Block> chosen;
  for (std::size_t block = 0; block < blocks; ++block) {
    for (int i = 0; i < w; ++i) chosen.push_back(entries_with(i, bits, block));
  }
  for_chunks(pads.size() / blocks, [&](std::size_t first, std::size_t instances, std::size_t tiles) {
    const std::size_t transfers = tiles * width * kTile;
    SecretVector<Block> ones(transfers);
    zero_.resize(transfers);
    one_.resize(transfers);
    hashed_.resize(transfers);
    cots_.extend(channel_, zero_);
    for (std::size_t i = 0; i < transfers; ++i) one_[i] = zero_[i] ^ cots_.delta();
    const Permutation pi = cots_.hashing().at(tweak_);
    for (std::size_t block = 0; block < blocks; ++block) {
      pi.hash(zero_.data(), tweak_, hashed_.data(), transfers);
      pi.hash(one_.data(), tweak_, ones.data(), transfers);
      tweak_ += transfers;
      for (std::size_t k = 0; k < instances; ++k) {
        const std::size_t base = k / kTile * width * kTile + k % kTile;
        Block pad = {0, 0};
        for (std::size_t i = 0; i < width; ++i) {
          const Block& zero = hashed_[base + i * kTile];
          pad ^= zero ^ ((zero ^ ones[base + i * kTile]) & chosen[block * width + i]);
        }
        pads[(first + k) * blocks + block] = pad;
      }
    }
  });
}

void RandomOtReceiver::lookups(int w, int bits, std::span<std::uint64_t> index,
                               std::span<std::uint64_t> strings) {
  check(w, bits);
  AP_ASSERT(index.size() == strings.size());
  const auto width = static_cast<std::size_t>(w);
  const std::size_t blocks = lookup_blocks(w, bits);
  for_chunks(index.size(), [&](std::size_t first, std::size_t instances, std::size_t tiles) {
    const std::size_t transfers = tiles * width * kTile;
    SecretVector<std::uint64_t> arrays(instances * 2 * blocks);
    blocks_.resize(transfers);
    hashes_.resize(transfers);
    cots_.extend(channel_, blocks_);
    const Permutation pi = cots_.hashing().at(tweak_);
    for (std::size_t block = 0; block < blocks; ++block) {
      pi.hash(blocks_.data(), tweak_, hashes_.data(), transfers);
      tweak_ += transfers;
      for (std::size_t k = 0; k < instances; ++k) {
        const std::size_t base = k / kTile * width * kTile + k % kTile;
        Block sum = {0, 0};
        for (std::size_t i = 0; i < width; ++i) sum ^= hashes_[base + i * kTile];
        arrays[2 * (k * blocks + block)] = sum.lo;
        arrays[2 * (k * blocks + block) + 1] = sum.hi;
      }
    }
    for (std::size_t k = 0; k < instances; ++k) {
      const std::size_t base = k / kTile * width * kTile + k % kTile;
      std::uint64_t number = 0;
      for (std::size_t i = 0; i < width; ++i) number |= low_bit(blocks_[base + i * kTile]) << i;
      index[first + k] = number;
      strings[first + k] = take_entry(arrays.data() + 2 * k * blocks, w, bits, number);
    }
  });
}

}  // namespace ap::mpc
