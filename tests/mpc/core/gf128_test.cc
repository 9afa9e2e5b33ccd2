#include "mpc/core/gf128.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/cpu.h"
#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

std::vector<Block> random_blocks(std::size_t count, std::uint8_t seed) {
  std::vector<Block> blocks(count);
  Prng prng(test_seed(seed));
  prng.fill(std::span(reinterpret_cast<std::uint8_t*>(blocks.data()), count * sizeof(Block)));
  return blocks;
}

/// Bit by bit.
Block multiply_by_definition(const Block& a, const Block& b) {
  Block product{0, 0};
  Block shifted = a;
  for (int i = 0; i < 128; ++i) {
    product ^= shifted & mask_of(((i < 64 ? b.lo : b.hi) >> (i % 64)) & 1);
    const std::uint64_t carry = shifted.hi >> 63;
    shifted = {(shifted.lo << 1) ^ (0x87 & (0 - carry)), (shifted.hi << 1) | (shifted.lo >> 63)};
  }
  return product;
}

TEST(Gf128, PlainProductsAreThoseOfTheDefinition) {
  std::vector<Block> v = random_blocks(100, 8);
  const std::uint64_t ones = ~std::uint64_t{0}, high = std::uint64_t{1} << 63;
  for (const Block& edge :
       {Block{ones, ones}, Block{0, 0}, Block{ones, 0}, Block{0, ones}, Block{1, 0}, Block{0, high}}) {
    v.push_back(edge);
  }
  for (const Block& a : v) {
    for (const Block& b : v) ASSERT_EQ(kernels::gf_multiply_plain(a, b), multiply_by_definition(a, b));
  }
}

TEST(Gf128, KnownProducts) {
  // Powers of x, across the reduction: x^127 x = x^7 + x^2 + x + 1, x^64 x^64 the same, x^127 x^127 = x^126
  // (x^7 + x^2 + x + 1).
  const Block one{1, 0}, x{2, 0}, x64{0, 1}, x127{0, std::uint64_t{1} << 63};
  EXPECT_EQ(kernels::gf_multiply_plain(x127, one), x127);
  EXPECT_EQ(kernels::gf_multiply_plain(x127, x), (Block{0x87, 0}));
  EXPECT_EQ(kernels::gf_multiply_plain(x64, x64), (Block{0x87, 0}));
  Block expected{0x87, 0};
  for (int i = 0; i < 126; ++i) expected = kernels::gf_multiply_plain(expected, x);
  EXPECT_EQ(kernels::gf_multiply_plain(x127, x127), expected);
  // Fermat: a^(2^128) = a, and no smaller power of two does for an element outside subfields.
  const Block a = random_blocks(1, 1)[0];
  Block power = a;
  for (int i = 0; i < 128; ++i) {
    power = kernels::gf_multiply_plain(power, power);
    EXPECT_EQ(power == a, i == 127) << i;
  }
}

TEST(Gf128, ProductsAreARing) {
  const std::vector<Block> v = random_blocks(60, 2);
  for (std::size_t i = 0; i + 2 < v.size(); i += 3) {
    EXPECT_EQ(gf_multiply(v[i], v[i + 1]), gf_multiply(v[i + 1], v[i]));
    EXPECT_EQ(gf_multiply(v[i], v[i + 1] ^ v[i + 2]),
              gf_multiply(v[i], v[i + 1]) ^ gf_multiply(v[i], v[i + 2]));
    EXPECT_EQ(gf_multiply(gf_multiply(v[i], v[i + 1]), v[i + 2]),
              gf_multiply(v[i], gf_multiply(v[i + 1], v[i + 2])));
  }
}

TEST(Gf128, PowersByBitsAreRepeatedProducts) {
  const Block x = random_blocks(1, 3)[0];
  Block power{1, 0};
  for (std::uint32_t e = 0; e < 70; ++e) {
    EXPECT_EQ(gf_power(x, e, 7), power) << e;
    EXPECT_EQ(gf_power(x, e, 12), power) << e;
    power = gf_multiply(power, x);
  }
}

TEST(Gf128, KernelsAgreeWithTheirPlainTwins) {
  std::vector<Block> v = random_blocks(4096, 4);
  v[0] = {~std::uint64_t{0}, ~std::uint64_t{0}};
  v[1] = {0, 0};
  v[2] = {0, ~std::uint64_t{0}};
  for (std::size_t count : {0, 1, 2, 3, 4, 7, 8, 9, 31, 63, 64, 65, 72, 100, 127, 128, 129, 511, 512, 4096}) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{1000}}) {
      const GfPowers x(v[at]);
      const Block expected = kernels::gf_hash_plain(v.data(), count, x);
      if (count <= 200) {
        Block horner{0, 0};
        for (std::size_t i = 0; i < count; ++i) horner = multiply_by_definition(horner, v[at]) ^ v[i];
        EXPECT_EQ(expected, horner) << count;
      }
#if defined(__x86_64__)
      if (cpu().clmul) {
        EXPECT_EQ(kernels::gf_hash_clmul(v.data(), count, x), expected) << count;
      }
      if (cpu().vclmul) {
        EXPECT_EQ(kernels::gf_hash_vclmul(v.data(), count, x), expected) << count;
      }
#endif
      EXPECT_EQ(gf_hash(v.data(), count, v[at]), expected);
    }
  }
#if defined(__x86_64__)
  if (!cpu().clmul) return;
  for (std::size_t i = 0; i + 1 < 200; ++i) {
    EXPECT_EQ(kernels::gf_multiply_clmul(v[i], v[i + 1]), kernels::gf_multiply_plain(v[i], v[i + 1]));
  }
#endif
}

TEST(Gf128, TheTableHoldsThePowers) {
  const Block x = random_blocks(1, 7)[0];
  const GfPowers powers(x);
  Block power{1, 0};
  for (std::size_t i = GfPowers::kCount; i-- > 0;) {
    EXPECT_EQ(powers.falling[i], power);
    EXPECT_EQ(powers.folded[i], (Block{power.lo ^ power.hi, power.lo ^ power.hi}));
    power = kernels::gf_multiply_plain(power, x);
  }
  EXPECT_EQ(powers.next, power);
}

TEST(Gf128, TheHashIsThePolynomial) {
  const std::vector<Block> v = random_blocks(5, 5);
  const Block x = random_blocks(1, 6)[0];
  Block expected{0, 0};
  for (std::uint32_t i = 0; i < 5; ++i) expected ^= gf_multiply(v[i], gf_power(x, 4 - i, 3));
  EXPECT_EQ(gf_hash(v.data(), v.size(), x), expected);
}

}  // namespace
}  // namespace ap::mpc
