// One level of a GGM tree (mpc/ot/ggm.h).
#pragma once

#include <cstddef>

#include "mpc/core/hash.h"

namespace ap::mpc::kernels {

/// What children_vaes takes at a time.
inline constexpr std::size_t kChildrenBlocks = 4;

/// Replaces nodes x_0 .. x_(width-1) by their children H(x_i) at i and x_i xor H(x_i) at width + i; returns
/// the XOR of the first half.
Block children_plain(const Permutation& pi, Block* nodes, std::size_t width);
/// width: a multiple of kChildrenBlocks.
Block children_vaes(const Permutation& pi, Block* nodes, std::size_t width);

}  // namespace ap::mpc::kernels
