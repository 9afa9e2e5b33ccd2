#include "mpc/ot/lpn.h"

#include <algorithm>

#include "base/cpu.h"
#include "base/error.h"
#include "mpc/core/hash.h"
#include "mpc/ot/lpn_kernels.h"

namespace ap::mpc {
namespace {

/// Two rows take twenty 32-bit numbers, which are five blocks.
constexpr std::size_t kBlocksPerPair = 5;
constexpr std::size_t kPairs = 32;

/// The code is public and the same for everybody, as in Ferret: nothing is hidden in its rows, so its key
/// needs no session. The first 128 bits of the fraction of the number pi, a constant nobody chose.
const Permutation& code_permutation() {
  static const Permutation pi(Block{0xd308a385886a3f24, 0x447370032e8a1913});
  return pi;
}

}  // namespace

double lpn_bits() {
  double lowest = security::lpn_bits(lpn_instance(kLpnSets[0].parameters));
  for (const NamedLpn& set : kLpnSets) {
    lowest = std::min(lowest, security::lpn_bits(lpn_instance(set.parameters)));
  }
  return lowest;
}

void lpn_encode(std::span<const Block> secret, std::uint64_t first, std::span<Block> rows) {
  static const auto add_elements = [] {
#if defined(__x86_64__)
    if (cpu().avx512) return kernels::lpn_rows_avx512;
#endif
    return kernels::lpn_rows_plain;
  }();
  AP_ASSERT(first % 2 == 0 && rows.size() % 2 == 0 && secret.size() < kernels::kMaxLpnSecret);
  const std::uint64_t k = secret.size();
  const Permutation& pi = code_permutation();
  alignas(64) Block numbers[kPairs * kBlocksPerPair];
  std::uint64_t counter = first / 2 * kBlocksPerPair;
  for (std::size_t at = 0; at < rows.size(); at += 2 * kPairs) {
    const std::size_t count = std::min(2 * kPairs, rows.size() - at);
    const std::size_t blocks = count / 2 * kBlocksPerPair;
    for (std::size_t i = 0; i < blocks; ++i) numbers[i] = {counter++, k};
    pi.permute(numbers, numbers, blocks);
    add_elements(secret, numbers, rows.subspan(at, count));
  }
}

void lpn_row(std::size_t k, std::uint64_t row, std::span<std::uint32_t, kLpnWeight> indices) {
  for (std::size_t j = 0; j < kLpnWeight; ++j) {
    const std::uint64_t number = row * kLpnWeight + j;
    const Block counter{number / 4, k};
    Block block;
    kernels::permute_plain(code_permutation().round_keys(), &counter, &block, 1);
    const std::uint64_t half = number % 4 < 2 ? block.lo : block.hi;
    indices[j] = kernels::lpn_index(static_cast<std::uint32_t>(half >> (32 * (number % 2))), k);
  }
}

}  // namespace ap::mpc
