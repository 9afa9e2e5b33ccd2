// AVX-512 kernels for primes below 2^30: sixteen 32-bit lanes.
//
// The caller's words have 64 bits. The first forward pass narrows them and leaves each quarter of the
// polynomial in the first half of its own memory; the last pass over sixteen values widens them again, from
// the end of a quarter to its beginning, so that nothing is overwritten before it is read and no copy of a
// secret is made. The inverse goes the other way.
//
// x w mod q lazily is lo(x w) - lo(hi(x w') q), in [0, 2q) for every x < 2^32; hi takes one product for the
// even and one for the odd lanes. kWide: q is so small that the forward transform never reduces between
// stages.
#if defined(__x86_64__)
// GCC 12 takes the undefined pass-through operand inside its own intrinsics for a mistake of the caller.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#include <array>
#include <bit>

#include "ring/ntt_kernels.h"

#define AP_AVX512 __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw")))
#define AP_AVX512_INLINE __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"), always_inline)) inline

namespace ap::ring::kernels {
namespace {

using Vec = __m512i;

// Blocks of 32 values that go through the stages inside registers together.
constexpr std::size_t kTogether = 4;
#define AP_EACH(i) _Pragma("GCC unroll 4") for (std::size_t i = 0; i < kTogether; ++i)

AP_AVX512_INLINE Vec set1(std::uint64_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
AP_AVX512_INLINE Vec load(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
AP_AVX512_INLINE Vec add(Vec a, Vec b) { return _mm512_add_epi32(a, b); }
AP_AVX512_INLINE Vec sub(Vec a, Vec b) { return _mm512_sub_epi32(a, b); }
AP_AVX512_INLINE Vec below(Vec x, Vec limit) { return _mm512_min_epu32(x, sub(x, limit)); }
AP_AVX512_INLINE Vec odd_lanes(Vec x) { return _mm512_shuffle_epi32(x, static_cast<_MM_PERM_ENUM>(0xf5)); }

// Words of 32 bits inside the caller's words of 64: `index` counts the narrow ones.
AP_AVX512_INLINE Vec load_narrow(const std::uint64_t* p, std::size_t index) {
  return _mm512_loadu_si512(reinterpret_cast<const char*>(p) + 4 * index);
}
AP_AVX512_INLINE void store_narrow(std::uint64_t* p, std::size_t index, Vec x) {
  _mm512_storeu_si512(reinterpret_cast<char*>(p) + 4 * index, x);
}
AP_AVX512_INLINE Vec narrow(const std::uint64_t* p) {
  const Vec even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_epi32(_mm512_loadu_si512(p), even, _mm512_loadu_si512(p + 8));
}
AP_AVX512_INLINE void widen(std::uint64_t* p, Vec x) {
  _mm512_storeu_si512(p, _mm512_cvtepu32_epi64(_mm512_castsi512_si256(x)));
  _mm512_storeu_si512(p + 8, _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(x, 1)));
}

// A root in every lane, its quotient, and the quotient with the odd lanes moved to the even ones.
struct Root {
  Vec w, quotient, quotient_odd;
};
AP_AVX512_INLINE Root root_of(Vec w, Vec quotient) { return {w, quotient, odd_lanes(quotient)}; }
AP_AVX512_INLINE Root one_root(std::uint64_t w, std::uint64_t quotient) {
  return {set1(w), set1(quotient), set1(quotient)};
}
AP_AVX512_INLINE Root one_root(const Roots& roots, std::size_t at) {
  return one_root(std::uint64_t{roots.narrow_root[at]}, std::uint64_t{roots.narrow_quotient[at]});
}
AP_AVX512_INLINE Root spread_root(const Roots& roots, std::size_t at, Vec lanes) {
  return root_of(_mm512_permutexvar_epi32(lanes, load(&roots.narrow_root[at])),
                 _mm512_permutexvar_epi32(lanes, load(&roots.narrow_quotient[at])));
}
AP_AVX512_INLINE Root all_roots(const Roots& roots, std::size_t at) {
  return root_of(load(&roots.narrow_root[at]), load(&roots.narrow_quotient[at]));
}

struct Constants {
  Vec q, two_q, four_q, inverse_q;
};
AP_AVX512_INLINE Constants constants(std::uint64_t q) {
  return {set1(q), set1(2 * q), set1(4 * q), set1((std::uint64_t{1} << 32) / q)};
}

AP_AVX512_INLINE Vec high(Vec x, Vec quotient, Vec quotient_odd) {
  const Vec even = _mm512_mul_epu32(x, quotient), odd = _mm512_mul_epu32(odd_lanes(x), quotient_odd);
  return _mm512_mask_shuffle_epi32(odd, 0x5555, even, static_cast<_MM_PERM_ENUM>(0xf5));
}
AP_AVX512_INLINE Vec multiply(Vec x, const Root& r, Vec q) {
  return sub(_mm512_mullo_epi32(x, r.w), _mm512_mullo_epi32(high(x, r.quotient, r.quotient_odd), q));
}

// (x, y) -> (x + w y, x - w y).
template <bool kWide>
AP_AVX512_INLINE void forward_butterfly(Vec& x, Vec& y, const Root& r, const Constants& c) {
  if constexpr (!kWide) x = below(x, c.two_q);
  const Vec product = multiply(y, r, c.q);
  y = sub(add(x, c.two_q), product);
  x = add(x, product);
}
template <bool kWide>
AP_AVX512_INLINE void forward_quad(Vec& x0, Vec& x1, Vec& x2, Vec& x3, const Root* r, const Constants& c) {
  forward_butterfly<kWide>(x0, x2, r[0], c);
  forward_butterfly<kWide>(x1, x3, r[0], c);
  forward_butterfly<kWide>(x0, x1, r[1], c);
  forward_butterfly<kWide>(x2, x3, r[2], c);
}
template <bool kWide>
AP_AVX512_INLINE Vec forward_reduce(Vec x, const Constants& c) {
  if constexpr (kWide) {
    x = sub(x, _mm512_mullo_epi32(high(x, c.inverse_q, c.inverse_q), c.q));
  } else {
    x = below(x, c.two_q);
  }
  return below(x, c.q);
}

// Lanes of the roots of 2, 4 and 8 groups, and the order of two registers after the shuffles below.
AP_AVX512_INLINE Vec two_groups() {
  return _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
}
AP_AVX512_INLINE Vec four_groups() {
  return _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 1, 1, 1, 1, 3, 3, 3, 3);
}
AP_AVX512_INLINE Vec eight_groups() {
  return _mm512_setr_epi32(0, 0, 1, 1, 4, 4, 5, 5, 2, 2, 3, 3, 6, 6, 7, 7);
}
// Lane that holds value 2 i (first register) or 2 i + 1 (second) of the last distance.
constexpr std::array<int, 16> kPlace = {0, 2, 1, 3, 8, 10, 9, 11, 4, 6, 5, 7, 12, 14, 13, 15};

// Of each 128 bits, words 0 and 2 (1 and 3) of x and then of y.
AP_AVX512_INLINE Vec even_words(Vec x, Vec y) {
  return _mm512_castps_si512(_mm512_shuffle_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(y), 0x88));
}
AP_AVX512_INLINE Vec odd_words(Vec x, Vec y) {
  return _mm512_castps_si512(_mm512_shuffle_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(y), 0xdd));
}

