// One level of a GGM tree (mpc/ot/ggm.h).
#pragma once

#include <cstddef>

#include "mpc/core/hash.h"

namespace ap::mpc::kernels {

/// Replaces nodes x_0 .. x_(width-1) by their children H(x_i) at i and x_i xor H(x_i) at width + i; returns
/// the XOR of the first half.
Block children_plain(const Permutation& pi, Block* nodes, std::size_t width);
#if defined(__x86_64__)
/// What children_vaes takes at a time.
inline constexpr std::size_t kChildrenBlocks = 4;
/// width: a multiple of kChildrenBlocks.
Block children_vaes(const Permutation& pi, Block* nodes, std::size_t width);
#endif

}  // namespace ap::mpc::kernels
