// AVX2 kernels for primes below 2^30: values are below 4q < 2^32, so one vpmuludq gives a whole product.
#if defined(__x86_64__)
#include <immintrin.h>

#include "ring/ntt_kernels.h"

#define AP_AVX2 __attribute__((target("avx2")))
#define AP_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace ap::ring::kernels {
namespace {

using Vec = __m256i;

AP_AVX2_INLINE Vec set1(std::uint64_t x) { return _mm256_set1_epi64x(static_cast<long long>(x)); }
AP_AVX2_INLINE Vec load(const std::uint64_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const Vec*>(p));
}
AP_AVX2_INLINE void store(std::uint64_t* p, Vec v) { _mm256_storeu_si256(reinterpret_cast<Vec*>(p), v); }
AP_AVX2_INLINE Vec below(Vec x, Vec limit) { return _mm256_min_epu32(x, _mm256_sub_epi32(x, limit)); }
// x w mod q, lazily in [0, 2q), for x < 2^32.
AP_AVX2_INLINE Vec multiply(Vec x, Vec w, Vec w_quotient, Vec q) {
  const Vec quotient = _mm256_srli_epi64(_mm256_mul_epu32(x, w_quotient), 32);
  return _mm256_sub_epi64(_mm256_mul_epu32(x, w), _mm256_mul_epu32(quotient, q));
}
AP_AVX2_INLINE void forward_butterfly(Vec& x, Vec& y, Vec w, Vec w_quotient, Vec q, Vec two_q) {
  const Vec u = below(x, two_q), v = multiply(y, w, w_quotient, q);
  x = _mm256_add_epi64(u, v);
  y = _mm256_sub_epi64(_mm256_add_epi64(u, two_q), v);
}
AP_AVX2_INLINE void inverse_butterfly(Vec& x, Vec& y, Vec w, Vec w_quotient, Vec q, Vec two_q) {
  const Vec difference = _mm256_sub_epi64(_mm256_add_epi64(x, two_q), y);
  x = below(_mm256_add_epi64(x, y), two_q);
  y = multiply(difference, w, w_quotient, q);
}
// Two roots as w0 w0 w1 w1.
AP_AVX2_INLINE Vec spread2(const std::uint64_t* p) {
  const __m128i pair = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_permute4x64_epi64(_mm256_castsi128_si256(pair), 0x50);
}

}  // namespace

AP_AVX2 void forward_avx2(std::uint64_t* x, std::size_t n, const Modulus& modulus, const Roots& roots) {
  const Vec q = set1(modulus.value()), two_q = set1(2 * modulus.value());
  const std::uint64_t* w = roots.root.data();
  const std::uint64_t* wq = roots.quotient.data();
  for (std::size_t groups = 1, half = n / 2; half >= 4; groups *= 2, half /= 2) {
    for (std::size_t g = 0; g < groups; ++g) {
      const Vec root = set1(w[groups + g]), quotient = set1(wq[groups + g]);
      std::uint64_t* p = x + 2 * g * half;
      for (std::size_t j = 0; j < half; j += 4) {
        Vec a = load(p + j), b = load(p + half + j);
        forward_butterfly(a, b, root, quotient, q, two_q);
        store(p + j, a);
        store(p + half + j, b);
      }
    }
  }
  // Distances 2 and 1 in registers.
  for (std::size_t g = 0; g < n / 8; ++g) {
    const Vec a = load(x + 8 * g), b = load(x + 8 * g + 4);
    const std::size_t at = n / 4 + 2 * g;
    Vec low = _mm256_permute2x128_si256(a, b, 0x20), high = _mm256_permute2x128_si256(a, b, 0x31);
    forward_butterfly(low, high, spread2(w + at), spread2(wq + at), q, two_q);
    Vec u = _mm256_unpacklo_epi64(low, high), v = _mm256_unpackhi_epi64(low, high);
    forward_butterfly(u, v, load(w + 2 * at), load(wq + 2 * at), q, two_q);
    u = below(below(u, two_q), q);
    v = below(below(v, two_q), q);
    low = _mm256_unpacklo_epi64(u, v);
    high = _mm256_unpackhi_epi64(u, v);
    store(x + 8 * g, _mm256_permute2x128_si256(low, high, 0x20));
    store(x + 8 * g + 4, _mm256_permute2x128_si256(low, high, 0x31));
  }
}

AP_AVX2 void inverse_avx2(std::uint64_t* x, std::size_t n, const Modulus& modulus, const Roots& roots) {
  const Vec q = set1(modulus.value()), two_q = set1(2 * modulus.value());
  const std::uint64_t* w = roots.root.data();
  const std::uint64_t* wq = roots.quotient.data();
  for (std::size_t g = 0; g < n / 8; ++g) {
    const Vec a = load(x + 8 * g), b = load(x + 8 * g + 4);
    const std::size_t at = n / 4 + 2 * g;
    Vec low = _mm256_permute2x128_si256(a, b, 0x20), high = _mm256_permute2x128_si256(a, b, 0x31);
    Vec u = _mm256_unpacklo_epi64(low, high), v = _mm256_unpackhi_epi64(low, high);
    inverse_butterfly(u, v, load(w + 2 * at), load(wq + 2 * at), q, two_q);
    low = _mm256_unpacklo_epi64(u, v);
    high = _mm256_unpackhi_epi64(u, v);
    inverse_butterfly(low, high, spread2(w + at), spread2(wq + at), q, two_q);
    store(x + 8 * g, _mm256_permute2x128_si256(low, high, 0x20));
    store(x + 8 * g + 4, _mm256_permute2x128_si256(low, high, 0x31));
  }
  for (std::size_t groups = n / 8, half = 4; groups > 1; groups /= 2, half *= 2) {
    for (std::size_t g = 0; g < groups; ++g) {
      const Vec root = set1(w[groups + g]), quotient = set1(wq[groups + g]);
      std::uint64_t* p = x + 2 * g * half;
      for (std::size_t j = 0; j < half; j += 4) {
        Vec a = load(p + j), b = load(p + half + j);
        inverse_butterfly(a, b, root, quotient, q, two_q);
        store(p + j, a);
        store(p + half + j, b);
      }
    }
  }
  const Vec scale = set1(roots.scale), scale_q = set1(roots.scale_quotient);
  const Vec last = set1(roots.last_scaled), last_q = set1(roots.last_scaled_quotient);
  for (std::size_t j = 0; j < n / 2; j += 4) {
    const Vec a = load(x + j), b = load(x + n / 2 + j);
    const Vec difference = _mm256_sub_epi64(_mm256_add_epi64(a, two_q), b);
    store(x + j, below(multiply(_mm256_add_epi64(a, b), scale, scale_q, q), q));
    store(x + n / 2 + j, below(multiply(difference, last, last_q, q), q));
  }
}

}  // namespace ap::ring::kernels
#endif