// Values 8k to 8k + 7 of the 32 in a (even ones) and b (odd ones), widened.
template <int k>
AP_AVX512_INLINE void store_natural(std::uint64_t* out, Vec a, Vec b) {
  constexpr const int* p = kPlace.data() + 4 * k;
  const Vec lanes = _mm512_setr_epi32(p[0], 0, p[0] + 16, 0, p[1], 0, p[1] + 16, 0, p[2], 0, p[2] + 16, 0,
                                      p[3], 0, p[3] + 16, 0);
  _mm512_storeu_si512(out + 8 * k, _mm512_maskz_permutex2var_epi32(0x5555, a, lanes, b));
}

// Distances 8, 4, 2 and 1 on kTogether times 32 values; `at` is the index of the first root of distance 16.
// Chains of so many steps need several side by side to keep the multipliers busy.
template <bool kWide>
AP_AVX512_INLINE void forward_tail(Vec* a, Vec* b, std::uint64_t* out, std::size_t at, const Roots& roots,
                                   const Constants& c) {
  Vec x[kTogether], y[kTogether];
  AP_EACH(i) {
    x[i] = _mm512_shuffle_i64x2(a[i], b[i], 0x44);
    y[i] = _mm512_shuffle_i64x2(a[i], b[i], 0xee);
    forward_butterfly<kWide>(x[i], y[i], spread_root(roots, 2 * (at + i), two_groups()), c);
  }
  AP_EACH(i) {
    a[i] = _mm512_shuffle_i64x2(x[i], y[i], 0x88);
    b[i] = _mm512_shuffle_i64x2(x[i], y[i], 0xdd);
    forward_butterfly<kWide>(a[i], b[i], spread_root(roots, 4 * (at + i), four_groups()), c);
  }
  AP_EACH(i) {
    x[i] = _mm512_unpacklo_epi64(a[i], b[i]);
    y[i] = _mm512_unpackhi_epi64(a[i], b[i]);
    forward_butterfly<kWide>(x[i], y[i], spread_root(roots, 8 * (at + i), eight_groups()), c);
  }
  AP_EACH(i) {
    a[i] = even_words(x[i], y[i]);
    b[i] = odd_words(x[i], y[i]);
    forward_butterfly<kWide>(a[i], b[i], all_roots(roots, 16 * (at + i)), c);
  }
  AP_EACH(i) {
    a[i] = forward_reduce<kWide>(a[i], c);
    b[i] = forward_reduce<kWide>(b[i], c);
    store_natural<0>(out + 32 * i, a[i], b[i]);
    store_natural<1>(out + 32 * i, a[i], b[i]);
    store_natural<2>(out + 32 * i, a[i], b[i]);
    store_natural<3>(out + 32 * i, a[i], b[i]);
  }
}

