#include "mpc/ot/ggm.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/instruction_set.h"
#include "mpc/ot/ggm_kernels.h"

namespace ap::mpc {
namespace {

/// Turns the `width` nodes at `nodes` into their 2 width children; returns the XOR of the left ones.
Block expand_level(const Permutation& pi, Block* nodes, std::size_t width) {
#if defined(__x86_64__)
  if (cpu().vaes && width >= kernels::kChildrenBlocks) return kernels::children_vaes(pi, nodes, width);
#endif
  return kernels::children_plain(pi, nodes, width);
}

/// nodes[i] = (nodes[i] & keep) ^ (i == index ? value : 0), by a pass over all of them; the loop is
/// vectorised for the caller's instruction set.
inline __attribute__((always_inline)) void mask_and_xor_at(Block* nodes, std::size_t count, const Block& keep,
                                                           std::uint64_t index, const Block& value) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t here = 0 - static_cast<std::uint64_t>(i == index);
    nodes[i].lo = (nodes[i].lo & keep.lo) ^ (value.lo & here);
    nodes[i].hi = (nodes[i].hi & keep.hi) ^ (value.hi & here);
  }
}

void mask_and_xor_at_plain(Block* nodes, std::size_t count, const Block& keep, std::uint64_t index,
                           const Block& value) {
  mask_and_xor_at(nodes, count, keep, index, value);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void mask_and_xor_at_avx2(Block* nodes, std::size_t count, const Block& keep,
                                                          std::uint64_t index, const Block& value) {
  mask_and_xor_at(nodes, count, keep, index, value);
}

__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl" AP_WHOLE_512))) void mask_and_xor_at_avx512(
    Block* nodes, std::size_t count, const Block& keep, std::uint64_t index, const Block& value) {
  mask_and_xor_at(nodes, count, keep, index, value);
}
#endif

Block choose(std::uint64_t bit, const Block& zero, const Block& one) {
  return zero ^ ((zero ^ one) & mask_of(bit));
}

}  // namespace

void ggm_expand(const Permutation& pi, const Block& left, const Block& delta, int depth, Block* left_sums,
                Block* leaves) {
  AP_ASSERT(depth >= 1 && depth <= kMaxGgmDepth);
  leaves[0] = left;
  leaves[1] = left ^ delta;
  left_sums[0] = left;
  for (int level = 1; level < depth; ++level)
    left_sums[level] = expand_level(pi, leaves, std::size_t{1} << level);
}

void ggm_puncture(const Permutation& pi, std::uint32_t sides, const Block* sums, int depth, Block* leaves,
                  const Block& keep, const Block& at_path) {
  AP_ASSERT(depth >= 1 && depth <= kMaxGgmDepth);
  static const auto mask_and_xor = [] {
#if defined(__x86_64__)
    if (cpu().avx512) return mask_and_xor_at_avx512;
    if (cpu().avx2) return mask_and_xor_at_avx2;
#endif
    return mask_and_xor_at_plain;
  }();
  constexpr Block kAll{~std::uint64_t{0}, ~std::uint64_t{0}};
  const Block nothing{0, 0};
  const Block hash_of_zero = [&] {
    Block node[2] = {{0, 0}, {0, 0}};
    return expand_level(pi, node, 1);
  }();
  // The node on the path is unknown and kept as zero; both its children come out as the hash of zero, which
  // is then taken away again.
  const std::uint64_t first = sides & 1;
  leaves[0] = choose(first, sums[0], nothing);
  leaves[1] = choose(first, nothing, sums[0]);
  std::uint64_t path = 1 - first;
  Block total = sums[0];
  for (int level = 1; level < depth; ++level) {
    const std::size_t width = std::size_t{1} << level;
    const std::uint64_t side = (sides >> level) & 1;
    // The right children sum to the left ones plus the parents.
    const Block left_sum = expand_level(pi, leaves, width) ^ hash_of_zero;
    const Block right_sum = left_sum ^ total;
    const Block companion = sums[level] ^ choose(side, left_sum, right_sum);
    mask_and_xor(leaves, width, kAll, path, hash_of_zero ^ choose(side, companion, nothing));
    mask_and_xor(leaves + width, width, kAll, path, hash_of_zero ^ choose(side, nothing, companion));
    total ^= companion;
    path |= (1 - side) << level;
  }
  mask_and_xor(leaves, std::size_t{1} << depth, keep, path, (total & keep) ^ at_path);
}

}  // namespace ap::mpc
