// Errors drawn with AVX2.
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "analysis/noise/counter_random.h"
#include "analysis/noise/draw_kernels_x86.h"
#include "base/instruction_set.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Only what is defined below is compiled for it.
AP_BEGIN_INSTRUCTION_SET("avx2,fma")
#include "analysis/noise/draw_loops.h"

namespace ap::noise {
namespace {

constexpr std::size_t kHalf = kLanes / 2;

__m256 normal(__m256i word, const NormalPolynomials& table) {
  const __m256 magnitude = _mm256_cvtepi32_ps(_mm256_srli_epi32(word, 1));
  const __m256 p =
      _mm256_min_ps(_mm256_add_ps(magnitude, _mm256_set1_ps(0.5F)), _mm256_set1_ps(2147483520.0F));
  const __m256i bits = _mm256_castps_si256(p);
  const __m256i octave = _mm256_sub_epi32(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(126));
  const __m256i mantissa =
      _mm256_or_si256(_mm256_and_si256(bits, _mm256_set1_epi32(0x7fffff)), _mm256_set1_epi32(0x3f800000));
  const __m256 t = _mm256_sub_ps(_mm256_castsi256_ps(mantissa), _mm256_set1_ps(1.5F));
  const auto coefficient = [&](int k) { return _mm256_i32gather_ps(table.of_power(k).data(), octave, 4); };
  __m256 z = coefficient(NormalPolynomials::kDegree);
  for (int k = NormalPolynomials::kDegree - 1; k >= 0; --k) z = _mm256_fmadd_ps(z, t, coefficient(k));
  return _mm256_xor_ps(z, _mm256_castsi256_ps(_mm256_slli_epi32(word, 31)));
}

__m256i load(const std::uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }

void add_deviations(std::uint64_t key, const float* error_std, std::size_t n, std::int32_t* values) {
  const NormalPolynomials& table = NormalPolynomials::instance();
  const __m256 one = _mm256_set1_ps(1), limit = _mm256_set1_ps(0x1p30F);
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t count = n - i < kLanes ? n - i : kLanes;
    float scales[kLanes] = {};
    std::memcpy(scales, error_std + i, count * sizeof *error_std);
    std::uint32_t normals[kLanes], uniforms[kLanes];
    std::int32_t deviations[kLanes];
    draw_words(second_key(key), i, uniforms);
    __m256 u[2], scale[2];
    int needed = 0;
    for (std::size_t h = 0; h < 2; ++h) {
      const __m256i uniform =
          _mm256_or_si256(_mm256_srli_epi32(load(uniforms + h * kHalf), 8), _mm256_set1_epi32(1));
      u[h] = _mm256_mul_ps(_mm256_cvtepi32_ps(uniform), _mm256_set1_ps(0x1p-24F));
      scale[h] = _mm256_loadu_ps(scales + h * kHalf);
      const __m256 reach = _mm256_mul_ps(scale[h], _mm256_set1_ps(NormalPolynomials::kLargest));
      needed |= _mm256_movemask_ps(_mm256_cmp_ps(_mm256_add_ps(u[h], reach), one, _CMP_GE_OQ)) |
                _mm256_movemask_ps(_mm256_cmp_ps(u[h], reach, _CMP_LT_OQ));
    }
    // Small errors mostly cannot change anything, whatever z.
    if (needed == 0) continue;
    draw_words(key, i, normals);
    for (std::size_t h = 0; h < 2; ++h) {
      __m256 sum = _mm256_fmadd_ps(scale[h], normal(load(normals + h * kHalf), table), u[h]);
      sum = _mm256_max_ps(_mm256_min_ps(sum, limit), _mm256_sub_ps(_mm256_setzero_ps(), limit));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(deviations + h * kHalf),
                          _mm256_cvttps_epi32(_mm256_floor_ps(sum)));
    }
    for (std::size_t k = 0; k < count; ++k) {
      values[i + k] = static_cast<std::int32_t>(static_cast<std::uint32_t>(values[i + k]) +
                                                static_cast<std::uint32_t>(deviations[k]));
    }
  }
}

}  // namespace

const DrawKernels kAvx2Draws = {"avx2", add_deviations, uniform_below, extremes};

}  // namespace ap::noise
AP_END_INSTRUCTION_SET
#endif