template <bool kWide>
AP_AVX512 void forward_body(std::uint64_t* data, std::size_t n, const Modulus& modulus, const Roots& roots) {
  const Constants c = constants(modulus.value());
  const std::size_t part = n / 4;
  {
    const Root quad[] = {one_root(roots, 1), one_root(roots, 2), one_root(roots, 3)};
    for (std::size_t j = 0; j < part; j += 16) {
      std::uint64_t* p = data + j;
      Vec x0 = narrow(p), x1 = narrow(p + part), x2 = narrow(p + 2 * part), x3 = narrow(p + 3 * part);
      forward_quad<kWide>(x0, x1, x2, x3, quad, c);
      store_narrow(data, j, x0);
      store_narrow(data + part, j, x1);
      store_narrow(data + 2 * part, j, x2);
      store_narrow(data + 3 * part, j, x3);
    }
  }
  for (std::size_t k = 0; k < 4; ++k) {
    std::uint64_t* const base = data + k * part;
    std::size_t groups = 1, half = part / 2;  // inside this quarter
    for (; half > 32; groups *= 4, half /= 4) {
      const std::size_t quarter = half / 2;
      for (std::size_t g = 0; g < groups; ++g) {
        const std::size_t at = (4 + k) * groups + g;
        const Root quad[] = {one_root(roots, at), one_root(roots, 2 * at), one_root(roots, 2 * at + 1)};
        std::size_t i = 2 * g * half;
        for (std::size_t j = 0; j < quarter; j += 16, i += 16) {
          Vec x0 = load_narrow(base, i), x1 = load_narrow(base, i + quarter),
              x2 = load_narrow(base, i + half), x3 = load_narrow(base, i + half + quarter);
          forward_quad<kWide>(x0, x1, x2, x3, quad, c);
          store_narrow(base, i, x0);
          store_narrow(base, i + quarter, x1);
          store_narrow(base, i + half, x2);
          store_narrow(base, i + half + quarter, x3);
        }
      }
    }
    // From the end to the beginning.
    for (std::size_t block = part; block > 0;) {
      block -= 32 * kTogether;
      const std::size_t at = (n / 32) + (k * part + block) / 32;
      Vec x[kTogether], y[kTogether];
      AP_EACH(i) {
        x[i] = load_narrow(base, block + 32 * i);
        y[i] = load_narrow(base, block + 32 * i + 16);
      }
      if (half == 32) {
        for (std::size_t i = 0; i < kTogether; i += 2) {
          const Root quad[] = {one_root(roots, (at + i) / 2), one_root(roots, at + i),
                               one_root(roots, at + i + 1)};
          forward_quad<kWide>(x[i], y[i], x[i + 1], y[i + 1], quad, c);
        }
      } else {
        AP_EACH(i) forward_butterfly<kWide>(x[i], y[i], one_root(roots, at + i), c);
      }
      forward_tail<kWide>(x, y, base + block, at, roots, c);
    }
  }
}

