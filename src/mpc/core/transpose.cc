#include "mpc/core/transpose.h"

#include <array>
#include <utility>

#include "base/cpu.h"
#include "base/error.h"

namespace ap::mpc {
namespace {

/// Recursive block swapping (Eklundh): log2(128) passes, each exchanging the off-diagonal blocks of one size.
/// The inner loops run over contiguous words, so the compiler vectorises them for the caller's instruction
/// set.
inline __attribute__((always_inline)) void eklundh(const std::uint8_t* columns, std::size_t stride,
                                                   Block* out) {
  alignas(64) std::array<std::uint64_t, 256> w;
  for (std::size_t j = 0; j < 128; ++j) std::memcpy(&w[2 * j], columns + j * stride, 16);
  for (std::size_t j = 0; j < 64; ++j) std::swap(w[2 * j + 1], w[2 * (j + 64)]);
  std::uint64_t keep = 0x00000000ffffffffULL;  // bit positions whose index lacks the bit `size`
  for (unsigned size = 32; size >= 1; size >>= 1, keep ^= keep << size) {
    for (std::size_t row = 0; row < 128; row += 2 * size) {
      std::uint64_t* upper = &w[2 * row];
      std::uint64_t* lower = upper + 2 * size;
      for (std::size_t i = 0; i < 2 * size; ++i) {
        const std::uint64_t change = ((upper[i] >> size) ^ lower[i]) & keep;
        lower[i] ^= change;
        upper[i] ^= change << size;
      }
    }
  }
  std::memcpy(out, w.data(), sizeof w);
}

}  // namespace

namespace kernels {

void transpose_plain(const std::uint8_t* columns, std::size_t stride, Block* out) {
  for (std::size_t i = 0; i < 128; ++i) {
    std::array<std::uint8_t, 16> row{};
    for (std::size_t j = 0; j < 128; ++j) {
      const int bit = (columns[j * stride + i / 8] >> (i % 8)) & 1;
      row[j / 8] = static_cast<std::uint8_t>(row[j / 8] | (bit << (j % 8)));
    }
    out[i] = load_block(row.data());
  }
}

void transpose_swaps(const std::uint8_t* columns, std::size_t stride, Block* out) {
  eklundh(columns, stride, out);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void transpose_avx2(const std::uint8_t* columns, std::size_t stride,
                                                    Block* out) {
  eklundh(columns, stride, out);
}
#endif

void slice_lowest_plain(const Block* blocks, std::size_t count, Block* to, std::size_t stride) {
  for (std::size_t s = 0; s < count; ++s) {
    Block slice{0, 0};
    for (std::size_t i = 0; i < 64; ++i) {
      slice.lo |= ((blocks[i].lo >> s) & 1) << i;
      slice.hi |= ((blocks[64 + i].lo >> s) & 1) << i;
    }
    to[s * stride] = slice;
  }
}

}  // namespace kernels

void slice_lowest(const Block* blocks, std::size_t count, Block* to, std::size_t stride) {
  // A whole transposition takes about as long as the bits of four slices.
  constexpr std::size_t kFew = 4;
  AP_ASSERT(count <= 128);
#if defined(__x86_64__)
  constexpr std::size_t kHalf = 64;  // what the kernel takes: the low words of the blocks
  if (cpu().avx512 && count <= kHalf) return kernels::slice_lowest_avx512(blocks, count, to, stride);
#endif
  if (count <= kFew) return kernels::slice_lowest_plain(blocks, count, to, stride);
  alignas(64) Block rows[128];
  transpose_columns(reinterpret_cast<const std::uint8_t*>(blocks), sizeof(Block), 1, rows);
  for (std::size_t s = 0; s < count; ++s) to[s * stride] = rows[s];
}

void transpose_columns(const std::uint8_t* columns, std::size_t stride, std::size_t tiles, Block* out) {
  static const auto kernel = [] {
#if defined(__x86_64__)
    if (cpu().avx2) return kernels::transpose_avx2;
#endif
    return kernels::transpose_swaps;
  }();
  for (std::size_t tile = 0; tile < tiles; ++tile) kernel(columns + 16 * tile, stride, out + 128 * tile);
}

}  // namespace ap::mpc
