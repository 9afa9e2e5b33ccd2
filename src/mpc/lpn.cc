#include "mpc/lpn.h"

#include <algorithm>

#include "base/error.h"
#include "mpc/hash.h"

namespace ap::mpc {
namespace {

/// Two rows take twenty 32-bit numbers, which are five blocks.
constexpr std::size_t kBlocksPerPair = 5;
constexpr std::size_t kPairs = 32;

/// Scales a uniform 32-bit number to [0, k).
inline std::uint32_t scale(std::uint32_t uniform, std::uint64_t k) {
  return static_cast<std::uint32_t>((uniform * k) >> 32);
}

}  // namespace

void lpn_encode(std::span<const Block> secret, std::uint64_t first, std::span<Block> rows) {
  AP_ASSERT(first % 2 == 0 && rows.size() % 2 == 0);
  const std::uint64_t k = secret.size();
  const Block* const u = secret.data();
  alignas(64) Block counters[kPairs * kBlocksPerPair];
  alignas(64) std::uint32_t indices[kPairs * kBlocksPerPair * 4];
  std::uint64_t counter = first / 2 * kBlocksPerPair;
  for (std::size_t at = 0; at < rows.size(); at += 2 * kPairs) {
    const std::size_t count = std::min(2 * kPairs, rows.size() - at);
    const std::size_t blocks = count / 2 * kBlocksPerPair;
    for (std::size_t i = 0; i < blocks; ++i) counters[i] = {counter++, k};
    permute_blocks(counters, counters, blocks);
    std::memcpy(indices, counters, blocks * sizeof(Block));
    for (std::size_t i = 0; i < 4 * blocks; ++i) indices[i] = scale(indices[i], k);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint32_t* index = indices + kLpnWeight * i;
      Block sum = rows[at + i];
      for (std::size_t j = 0; j < kLpnWeight; ++j) sum ^= u[index[j]];
      rows[at + i] = sum;
    }
  }
}

void lpn_row(std::size_t k, std::uint64_t row, std::span<std::uint32_t, kLpnWeight> indices) {
  for (std::size_t j = 0; j < kLpnWeight; ++j) {
    const std::uint64_t number = row * kLpnWeight + j;
    const Block counter{number / 4, k};
    Block block;
    kernels::permute_plain(&counter, &block, 1);
    const std::uint64_t half = number % 4 < 2 ? block.lo : block.hi;
    indices[j] = scale(static_cast<std::uint32_t>(half >> (32 * (number % 2))), k);
  }
}

}  // namespace ap::mpc
