// AVX-512 kernels for primes below 2^60: eight 64-bit lanes, products put together from 32-bit halves.
//
// The high word of x w' leaves out the carries and the product of the two low halves, so it is up to 2 too
// small and x w mod q comes out in [0, 4q) for every x < 2^64. For primes with (4 log2 n + 1) q <= 2^64 the
// forward transform lets values grow by 4q a stage and reduces only at the end.
#if defined(__x86_64__)
// GCC 12 takes the undefined pass-through operand inside its own intrinsics for a mistake of the caller.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#define AP_LANES __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw")))
#define AP_LANES_INLINE __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"), always_inline)) inline
#include "ring/ntt_lanes8.h"

namespace ap::ring::kernels {
namespace {

struct Words {
  struct Constants {
    Vec q, two_q, bound, twice_bound, inverse_q;
  };
  AP_LANES_INLINE static Constants constants(std::uint64_t q) {
    // q does not divide 2^64, so floor((2^64 - 1) / q) is floor(2^64 / q).
    return {set1(q), set1(2 * q), set1(4 * q), set1(8 * q), set1(~std::uint64_t{0} / q)};
  }
  AP_LANES_INLINE static Vec high(Vec a, Vec b) {
    const Vec a_high = _mm512_srli_epi64(a, 32), b_high = _mm512_srli_epi64(b, 32);
    const Vec cross = add(_mm512_srli_epi64(_mm512_mul_epu32(a_high, b), 32),
                          _mm512_srli_epi64(_mm512_mul_epu32(a, b_high), 32));
    return add(_mm512_mul_epu32(a_high, b_high), cross);
  }
  AP_LANES_INLINE static Vec multiply(Vec sum, Vec x, Vec w, Vec w_quotient, const Constants& c) {
    return sub(add(sum, _mm512_mullo_epi64(x, w)), _mm512_mullo_epi64(high(x, w_quotient), c.q));
  }
  AP_LANES_INLINE static Vec clean(Vec x, const Constants&) { return x; }
  AP_LANES_INLINE static Vec barrett(Vec x, const Constants& c) {
    return sub(x, _mm512_mullo_epi64(high(x, c.inverse_q), c.q));
  }
  AP_LANES_INLINE static Vec finish(Vec x, const Constants& c) { return below(below(x, c.two_q), c.q); }
};

}  // namespace

void forward_avx512_64(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  const auto bound = static_cast<std::uint64_t>(4 * std::countr_zero(n) + 1);
  if (q.value() <= ~std::uint64_t{0} / bound) {
    forward_body<Words, true>(x, n, q, roots);
  } else {
    forward_body<Words, false>(x, n, q, roots);
  }
}

void inverse_avx512_64(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  inverse_body<Words, true>(x, n, q, roots);
}

AP_LANES void multiply_add_avx512_64(const std::uint64_t* const* x, const std::uint64_t* const* y,
                                     std::size_t count, std::uint64_t* sum, std::size_t n,
                                     const Modulus& modulus) {
  const Words::Constants c = Words::constants(modulus.value());
  // Halves of 30 bits: sixteen of their products stay below 2^64.
  const Vec half = set1((std::uint64_t{1} << 30) - 1);
  const std::uint64_t middle = modulus.reduce(std::uint64_t{1} << 30);
  const std::uint64_t top = modulus.reduce(std::uint64_t{1} << 60);
  const Vec w1 = set1(middle), w1_quotient = set1(modulus.shoup(middle));
  const Vec w2 = set1(top), w2_quotient = set1(modulus.shoup(top));
  for (std::size_t j = 0; j < n; j += 8) {
    Vec low = _mm512_setzero_si512(), cross1 = low, cross2 = low, high = low;
    for (std::size_t k = 0; k < count; ++k) {
      const Vec a = load(x[k] + j), b = load(y[k] + j);
      const Vec a0 = _mm512_and_si512(a, half), a1 = _mm512_srli_epi64(a, 30);
      const Vec b0 = _mm512_and_si512(b, half), b1 = _mm512_srli_epi64(b, 30);
      low = add(low, _mm512_mul_epu32(a0, b0));
      cross1 = add(cross1, _mm512_mul_epu32(a0, b1));
      cross2 = add(cross2, _mm512_mul_epu32(a1, b0));
      high = add(high, _mm512_mul_epu32(a1, b1));
    }
    // Four values in [0, 4q): their sum is below 16q < 2^64.
    Vec z = Words::multiply(Words::barrett(low, c), cross1, w1, w1_quotient, c);
    z = Words::multiply(z, cross2, w1, w1_quotient, c);
    z = Words::multiply(z, high, w2, w2_quotient, c);
    z = Words::finish(below(below(z, c.twice_bound), c.bound), c);
    store(sum + j, below(add(z, load(sum + j)), c.q));
  }
}

}  // namespace ap::ring::kernels
#endif