// (x, y) -> (x + y, (x - y) w). Both in [0, b q) before, the product in [0, 2q); kReduce brings the sum below
// 2q, otherwise it may reach 2 b q. `offset` is b q.
template <bool kReduce>
AP_AVX512_INLINE void inverse_butterfly(Vec& x, Vec& y, const Root& r, Vec offset, const Constants& c) {
  const Vec difference = sub(add(x, offset), y);
  x = add(x, y);
  if constexpr (kReduce) x = below(x, c.two_q);
  y = multiply(difference, r, c.q);
}

// Two stages on values below 4q (kWide) or 2q; sums of the last pass are multiplied by 1/n.
template <bool kWide, bool kLast>
AP_AVX512_INLINE void inverse_quad(Vec& x0, Vec& x1, Vec& x2, Vec& x3, const Root* r, const Constants& c) {
  const Vec first = kWide ? c.four_q : c.two_q;
  inverse_butterfly<!kWide>(x0, x1, r[1], first, c);
  inverse_butterfly<!kWide>(x2, x3, r[2], first, c);
  const Vec difference = sub(add(x0, kWide ? add(c.four_q, c.four_q) : c.two_q), x2);
  x0 = add(x0, x2);
  x2 = multiply(difference, r[0], c.q);
  const Vec product_difference = sub(add(x1, c.two_q), x3);
  x1 = add(x1, x3);
  x3 = multiply(product_difference, r[0], c.q);
  if constexpr (kLast) {
    x0 = below(multiply(x0, r[3], c.q), c.q);
    x1 = below(multiply(x1, r[3], c.q), c.q);
    x2 = below(x2, c.q);
    x3 = below(x3, c.q);
  } else if constexpr (kWide) {
    x0 = below(below(x0, add(c.four_q, c.four_q)), c.four_q);
  } else {
    x0 = below(x0, c.two_q);
    x1 = below(x1, c.two_q);
  }
}

// Sixteen wide words v to narrow ones: v0 v4 v2 v6, v1 v5 v3 v7, the same of v8 to v15.
AP_AVX512_INLINE Vec even_and_odd(Vec low, Vec high) {
  const Vec lanes = _mm512_setr_epi32(0, 8, 4, 12, 2, 10, 6, 14, 16, 24, 20, 28, 18, 26, 22, 30);
  return _mm512_permutex2var_epi32(low, lanes, high);
}

