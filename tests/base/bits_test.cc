#include "base/bits.h"

#include <gtest/gtest.h>

#include <random>

namespace ap {
namespace {

std::uint64_t low_bits(std::uint64_t value, int bits) {
  return bits == 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
}

/// The definition, one bit at a time.
Bytes pack_slowly(const std::vector<std::uint64_t>& values, int bits) {
  Bytes out((values.size() * static_cast<std::size_t>(bits) + 7) / 8);
  std::size_t at = 0;
  for (const std::uint64_t value : values) {
    for (int bit = 0; bit < bits; ++bit, ++at) {
      if (value >> bit & 1) out[at / 8] = static_cast<std::uint8_t>(out[at / 8] | 1 << at % 8);
    }
  }
  return out;
}

TEST(Bits, PackedSizeIsTheCeilingOfTheBits) {
  EXPECT_EQ(packed_bytes(0, 13), 0u);
  EXPECT_EQ(packed_bytes(1, 1), 1u);
  EXPECT_EQ(packed_bytes(8, 1), 1u);
  EXPECT_EQ(packed_bytes(9, 1), 2u);
  EXPECT_EQ(packed_bytes(1024, 26), 3328u);
  EXPECT_EQ(packed_bytes(3, 64), 24u);
}

TEST(Bits, KnownAnswer) {
  const std::vector<std::uint64_t> values{0b101, 0b011, 0b110};
  Bytes out(packed_bytes(values.size(), 3));
  pack_bits(values, 3, out);
  // 101 at bits 0..2, 011 at 3..5, 110 at 6..8.
  EXPECT_EQ(out, (Bytes{0b10011101, 0b00000001}));
}

TEST(Bits, EveryWidthAndManyLengthsAgreeWithTheDefinitionAndComeBack) {
  std::mt19937_64 random(1);
  for (int bits = 1; bits <= 64; ++bits) {
    for (std::size_t count = 0; count <= 40; ++count) {
      std::vector<std::uint64_t> values(count);
      for (auto& value : values) value = random();  // high bits set too: they must be ignored
      Bytes packed(packed_bytes(count, bits), 0xaa);
      pack_bits(values, bits, packed);
      ASSERT_EQ(packed, pack_slowly(values, bits)) << bits << " bits, " << count << " values";
      std::vector<std::uint64_t> back(count, ~std::uint64_t{0});
      unpack_bits(packed, bits, back);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(back[i], low_bits(values[i], bits)) << bits << " bits, value " << i << " of " << count;
      }
    }
  }
}

TEST(Bits, ExtremesComeBack) {
  for (int bits = 1; bits <= 64; ++bits) {
    const std::uint64_t top = low_bits(~std::uint64_t{0}, bits);
    const std::vector<std::uint64_t> values{top, 0, top, top, 0, top, std::uint64_t{1} << (bits - 1)};
    Bytes packed(packed_bytes(values.size(), bits));
    pack_bits(values, bits, packed);
    std::vector<std::uint64_t> back(values.size());
    unpack_bits(packed, bits, back);
    EXPECT_EQ(back, values) << bits;
  }
}

TEST(Bits, UnusedBitsOfTheLastByteAreZero) {
  const std::vector<std::uint64_t> ones(3, ~std::uint64_t{0});
  Bytes packed(packed_bytes(3, 5), 0xff);
  pack_bits(ones, 5, packed);
  EXPECT_EQ(packed, (Bytes{0xff, 0x7f}));
}

TEST(Bits, WrongWidthsAndSizesAreRefused) {
  const std::vector<std::uint64_t> values(4);
  std::vector<std::uint64_t> back(4);
  Bytes exact(packed_bytes(4, 9));
  Bytes shorter(exact.size() - 1);
  Bytes longer(exact.size() + 1);
  EXPECT_THROW(pack_bits(values, 9, shorter), Error);
  EXPECT_THROW(pack_bits(values, 9, longer), Error);
  EXPECT_THROW(unpack_bits(shorter, 9, back), Error);
  EXPECT_THROW(unpack_bits(longer, 9, back), Error);
  EXPECT_THROW(pack_bits(values, 0, exact), Error);
  EXPECT_THROW(pack_bits(values, 65, exact), Error);
  EXPECT_THROW(unpack_bits(exact, 0, back), Error);
  EXPECT_THROW(unpack_bits(exact, 65, back), Error);
}

}  // namespace
}  // namespace ap
