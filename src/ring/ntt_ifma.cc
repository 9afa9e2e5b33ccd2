// AVX-512 IFMA kernels: eight 52-bit products an instruction, low and high halves apart.
//
// A lane is meaningful modulo 2^52 only: the multiplier ignores the twelve bits above, so butterflies need no
// mask. x w mod q lazily is lo(x w) - lo(floor(x w' / 2^52) q) = lo(x w) + lo(quotient (2^52 - q)) mod 2^52,
// in [0, 2q) for every x < 2^52. For primes with (2 log2 n + 1) q <= 2^52 the forward transform lets values
// grow by 2q a stage and reduces only at the end; larger primes are reduced to 2q at each stage.
#if defined(__x86_64__)
// GCC 12 takes the undefined pass-through operand inside its own intrinsics for a mistake of the caller.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#include <bit>

#include "ring/ntt_kernels.h"

#define AP_IFMA __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma")))
#define AP_IFMA_INLINE \
  __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma"), always_inline)) inline

namespace ap::ring::kernels {
namespace {

using Vec = __m512i;
constexpr std::uint64_t kMask = (std::uint64_t{1} << 52) - 1;

AP_IFMA_INLINE Vec set1(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
AP_IFMA_INLINE Vec load(const std::uint64_t* p) { return _mm512_loadu_si512(p); }
AP_IFMA_INLINE void store(std::uint64_t* p, Vec v) { _mm512_storeu_si512(p, v); }
AP_IFMA_INLINE Vec add(Vec a, Vec b) { return _mm512_add_epi64(a, b); }
AP_IFMA_INLINE Vec sub(Vec a, Vec b) { return _mm512_sub_epi64(a, b); }
AP_IFMA_INLINE Vec high(Vec sum, Vec a, Vec b) { return _mm512_madd52hi_epu64(sum, a, b); }
AP_IFMA_INLINE Vec low(Vec sum, Vec a, Vec b) { return _mm512_madd52lo_epu64(sum, a, b); }
AP_IFMA_INLINE Vec below(Vec x, Vec limit) { return _mm512_min_epu64(x, sub(x, limit)); }

struct Constants {
  Vec q, two_q, four_q, eight_q, minus_q, mask, zero;
};
AP_IFMA_INLINE Constants constants(std::uint64_t q) {
  return {set1(q),     set1(2 * q),           set1(4 * q), set1(8 * q), set1((std::uint64_t{1} << 52) - q),
          set1(kMask), _mm512_setzero_si512()};
}

// sum + x w - (multiple of q), modulo 2^52; the product part is in [0, 2q).
AP_IFMA_INLINE Vec multiply(Vec sum, Vec x, Vec w, Vec w_quotient, const Constants& c) {
  const Vec quotient = high(c.zero, x, w_quotient);
  return low(low(sum, x, w), quotient, c.minus_q);
}

// (x, y) -> (x + w y, x - w y).
template <bool kGrow>
AP_IFMA_INLINE void forward_butterfly(Vec& x, Vec& y, Vec w, Vec w_quotient, const Constants& c) {
  if constexpr (!kGrow) x = below(_mm512_and_si512(x, c.mask), c.two_q);
  const Vec sum = multiply(x, y, w, w_quotient, c);
  y = sub(add(add(x, x), c.two_q), sum);
  x = sum;
}

template <bool kGrow>
AP_IFMA_INLINE Vec forward_reduce(Vec x, Vec inverse_q, const Constants& c) {
  x = _mm512_and_si512(x, c.mask);
  if constexpr (kGrow) {
    x = _mm512_and_si512(low(x, high(c.zero, x, inverse_q), c.minus_q), c.mask);
  } else {
    x = below(x, c.two_q);
  }
  return below(x, c.q);
}

// Roots of two (four) groups, each repeated over the lanes of its group in the order the tail keeps.
AP_IFMA_INLINE Vec spread2(const std::uint64_t* p) {
  return _mm512_permutexvar_epi64(
      _mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1),
      _mm512_castsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
AP_IFMA_INLINE Vec spread4(const std::uint64_t* p) {
  return _mm512_permutexvar_epi64(
      _mm512_setr_epi64(0, 0, 2, 2, 1, 1, 3, 3),
      _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
}

template <bool kGrow>
AP_IFMA void forward_body(std::uint64_t* data, std::size_t n, const Modulus& modulus, const Roots& roots) {
  const std::uint64_t q = modulus.value();
  const Constants c = constants(q);
  const std::uint64_t* w = roots.root.data();
  const std::uint64_t* wq = roots.quotient.data();
  std::size_t groups = 1, half = n / 2;
  // Stages of distance 16 and more, two in one pass over memory; an odd one first.
  if (std::countr_zero(n) % 2 == 1) {
    const Vec w1 = set1(w[1]), w1q = set1(wq[1]);
    for (std::size_t j = 0; j < half; j += 8) {
      Vec x = load(data + j), y = load(data + half + j);
      forward_butterfly<kGrow>(x, y, w1, w1q, c);
      store(data + j, x);
      store(data + half + j, y);
    }
    groups = 2;
    half /= 2;
  }
  for (; half > 8; groups *= 4, half /= 4) {
    const std::size_t quarter = half / 2;
    for (std::size_t g = 0; g < groups; ++g) {
      const Vec w1 = set1(w[groups + g]), w1q = set1(wq[groups + g]);
      const Vec w2 = set1(w[2 * (groups + g)]), w2q = set1(wq[2 * (groups + g)]);
      const Vec w3 = set1(w[2 * (groups + g) + 1]), w3q = set1(wq[2 * (groups + g) + 1]);
      std::uint64_t* p = data + 2 * g * half;
      for (std::size_t j = 0; j < quarter; j += 8, p += 8) {
        Vec x0 = load(p), x1 = load(p + quarter), x2 = load(p + half), x3 = load(p + half + quarter);
        forward_butterfly<kGrow>(x0, x2, w1, w1q, c);
        forward_butterfly<kGrow>(x1, x3, w1, w1q, c);
        forward_butterfly<kGrow>(x0, x1, w2, w2q, c);
        forward_butterfly<kGrow>(x2, x3, w3, w3q, c);
        store(p, x0);
        store(p + quarter, x1);
        store(p + half, x2);
        store(p + half + quarter, x3);
      }
    }
  }
  // Distances 8, 4, 2 and 1 on sixteen values in two registers.
  const Vec inverse_q = set1((std::uint64_t{1} << 52) / q);
  const Vec first = _mm512_setr_epi64(0, 8, 1, 9, 4, 12, 5, 13),
            second = _mm512_setr_epi64(2, 10, 3, 11, 6, 14, 7, 15);
  for (std::size_t g = 0; g < n / 16; ++g) {
    Vec a = load(data + 16 * g), b = load(data + 16 * g + 8);
    const std::size_t at = n / 16 + g;
    forward_butterfly<kGrow>(a, b, set1(w[at]), set1(wq[at]), c);
    Vec x = _mm512_shuffle_i64x2(a, b, 0x44), y = _mm512_shuffle_i64x2(a, b, 0xee);
    forward_butterfly<kGrow>(x, y, spread2(w + 2 * at), spread2(wq + 2 * at), c);
    a = _mm512_shuffle_i64x2(x, y, 0x88);
    b = _mm512_shuffle_i64x2(x, y, 0xdd);
    forward_butterfly<kGrow>(a, b, spread4(w + 4 * at), spread4(wq + 4 * at), c);
    x = _mm512_unpacklo_epi64(a, b);
    y = _mm512_unpackhi_epi64(a, b);
    forward_butterfly<kGrow>(x, y, load(w + 8 * at), load(wq + 8 * at), c);
    x = forward_reduce<kGrow>(x, inverse_q, c);
    y = forward_reduce<kGrow>(y, inverse_q, c);
    store(data + 16 * g, _mm512_permutex2var_epi64(x, first, y));
    store(data + 16 * g + 8, _mm512_permutex2var_epi64(x, second, y));
  }
}

AP_IFMA_INLINE Vec reduce_sum(Vec x, const Constants& c) {
  return below(_mm512_and_si512(x, c.mask), c.two_q);
}

// (x, y) -> (x + y, (x - y) w), both in [0, 2q) if x and y are.
AP_IFMA_INLINE void inverse_butterfly(Vec& x, Vec& y, Vec w, Vec w_quotient, const Constants& c) {
  const Vec difference = add(sub(x, y), c.two_q);
  x = reduce_sum(add(x, y), c);
  y = multiply(c.zero, difference, w, w_quotient, c);
}

AP_IFMA_INLINE Vec last_product(Vec x, Vec w, Vec w_quotient, const Constants& c) {
  return below(_mm512_and_si512(multiply(c.zero, x, w, w_quotient, c), c.mask), c.q);
}

// Two stages on four vectors; on the last pass the factor 1/n is merged in. kLazy (q < 2^48) leaves the sums
// of the first stage below 4q.
template <bool kLazy, bool kLast>
AP_IFMA_INLINE void inverse_quad(Vec& x0, Vec& x1, Vec& x2, Vec& x3, const Vec* w, const Constants& c) {
  Vec s0 = add(x0, x1), s1 = add(x2, x3);
  const Vec d0 = multiply(c.zero, add(sub(x0, x1), c.two_q), w[2], w[3], c);
  const Vec d1 = multiply(c.zero, add(sub(x2, x3), c.two_q), w[4], w[5], c);
  if constexpr (!kLazy) {
    s0 = reduce_sum(s0, c);
    s1 = reduce_sum(s1, c);
  }
  const Vec s = add(s0, s1), d = add(d0, d1);
  const Vec s_difference = add(sub(s0, s1), kLazy ? c.four_q : c.two_q),
            d_difference = add(sub(d0, d1), c.two_q);
  if constexpr (kLast) {
    x0 = last_product(s, w[6], w[7], c);
    x1 = last_product(d, w[6], w[7], c);
    x2 = last_product(s_difference, w[0], w[1], c);
    x3 = last_product(d_difference, w[0], w[1], c);
  } else {
    x0 = kLazy ? below(below(_mm512_and_si512(s, c.mask), c.four_q), c.two_q) : reduce_sum(s, c);
    x1 = reduce_sum(d, c);
    x2 = multiply(c.zero, s_difference, w[0], w[1], c);
    x3 = multiply(c.zero, d_difference, w[0], w[1], c);
  }
}

template <bool kLazy, bool kLast>
AP_IFMA_INLINE void inverse_pass(std::uint64_t* p, std::size_t quarter, const Vec* w, const Constants& c) {
  for (std::size_t j = 0; j < quarter; j += 8, p += 8) {
    Vec x0 = load(p), x1 = load(p + quarter), x2 = load(p + 2 * quarter), x3 = load(p + 3 * quarter);
    inverse_quad<kLazy, kLast>(x0, x1, x2, x3, w, c);
    store(p, x0);
    store(p + quarter, x1);
    store(p + 2 * quarter, x2);
    store(p + 3 * quarter, x3);
  }
}

template <bool kLazy>
AP_IFMA void inverse_body(std::uint64_t* data, std::size_t n, const Modulus& modulus, const Roots& roots) {
  const Constants c = constants(modulus.value());
  const std::uint64_t* w = roots.root.data();
  const std::uint64_t* wq = roots.quotient.data();
  const Vec scale = set1(roots.scale), scale_q = set1(roots.scale_quotient);
  const Vec last = set1(roots.last_scaled), last_q = set1(roots.last_scaled_quotient);
  const Vec even = _mm512_setr_epi64(0, 2, 8, 10, 4, 6, 12, 14),
            odd = _mm512_setr_epi64(1, 3, 9, 11, 5, 7, 13, 15);
  const Vec front = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11),
            back = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  for (std::size_t g = 0; g < n / 16; ++g) {
    Vec a = load(data + 16 * g), b = load(data + 16 * g + 8);
    const std::size_t at = n / 16 + g;
    Vec x = _mm512_permutex2var_epi64(a, even, b), y = _mm512_permutex2var_epi64(a, odd, b);
    inverse_butterfly(x, y, load(w + 8 * at), load(wq + 8 * at), c);
    a = _mm512_unpacklo_epi64(x, y);
    b = _mm512_unpackhi_epi64(x, y);
    inverse_butterfly(a, b, spread4(w + 4 * at), spread4(wq + 4 * at), c);
    x = _mm512_permutex2var_epi64(a, front, b);
    y = _mm512_permutex2var_epi64(a, back, b);
    inverse_butterfly(x, y, spread2(w + 2 * at), spread2(wq + 2 * at), c);
    a = _mm512_shuffle_i64x2(x, y, 0x44);
    b = _mm512_shuffle_i64x2(x, y, 0xee);
    if (n > 16) {
      inverse_butterfly(a, b, set1(w[at]), set1(wq[at]), c);
    } else {
      const Vec sum = add(a, b), difference = add(sub(a, b), c.two_q);
      a = last_product(sum, scale, scale_q, c);
      b = last_product(difference, last, last_q, c);
    }
    store(data + 16 * g, a);
    store(data + 16 * g + 8, b);
  }
  for (std::size_t groups = n / 64, quarter = 16; groups >= 1; groups /= 4, quarter *= 4) {
    for (std::size_t g = 0; g < groups; ++g) {
      const std::size_t at = groups + g;
      const Vec quad[] = {set1(w[at]),         set1(wq[at]),         set1(w[2 * at]), set1(wq[2 * at]),
                          set1(w[2 * at + 1]), set1(wq[2 * at + 1]), scale,           scale_q};
      if (groups > 1) {
        inverse_pass<kLazy, false>(data + 4 * g * quarter, quarter, quad, c);
      } else {
        const Vec final_quad[] = {last, last_q, quad[2], quad[3], quad[4], quad[5], scale, scale_q};
        inverse_pass<kLazy, true>(data, quarter, final_quad, c);
      }
    }
  }
  if (n > 16 && std::countr_zero(n) % 2 == 1) {
    const std::size_t half = n / 2;
    for (std::size_t j = 0; j < half; j += 8) {
      const Vec x = load(data + j), y = load(data + half + j);
      store(data + j, last_product(add(x, y), scale, scale_q, c));
      store(data + half + j, last_product(add(sub(x, y), c.two_q), last, last_q, c));
    }
  }
}

}  // namespace

std::size_t ifma_order(std::size_t i, std::size_t n) {
  constexpr std::size_t kPlace[] = {0, 1, 4, 5, 2, 3, 6, 7};
  return i < n / 2 ? i : (i & ~std::size_t{7}) + kPlace[i & 7];
}

void forward_ifma(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  const auto bound = static_cast<std::uint64_t>(2 * std::countr_zero(n) + 1);
  if (q.value() <= (std::uint64_t{1} << 52) / bound) {
    forward_body<true>(x, n, q, roots);
  } else {
    forward_body<false>(x, n, q, roots);
  }
}

void inverse_ifma(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  if (q.bits() <= 48) {
    inverse_body<true>(x, n, q, roots);
  } else {
    inverse_body<false>(x, n, q, roots);
  }
}

AP_IFMA void multiply_add_ifma(const std::uint64_t* const* x, const std::uint64_t* const* y,
                               std::size_t count, std::uint64_t* sum, std::size_t n, const Modulus& modulus) {
  const std::uint64_t q = modulus.value();
  const Constants c = constants(q);
  // z = h 2^52 + l with h, l < 2^52 (count <= 16 products below 2^100). h times (2^52 mod q) by Shoup, l by
  // Barrett: each is left in [0, 2q).
  const std::uint64_t power = (kMask % q + 1) % q;
  const Vec fold = set1(power);
  const Vec fold_quotient = set1(static_cast<std::uint64_t>((static_cast<Uint128>(power) << 52) / q));
  const Vec inverse_q = set1((std::uint64_t{1} << 52) / q);
  for (std::size_t j = 0; j < n; j += 8) {
    Vec l = c.zero, h = c.zero;
    for (std::size_t k = 0; k < count; ++k) {
      const Vec a = load(x[k] + j), b = load(y[k] + j);
      l = low(l, a, b);
      h = high(h, a, b);
    }
    h = add(h, _mm512_srli_epi64(l, 52));
    l = _mm512_and_si512(l, c.mask);
    const Vec from_low = low(l, high(c.zero, l, inverse_q), c.minus_q);
    Vec z = _mm512_and_si512(multiply(from_low, h, fold, fold_quotient, c), c.mask);
    z = below(below(z, c.two_q), c.q);
    store(sum + j, below(add(z, load(sum + j)), c.q));
  }
}

}  // namespace ap::ring::kernels
#endif