// Distances 1, 2, 4 and 8 on kTogether times 32 values of `in`, which may then reach 16q (kWide; else 2q).
template <bool kWide>
AP_AVX512_INLINE void inverse_head(const std::uint64_t* in, Vec* a, Vec* b, std::size_t at,
                                   const Roots& roots, const Constants& c) {
  const Vec eight_q = add(c.four_q, c.four_q);
  Vec x[kTogether], y[kTogether];
  AP_EACH(i) {
    // Even values into x, odd ones into y.
    const std::uint64_t* p = in + 32 * i;
    const Vec front = even_and_odd(_mm512_loadu_si512(p), _mm512_loadu_si512(p + 8));
    const Vec back = even_and_odd(_mm512_loadu_si512(p + 16), _mm512_loadu_si512(p + 24));
    x[i] = _mm512_permutex2var_epi64(front, _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13), back);
    y[i] = _mm512_permutex2var_epi64(front, _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15), back);
    inverse_butterfly<!kWide>(x[i], y[i], all_roots(roots, 16 * (at + i)), kWide ? c.q : c.two_q, c);
  }
  AP_EACH(i) {
    a[i] = _mm512_unpacklo_epi32(x[i], y[i]);
    b[i] = _mm512_unpackhi_epi32(x[i], y[i]);
    inverse_butterfly<!kWide>(a[i], b[i], spread_root(roots, 8 * (at + i), eight_groups()), c.two_q, c);
  }
  AP_EACH(i) {
    x[i] = _mm512_unpacklo_epi64(a[i], b[i]);
    y[i] = _mm512_unpackhi_epi64(a[i], b[i]);
    inverse_butterfly<!kWide>(x[i], y[i], spread_root(roots, 4 * (at + i), four_groups()),
                              kWide ? c.four_q : c.two_q, c);
  }
  AP_EACH(i) {
    a[i] = _mm512_permutex2var_epi64(x[i], _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), y[i]);
    b[i] = _mm512_permutex2var_epi64(x[i], _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), y[i]);
    inverse_butterfly<!kWide>(a[i], b[i], spread_root(roots, 2 * (at + i), two_groups()),
                              kWide ? eight_q : c.two_q, c);
    x[i] = _mm512_shuffle_i64x2(a[i], b[i], 0x44);
    y[i] = _mm512_shuffle_i64x2(a[i], b[i], 0xee);
    a[i] = x[i];
    b[i] = y[i];
  }
}

// Values below 16q to values below 4q.
template <bool kWide>
AP_AVX512_INLINE void settle(Vec& x, const Constants& c) {
  if constexpr (kWide) x = below(below(x, add(c.four_q, c.four_q)), c.four_q);
}

template <bool kWide>
AP_AVX512 void inverse_body(std::uint64_t* data, std::size_t n, const Modulus& modulus, const Roots& roots) {
  const Constants c = constants(modulus.value());
  const Vec sixteen_q = set1(16 * modulus.value());
  const std::size_t part = n / 4;
  const bool six = std::countr_zero(n) % 2 == 0;  // stages done in registers: six, or five
  for (std::size_t k = 0; k < 4; ++k) {
    std::uint64_t* const base = data + k * part;
    for (std::size_t block = 0; block < part; block += 32 * kTogether) {
      const std::size_t at = (n / 32) + (k * part + block) / 32;
      Vec x[kTogether], y[kTogether];
      inverse_head<kWide>(base + block, x, y, at, roots, c);
      if (six) {
        for (std::size_t i = 0; i < kTogether; i += 2) {
          const Root quad[] = {one_root(roots, (at + i) / 2), one_root(roots, at + i),
                               one_root(roots, at + i + 1)};
          for (Vec* v : {&x[i], &y[i], &x[i + 1], &y[i + 1]}) settle<kWide>(*v, c);
          inverse_quad<kWide, false>(x[i], y[i], x[i + 1], y[i + 1], quad, c);
        }
      } else {
        AP_EACH(i) {
          inverse_butterfly<!kWide>(x[i], y[i], one_root(roots, at + i), kWide ? sixteen_q : c.two_q, c);
          if constexpr (kWide) x[i] = below(x[i], sixteen_q);
          settle<kWide>(x[i], c);
        }
      }
      AP_EACH(i) {
        store_narrow(base, block + 32 * i, x[i]);
        store_narrow(base, block + 32 * i + 16, y[i]);
      }
    }
    std::size_t groups = part / (six ? 64 : 32);
    for (std::size_t quarter = six ? 64 : 32; quarter < part; quarter *= 4) {
      groups /= 4;
      for (std::size_t g = 0; g < groups; ++g) {
        const std::size_t at = (4 + k) * groups + g;
        const Root quad[] = {one_root(roots, at), one_root(roots, 2 * at), one_root(roots, 2 * at + 1)};
        std::size_t i = 4 * g * quarter;
        for (std::size_t j = 0; j < quarter; j += 16, i += 16) {
          Vec x0 = load_narrow(base, i), x1 = load_narrow(base, i + quarter),
              x2 = load_narrow(base, i + 2 * quarter), x3 = load_narrow(base, i + 3 * quarter);
          inverse_quad<kWide, false>(x0, x1, x2, x3, quad, c);
          store_narrow(base, i, x0);
          store_narrow(base, i + quarter, x1);
          store_narrow(base, i + 2 * quarter, x2);
          store_narrow(base, i + 3 * quarter, x3);
        }
      }
    }
  }
  const Root quad[] = {one_root(roots.last_scaled, roots.last_scaled_quotient), one_root(roots, 2),
                       one_root(roots, 3), one_root(roots.scale, roots.scale_quotient)};
  for (std::size_t j = part; j > 0;) {
    j -= 16;
    Vec x0 = load_narrow(data, j), x1 = load_narrow(data + part, j), x2 = load_narrow(data + 2 * part, j),
        x3 = load_narrow(data + 3 * part, j);
    inverse_quad<kWide, true>(x0, x1, x2, x3, quad, c);
    widen(data + j, x0);
    widen(data + part + j, x1);
    widen(data + 2 * part + j, x2);
    widen(data + 3 * part + j, x3);
  }
}

