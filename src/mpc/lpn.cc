#include "mpc/lpn.h"

#include <algorithm>

#include "base/cpu.h"
#include "base/error.h"
#include "mpc/hash.h"
#include "mpc/lpn_kernels.h"

namespace ap::mpc {
namespace {

/// Two rows take twenty 32-bit numbers, which are five blocks.
constexpr std::size_t kBlocksPerPair = 5;
constexpr std::size_t kPairs = 32;

}  // namespace

void lpn_encode(std::span<const Block> secret, std::uint64_t first, std::span<Block> rows) {
  static const auto add_elements = cpu().avx512 ? kernels::lpn_rows_avx512 : kernels::lpn_rows_plain;
  AP_ASSERT(first % 2 == 0 && rows.size() % 2 == 0 && secret.size() < kernels::kMaxLpnSecret);
  const std::uint64_t k = secret.size();
  alignas(64) Block numbers[kPairs * kBlocksPerPair];
  std::uint64_t counter = first / 2 * kBlocksPerPair;
  for (std::size_t at = 0; at < rows.size(); at += 2 * kPairs) {
    const std::size_t count = std::min(2 * kPairs, rows.size() - at);
    const std::size_t blocks = count / 2 * kBlocksPerPair;
    for (std::size_t i = 0; i < blocks; ++i) numbers[i] = {counter++, k};
    permute_blocks(numbers, numbers, blocks);
    add_elements(secret, numbers, rows.subspan(at, count));
  }
}

void lpn_row(std::size_t k, std::uint64_t row, std::span<std::uint32_t, kLpnWeight> indices) {
  for (std::size_t j = 0; j < kLpnWeight; ++j) {
    const std::uint64_t number = row * kLpnWeight + j;
    const Block counter{number / 4, k};
    Block block;
    kernels::permute_plain(&counter, &block, 1);
    const std::uint64_t half = number % 4 < 2 ? block.lo : block.hi;
    indices[j] = kernels::lpn_index(static_cast<std::uint32_t>(half >> (32 * (number % 2))), k);
  }
}

}  // namespace ap::mpc
