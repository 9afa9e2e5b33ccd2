#if defined(__x86_64__)
#include <immintrin.h>

#include "mpc/core/transpose.h"

namespace ap::mpc::kernels {

// Byte after byte: 64 blocks' bytes in one register, whose bit planes a compare instruction reads off.
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) void slice_lowest_avx512(const Block* blocks,
                                                                                       std::size_t count,
                                                                                       Block* to,
                                                                                       std::size_t stride) {
  constexpr __mmask8 kAll = 0xff;
  const __m512i low_words = _mm512_set_epi64(14, 12, 10, 8, 6, 4, 2, 0);
  alignas(64) std::uint8_t bytes[8][128];
  const std::size_t planes = (count + 7) / 8;
  for (std::size_t i = 0; i < 128; i += 8) {
    const __m512i first = _mm512_loadu_si512(blocks + i), second = _mm512_loadu_si512(blocks + i + 4);
    __m512i low = _mm512_permutex2var_epi64(first, low_words, second);
    for (std::size_t p = 0; p < planes; ++p) {
      _mm512_mask_cvtepi64_storeu_epi8(bytes[p] + i, kAll, low);
      low = _mm512_maskz_srli_epi64(kAll, low, 8);
    }
  }
  for (std::size_t s = 0; s < count; ++s) {
    const __m512i bit = _mm512_set1_epi8(static_cast<char>(1 << (s % 8)));
    const std::uint8_t* plane = bytes[s / 8];
    to[s * stride] = {_mm512_test_epi8_mask(_mm512_load_si512(plane), bit),
                      _mm512_test_epi8_mask(_mm512_load_si512(plane + 64), bit)};
  }
}

}  // namespace ap::mpc::kernels
#endif
