#include "layers/activation/ot/ot_bits.h"

#include <gtest/gtest.h>

#include <array>

namespace ap::activation {
namespace {

using mpc::Block;

TEST(OtBits, LeafEntriesAreTheirDefinitions) {
  for (int width = 1; width <= 4; ++width) {
    const std::uint64_t size = std::uint64_t{1} << width;
    // Instance i has the digit i % size, and the negated digit (i / 7) % size.
    std::array<Block, 4> y{};
    std::array<Block, 4> e{};
    for (std::uint64_t i = 0; i < 128; ++i) {
      for (int b = 0; b < width; ++b) {
        const auto at = static_cast<std::size_t>(b);
        (i < 64 ? y[at].lo : y[at].hi) |= ((i % size >> b) & 1) << (i % 64);
        (i < 64 ? e[at].lo : e[at].hi) |= ((i / 7 % size >> b) & 1) << (i % 64);
      }
    }
    for (const LeafOutput output : {LeafOutput::generate, LeafOutput::propagate, LeafOutput::zero,
                                    LeafOutput::nonnegative, LeafOutput::sign_sensitive}) {
      std::array<Block, 16> entries{};
      leaf_entries(output, width, y.data(), e.data(), entries.data());
      for (std::uint64_t x = 0; x < size; ++x) {
        for (std::uint64_t i = 0; i < 128; ++i) {
          const std::uint64_t sum = x + i % size;
          const bool low = sum % size < size / 2;
          const bool low_after = (sum + 1) % size < size / 2;
          const bool expected = output == LeafOutput::generate      ? sum >= size
                                : output == LeafOutput::propagate   ? sum == size - 1
                                : output == LeafOutput::zero        ? x == i / 7 % size
                                : output == LeafOutput::nonnegative ? low
                                                                    : low != low_after;
          ASSERT_EQ(mpc::bit_of(std::span<const Block>(&entries[x], 1), i), expected);
        }
      }
    }
  }
}

TEST(OtBits, SlicesTravelInWholeBytes) {
  const std::array<Block, 2> slice = {Block{~std::uint64_t{0}, 5}, Block{0x1234567, 0}};
  SliceWriter writer(128 + 13, 2);
  writer.put(slice.data());
  writer.put(slice.data());
  ASSERT_EQ(writer.bytes().size(), 36u);
  SliceReader reader(writer.bytes(), 128 + 13);
  for (int i = 0; i < 2; ++i) {
    std::array<Block, 2> read = {Block{1, 1}, Block{1, 1}};
    reader.get(read.data(), 2);
    EXPECT_EQ(read[0], slice[0]);
    EXPECT_EQ(read[1], (Block{0x4567, 0}));
  }
}

}  // namespace
}  // namespace ap::activation
