#include "mpc/core/transpose.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/cpu.h"
#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

TEST(Transpose, KernelsAgreeWithTheBitLoop) {
  Prng prng(test_seed(3));
  for (int round = 0; round < 20; ++round) {
    const std::size_t stride = 16 + static_cast<std::size_t>(round);
    std::vector<std::uint8_t> columns(128 * stride);
    if (round > 1) prng.fill(std::span<std::uint8_t>(columns));
    if (round == 1) columns.assign(columns.size(), 0xff);
    std::vector<Block> expected(128);
    std::vector<Block> out(128);
    kernels::transpose_plain(columns.data(), stride, expected.data());
    kernels::transpose_swaps(columns.data(), stride, out.data());
    EXPECT_EQ(out, expected);
#if defined(__x86_64__)
    if (cpu().avx2) {
      kernels::transpose_avx2(columns.data(), stride, out.data());
      EXPECT_EQ(out, expected);
    }
#endif
  }
}

TEST(Transpose, SlicesOfTheLowestBitsAgreeWithTheBitLoop) {
  Prng prng(test_seed(5));
  for (std::size_t count = 1; count <= 64; ++count) {
    constexpr std::size_t kStride = 3;
    std::vector<Block> blocks(128);
    for (Block& b : blocks) b = {prng.next64(), prng.next64()};
    std::vector<Block> expected(count * kStride), out(count * kStride);
    kernels::slice_lowest_plain(blocks.data(), count, expected.data(), kStride);
    slice_lowest(blocks.data(), count, out.data(), kStride);
    ASSERT_EQ(out, expected) << count;
#if defined(__x86_64__)
    if (cpu().avx512) {
      out.assign(out.size(), Block{0, 0});
      kernels::slice_lowest_avx512(blocks.data(), count, out.data(), kStride);
      ASSERT_EQ(out, expected) << count;
    }
#endif
    for (std::size_t i = 0; i < 128; ++i) {
      const Block& slice = expected[(count - 1) * kStride];
      ASSERT_EQ(((i < 64 ? slice.lo : slice.hi) >> (i % 64)) & 1, (blocks[i].lo >> (count - 1)) & 1);
    }
  }
}

TEST(Transpose, SlicesReachBeyondTheLowWords) {
  Prng prng(test_seed(6));
  std::vector<Block> blocks(128), slices(128);
  for (Block& b : blocks) b = {prng.next64(), prng.next64()};
  slice_lowest(blocks.data(), slices.size(), slices.data(), 1);
  for (std::size_t s = 0; s < 128; ++s) {
    for (std::size_t i = 0; i < 128; ++i) {
      const std::uint64_t bit = ((s < 64 ? blocks[i].lo : blocks[i].hi) >> (s % 64)) & 1;
      ASSERT_EQ(((i < 64 ? slices[s].lo : slices[s].hi) >> (i % 64)) & 1, bit);
    }
  }
}

TEST(Transpose, EveryBitGoesToItsPlace) {
  constexpr std::size_t kTiles = 3;
  constexpr std::size_t kStride = 16 * kTiles + 8;
  Prng prng(test_seed(4));
  std::vector<std::uint8_t> columns(128 * kStride);
  prng.fill(std::span<std::uint8_t>(columns));
  std::vector<Block> rows(128 * kTiles);
  transpose_columns(columns.data(), kStride, kTiles, rows.data());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < 128; ++j) {
      const std::uint64_t bit = ((j < 64 ? rows[i].lo : rows[i].hi) >> (j % 64)) & 1;
      ASSERT_EQ(bit, (columns[j * kStride + i / 8] >> (i % 8)) & 1U);
    }
  }
}

}  // namespace
}  // namespace ap::mpc
