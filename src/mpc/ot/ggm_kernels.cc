#include "mpc/ot/ggm_kernels.h"

#include <algorithm>

namespace ap::mpc::kernels {
namespace {

/// Parents hashed at a time: what lies between the passes stays in the first-level cache.
constexpr std::size_t kChunk = 128;

}  // namespace

Block children_plain(const Permutation& pi, Block* nodes, std::size_t width) {
  alignas(64) Block in[kChunk];
  alignas(64) Block out[kChunk];
  Block sum{0, 0};
  for (std::size_t at = 0; at < width; at += kChunk) {
    const std::size_t count = std::min(kChunk, width - at);
    Block* left = nodes + at;
    Block* right = left + width;
    for (std::size_t i = 0; i < count; ++i) in[i] = sigma(left[i]);
    pi.permute(in, out, count);
    for (std::size_t i = 0; i < count; ++i) {
      const Block hash = out[i] ^ in[i];
      sum ^= hash;
      right[i] = left[i] ^ hash;
      left[i] = hash;
    }
  }
  return sum;
}

}  // namespace ap::mpc::kernels
