// The inner loop of lpn_encode (mpc/ot/lpn.h): elements of the secret, named by uniform numbers, onto rows.
#pragma once

#include <cstdint>
#include <span>

#include "mpc/ot/lpn.h"

namespace ap::mpc::kernels {

/// Elements are addressed by 32-bit byte offsets.
inline constexpr std::size_t kMaxLpnSecret = std::size_t{1} << 28;

/// Rows that the kernels take at a time.
inline constexpr std::size_t kMaxLpnRows = 64;

/// Scales a uniform 32-bit number to [0, k).
inline std::uint32_t lpn_index(std::uint32_t uniform, std::uint64_t k) {
  return static_cast<std::uint32_t>((uniform * k) >> 32);
}

/// rows[i] ^= the ten elements of the secret that the 32-bit numbers 10 i .. 10 i + 9 name; rows.size() is
/// even and at most kMaxLpnRows, `numbers` holds five 64-byte aligned blocks for every two rows. Indices are
/// public, so addresses may depend on them. Overwrites nothing but the rows.
void lpn_rows_plain(std::span<const Block> secret, const Block* numbers, std::span<Block> rows);
#if defined(__x86_64__)
void lpn_rows_avx512(std::span<const Block> secret, const Block* numbers, std::span<Block> rows);
#endif

}  // namespace ap::mpc::kernels
