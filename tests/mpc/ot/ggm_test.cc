#include "mpc/ot/ggm.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/cpu.h"
#include "mpc/core/hash.h"
#include "mpc/ot/ggm_kernels.h"
#include "random/prng.h"

namespace ap::mpc {
namespace {

Block random_block(Prng& prng) {
  const std::uint64_t lo = prng.next64();
  return {lo, prng.next64()};
}

const Permutation& pi() {
  static const Permutation permutation(Block{11, 12});
  return permutation;
}

/// A leaf from its definition: side i of the index at level i.
Block leaf(const Block& left, const Block& delta, int depth, std::uint32_t index) {
  Block node = index & 1 ? left ^ delta : left;
  for (int level = 1; level < depth; ++level) {
    const Block in = sigma(node);
    Block out;
    kernels::permute_plain(pi().round_keys(), &in, &out, 1);
    const Block hash = out ^ in;
    node = (index >> level) & 1 ? node ^ hash : hash;
  }
  return node;
}

TEST(Ggm, LeavesAndSumsAreThoseOfTheDefinition) {
  Prng prng(Seed{1});
  for (const int depth : {1, 2, 3, 8, 9}) {
    const Block left = random_block(prng);
    const Block delta = random_block(prng);
    std::vector<Block> sums(static_cast<std::size_t>(depth));
    std::vector<Block> leaves(std::size_t{1} << depth);
    ggm_expand(pi(), left, delta, depth, sums.data(), leaves.data());
    for (std::uint32_t i = 0; i < leaves.size(); ++i) ASSERT_EQ(leaves[i], leaf(left, delta, depth, i));
    for (int level = 0; level < depth; ++level) {
      Block sum{0, 0};
      Block all{0, 0};
      for (std::uint32_t i = 0; i < std::uint32_t{2} << level; ++i) {
        const Block node = leaf(left, delta, level + 1, i);
        all ^= node;
        if ((i >> level & 1) == 0) sum ^= node;
      }
      EXPECT_EQ(sums[static_cast<std::size_t>(level)], sum);
      EXPECT_EQ(all, delta);
    }
  }
}

#if defined(__x86_64__)
TEST(Ggm, KernelsAgree) {
  if (!cpu().vaes) GTEST_SKIP() << "no VAES";
  Prng prng(Seed{3});
  for (const std::size_t width : {4, 8, 28, 32, 36, 64, 256, 2048}) {
    std::vector<Block> plain(2 * width);
    for (Block& node : plain) node = random_block(prng);
    plain[0] = {0, 0};
    plain[1] = {~std::uint64_t{0}, ~std::uint64_t{0}};
    std::vector<Block> fast = plain;
    EXPECT_EQ(kernels::children_vaes(pi(), fast.data(), width),
              kernels::children_plain(pi(), plain.data(), width));
    EXPECT_EQ(fast, plain) << width;
  }
}

#endif

TEST(Ggm, PuncturedTreeDiffersByDeltaAtOneLeaf) {
  Prng prng(Seed{2});
  for (const int depth : {1, 2, 5, 9, 12}) {
    for (int trial = 0; trial < 20; ++trial) {
      const Block left = random_block(prng);
      const Block delta = random_block(prng);
      const std::size_t count = std::size_t{1} << depth;
      std::vector<Block> sums(static_cast<std::size_t>(depth));
      std::vector<Block> full(count);
      std::vector<Block> punctured(count);
      ggm_expand(pi(), left, delta, depth, sums.data(), full.data());
      const auto sides = static_cast<std::uint32_t>(prng.next64() & (count - 1));
      for (int level = 0; level < depth; ++level) {
        if ((sides >> level) & 1) sums[static_cast<std::size_t>(level)] ^= delta;
      }
      ggm_puncture(pi(), sides, sums.data(), depth, punctured.data());
      for (std::size_t i = 0; i < count; ++i) {
        const bool here = i == (~std::uint64_t{sides} & (count - 1));
        ASSERT_EQ(punctured[i], here ? full[i] ^ delta : full[i]) << depth << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace ap::mpc
