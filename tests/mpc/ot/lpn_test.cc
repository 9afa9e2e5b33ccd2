#include "mpc/ot/lpn.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "base/cpu.h"
#include "base/memory.h"
#include "mpc/ot/lpn_kernels.h"
#include "random/prng.h"

namespace ap::mpc {
namespace {

TEST(Lpn, EncodingIsThatOfThePlainRows) {
  Prng prng(Seed{1});
  for (const std::size_t k : {std::size_t{1000}, kSmallLpn.k, kLargeLpn.k}) {
    std::vector<Block> secret(k);
    for (Block& u : secret) u = {prng.next64(), prng.next64()};
    for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{649728}, std::uint64_t{1} << 34}) {
      std::vector<Block> rows(150);
      for (Block& row : rows) row = {prng.next64(), prng.next64()};
      std::vector<Block> encoded = rows;
      lpn_encode(secret, first, encoded);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::array<std::uint32_t, kLpnWeight> indices;
        lpn_row(k, first + i, indices);
        Block expected = rows[i];
        for (const std::uint32_t index : indices) {
          ASSERT_LT(index, k);
          expected ^= secret[index];
        }
        ASSERT_EQ(encoded[i], expected);
      }
    }
  }
}

#if defined(__x86_64__)
TEST(Lpn, KernelsAgree) {
  if (!cpu().avx512) GTEST_SKIP() << "no AVX-512";
  Prng prng(Seed{2});
  for (const std::size_t k : {std::size_t{1}, std::size_t{7}, kSmallLpn.k}) {
    AlignedVector<Block> secret(k);
    for (Block& u : secret) u = {prng.next64(), prng.next64()};
    for (std::size_t count = 2; count <= 64; count += 2) {
      AlignedVector<Block> numbers(count / 2 * 5);
      for (Block& n : numbers) n = {prng.next64(), prng.next64()};
      numbers.front() = {0, 0};
      numbers.back() = {~std::uint64_t{0}, ~std::uint64_t{0}};
      AlignedVector<Block> plain(count);
      for (Block& row : plain) row = {prng.next64(), prng.next64()};
      AlignedVector<Block> fast = plain;
      kernels::lpn_rows_plain(secret, numbers.data(), plain);
      kernels::lpn_rows_avx512(secret, numbers.data(), fast);
      ASSERT_EQ(fast, plain) << count << " rows of " << k;
    }
  }
}

#endif

TEST(Lpn, IndicesAreUniform) {
  constexpr std::size_t kBuckets = 16;
  std::array<double, kBuckets> counts{};
  constexpr std::size_t kRows = 20000;
  for (std::uint64_t row = 0; row < kRows; ++row) {
    std::array<std::uint32_t, kLpnWeight> indices;
    lpn_row(kLargeLpn.k, row, indices);
    for (const std::uint32_t index : indices) ++counts[index * kBuckets / kLargeLpn.k];
  }
  const double mean = static_cast<double>(kRows * kLpnWeight) / kBuckets;
  for (const double count : counts) EXPECT_LT(std::abs(count - mean), 6 * std::sqrt(mean));
}

TEST(Lpn, SetsInForceTake128BitsByEveryAttack) {
  EXPECT_EQ(kSmallLpn.n(), 649728u);
  EXPECT_EQ(kLargeLpn.n(), 10268672u);
  for (const NamedLpn& set : kLpnSets) {
    for (const security::LpnAttack& attack : security::lpn_attacks(lpn_instance(set.parameters))) {
      EXPECT_GE(attack.bits, 128) << set.name << " " << attack.name;
    }
  }
  EXPECT_GE(lpn_bits(), 131);
  EXPECT_LT(lpn_bits(), 133);
}

}  // namespace
}  // namespace ap::mpc
