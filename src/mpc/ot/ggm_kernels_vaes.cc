#if defined(__x86_64__)
#include "base/error.h"
#include "mpc/core/aes_registers.h"
#include "mpc/ot/ggm_kernels.h"

namespace ap::mpc::kernels {
namespace {

/// 4 kCount parents.
template <int kCount>
AP_TARGET_VAES inline __attribute__((always_inline)) void children(Block* left, Block* right, __m512i& sum,
                                                                   const __m512i (&k)[kRounds + 1]) {
  const __m512i high_words = _mm512_set_epi64(-1, 0, -1, 0, -1, 0, -1, 0);
  __m512i x[kCount], in[kCount], hash[kCount];
  for (int i = 0; i < kCount; ++i) {
    x[i] = _mm512_loadu_si512(left + 4 * i);
    // sigma: (hi, lo xor hi)
    in[i] = _mm512_xor_si512(_mm512_maskz_shuffle_epi32(0xffff, x[i], _MM_PERM_BADC),
                             _mm512_and_si512(x[i], high_words));
    hash[i] = in[i];
  }
  permute32(hash, k);
  for (int i = 0; i < kCount; ++i) {
    hash[i] = _mm512_xor_si512(hash[i], in[i]);
    sum = _mm512_xor_si512(sum, hash[i]);
    _mm512_storeu_si512(left + 4 * i, hash[i]);
    _mm512_storeu_si512(right + 4 * i, _mm512_xor_si512(x[i], hash[i]));
  }
}

}  // namespace

AP_TARGET_VAES Block children_vaes(const Permutation& pi, Block* nodes, std::size_t width) {
  AP_ASSERT(width % kChildrenBlocks == 0);
  __m512i k[kRounds + 1];
  load_keys(pi.round_keys(), k);
  __m512i sum = _mm512_setzero_si512();
  std::size_t at = 0;
  for (; at + 4 * kRegisters <= width; at += 4 * kRegisters) {
    children<kRegisters>(nodes + at, nodes + width + at, sum, k);
  }
  for (; at < width; at += 4) children<1>(nodes + at, nodes + width + at, sum, k);
  alignas(64) Block parts[4];
  _mm512_store_si512(parts, sum);
  return parts[0] ^ parts[1] ^ parts[2] ^ parts[3];
}

}  // namespace ap::mpc::kernels
#endif
