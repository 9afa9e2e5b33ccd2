// Correlated GGM trees: Guo, Yang, Wang, Zhang, Xie, Liu, Zhao, "Half-Tree: Halving the Cost of Tree
// Expansion in COT and DPF" (eprint 2022/1431), section 4. A node x has the children H(x) and x xor H(x) with
//   H(x) = pi(sigma(x)) xor sigma(x),   pi = AES-128 under a public key (mpc/core/hash.h),
// a circular correlation robust hash in the ideal-permutation model (eprint 2019/074, section 7.3). One
// permutation for each leaf, and since the two nodes of the first level differ by Delta, the nodes of every
// level sum to Delta: the party that lacks one path needs a single block for each level, and its last leaf
// for free.
//
// Bit i of a leaf's index is the side taken at level i, so the children of a level lie in two contiguous
// halves.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mpc/core/hash.h"

namespace ap::mpc {

inline constexpr int kMaxGgmDepth = 20;

/// The whole tree under the first-level nodes `left` and `left` xor `delta`. Writes 2^depth leaves and, for
/// each level, the XOR of its nodes on side 0.
void ggm_expand(const Permutation& pi, const Block& left, const Block& delta, int depth, Block* left_sums,
                Block* leaves);

/// The tree without one path. Bit i of `sides` is the side of level i that leaves the path, sums[i] the XOR
/// of all nodes of level i on that side. Writes 2^depth leaves: the sender's, and at index ~sides (mod
/// 2^depth) the sender's leaf xor Delta; all of them & `keep`, that one xor `at_path`. No branch or address
/// depends on `sides`.
void ggm_puncture(const Permutation& pi, std::uint32_t sides, const Block* sums, int depth, Block* leaves,
                  const Block& keep = {~std::uint64_t{0}, ~std::uint64_t{0}}, const Block& at_path = {0, 0});

}  // namespace ap::mpc
