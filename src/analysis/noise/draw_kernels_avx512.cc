// Errors drawn with AVX-512.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "analysis/noise/counter_random.h"
#include "analysis/noise/draw_kernels_x86.h"
#include "base/instruction_set.h"

#if defined(__x86_64__)
#include <immintrin.h>

// GCC 12 warns falsely about its own header.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"

// Only what is defined below is compiled for it.
AP_BEGIN_INSTRUCTION_SET("avx512f,avx512bw,avx512dq,avx512vl" AP_WHOLE_512)
#include "analysis/noise/draw_loops.h"

namespace ap::noise {
namespace {

AP_VECTORS_ON_STACK __m512i words(std::uint64_t key, std::size_t first) {
  alignas(64) std::uint32_t words[kLanes];
  draw_words(key, first, words);
  return _mm512_load_si512(words);
}

/// NormalPolynomials with a whole table of coefficients in two registers.
__m512 normal(__m512i word, const __m512 (&table)[NormalPolynomials::kDegree + 1][2]) {
  const __m512 magnitude = _mm512_cvtepi32_ps(_mm512_srli_epi32(word, 1));
  const __m512 p =
      _mm512_min_ps(_mm512_add_ps(magnitude, _mm512_set1_ps(0.5F)), _mm512_set1_ps(2147483520.0F));
  const __m512i bits = _mm512_castps_si512(p);
  const __m512i octave = _mm512_sub_epi32(_mm512_srli_epi32(bits, 23), _mm512_set1_epi32(126));
  const __m512i mantissa =
      _mm512_or_si512(_mm512_and_si512(bits, _mm512_set1_epi32(0x7fffff)), _mm512_set1_epi32(0x3f800000));
  const __m512 t = _mm512_sub_ps(_mm512_castsi512_ps(mantissa), _mm512_set1_ps(1.5F));
  const auto coefficient = [&](int k) { return _mm512_permutex2var_ps(table[k][0], octave, table[k][1]); };
  __m512 z = coefficient(NormalPolynomials::kDegree);
  for (int k = NormalPolynomials::kDegree - 1; k >= 0; --k) z = _mm512_fmadd_ps(z, t, coefficient(k));
  return _mm512_xor_ps(z, _mm512_castsi512_ps(_mm512_slli_epi32(word, 31)));
}

AP_VECTORS_ON_STACK void add_deviations(std::uint64_t key, const float* error_std, std::size_t n,
                                        std::int32_t* values) {
  __m512 table[NormalPolynomials::kDegree + 1][2];
  for (int k = 0; k <= NormalPolynomials::kDegree; ++k) {
    const float* row = NormalPolynomials::instance().of_power(k).data();
    table[k][0] = _mm512_loadu_ps(row);
    table[k][1] = _mm512_loadu_ps(row + 16);
  }
  const __m512 one = _mm512_set1_ps(1), limit = _mm512_set1_ps(0x1p30F);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const auto mask = n - i >= kLanes ? __mmask16{0xffff} : static_cast<__mmask16>((1U << (n - i)) - 1);
    const __m512 scale = _mm512_maskz_loadu_ps(mask, error_std + i);
    const __m512i uniform =
        _mm512_or_si512(_mm512_srli_epi32(words(second_key(key), i), 8), _mm512_set1_epi32(1));
    const __m512 u = _mm512_mul_ps(_mm512_cvtepi32_ps(uniform), _mm512_set1_ps(0x1p-24F));
    // Small errors mostly cannot change anything, whatever z.
    const __m512 reach = _mm512_mul_ps(scale, _mm512_set1_ps(NormalPolynomials::kLargest));
    const __mmask16 needed = _mm512_cmp_ps_mask(_mm512_add_ps(u, reach), one, _CMP_GE_OQ) |
                             _mm512_cmp_ps_mask(u, reach, _CMP_LT_OQ);
    if (needed == 0) continue;
    __m512 sum = _mm512_fmadd_ps(scale, normal(words(key, i), table), u);
    sum = _mm512_max_ps(_mm512_min_ps(sum, limit), _mm512_sub_ps(_mm512_setzero_ps(), limit));
    const __m512i d = _mm512_cvt_roundps_epi32(sum, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    const __m512i v = _mm512_maskz_loadu_epi32(mask, values + i);
    _mm512_mask_storeu_epi32(values + i, mask, _mm512_add_epi32(v, d));
  }
}

}  // namespace

const DrawKernels kAvx512Draws = {"avx512", add_deviations, uniform_below, extremes};

}  // namespace ap::noise
AP_END_INSTRUCTION_SET
#endif