AP_AVX512_INLINE Vec wide(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
// product - floor(quotient / 2^32) prime, in wide words.
AP_AVX512_INLINE Vec lazily(Vec product, Vec quotient, Vec prime) {
  return _mm512_sub_epi64(product, _mm512_mul_epu32(_mm512_srli_epi64(quotient, 32), prime));
}

}  // namespace

std::size_t avx512_32_order(std::size_t i, std::size_t n) {
  return i < n / 2 ? i : (i & ~std::size_t{15}) + static_cast<std::size_t>(kPlace[i & 15]);
}

void forward_avx512_32(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  const auto bound = static_cast<std::uint64_t>(2 * std::countr_zero(n) + 1);
  if (q.value() <= (std::uint64_t{1} << 32) / bound) {
    forward_body<true>(x, n, q, roots);
  } else {
    forward_body<false>(x, n, q, roots);
  }
}

void inverse_avx512_32(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  if (q.bits() <= 27) {
    inverse_body<true>(x, n, q, roots);
  } else {
    inverse_body<false>(x, n, q, roots);
  }
}

AP_AVX512 void multiply_add_avx512_32(const std::uint64_t* const* x, const std::uint64_t* const* y,
                                      std::size_t count, std::uint64_t* sum, std::size_t n,
                                      const Modulus& modulus) {
  const std::uint64_t q = modulus.value();
  // z = h 2^32 + l: h times (2^32 mod q) by Shoup, l by Barrett, each left in [0, 2q).
  const std::uint64_t power = (std::uint64_t{1} << 32) % q;
  const Vec prime = wide(q), two_q = wide(2 * q), fold = wide(power), fold_quotient = wide((power << 32) / q);
  const Vec inverse_q = wide((std::uint64_t{1} << 32) / q), word = wide(0xffffffff);
  // Four registers at a time: longer runs of each operand suit the prefetchers.
  for (std::size_t j = 0; j < n; j += 8 * kTogether) {
    Vec z[kTogether];
    AP_EACH(i) z[i] = _mm512_setzero_si512();
    for (std::size_t k = 0; k < count; ++k) {
      const std::uint64_t *a = x[k] + j, *b = y[k] + j;
      AP_EACH(i) {
        const Vec product = _mm512_mul_epu32(_mm512_loadu_si512(a + 8 * i), _mm512_loadu_si512(b + 8 * i));
        z[i] = _mm512_add_epi64(z[i], product);
      }
    }
    AP_EACH(i) {
      const Vec h = _mm512_srli_epi64(z[i], 32), l = _mm512_and_si512(z[i], word);
      Vec r = _mm512_add_epi64(lazily(_mm512_mul_epu32(h, fold), _mm512_mul_epu32(h, fold_quotient), prime),
                               lazily(l, _mm512_mul_epu32(l, inverse_q), prime));
      r = below(below(r, two_q), prime);
      std::uint64_t* const to = sum + j + 8 * i;
      _mm512_storeu_si512(to, below(_mm512_add_epi64(r, _mm512_loadu_si512(to)), prime));
    }
  }
}

}  // namespace ap::ring::kernels
#endif
