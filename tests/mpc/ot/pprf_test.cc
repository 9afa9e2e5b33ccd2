#include "mpc/ot/pprf.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

class Pprf : public testing::TestWithParam<int> {};

TEST_P(Pprf, AllLeavesButTheHoleAreTheOwners) {
  const int depth = GetParam();
  const std::size_t count = std::size_t{1} << depth;
  Prng prng(test_seed(3));
  for (std::uint32_t hole = 0; hole < count; ++hole) {
    Seed root;
    prng.fill(std::span<std::uint8_t>(root));
    std::vector<SeedPair> pairs(static_cast<std::size_t>(depth));
    std::vector<Seed> keys;
    for (int level = 0; level < depth; ++level) {
      SeedPair& pair = pairs[static_cast<std::size_t>(level)];
      for (Seed& seed : pair) prng.fill(std::span<std::uint8_t>(seed));
      keys.push_back(pair[((hole >> (depth - 1 - level)) & 1) ^ 1]);
    }
    std::vector<Seed> all(count), some(count);
    Bytes corrections(pprf_bytes(1, depth));
    pprf_expand(root, depth, pairs, all, corrections.data());
    pprf_puncture(hole, depth, keys, corrections.data(), some);
    EXPECT_EQ(some[0], Seed{});
    for (std::uint32_t y = 1; y < count; ++y) EXPECT_EQ(some[y], all[y ^ hole]) << hole << " " << y;
    // All leaves differ, so that no string is used for two elements of the field.
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t j = i + 1; j < count; ++j) EXPECT_NE(all[i], all[j]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Depths, Pprf, testing::Values(1, 2, 3, 4, 5, 8));

}  // namespace
}  // namespace ap::mpc
