// The loops of the kernels that hold eight values of 64 bits in a register. An including file defines
// AP_LANES and AP_LANES_INLINE (function attributes with its instruction set) and passes its arithmetic as a
// class A:
//   A::Constants                         made by A::constants(q); its members q, bound and twice_bound are
//                                        vectors of q, b q and 2 b q
//   A::multiply(sum, x, w, w_quotient, c)  sum plus x w lazily, the product in [0, b q)
//   A::clean(x, c)                       x with the bits above the lane's modulus cleared
//   A::barrett(x, c)                     a clean x lazily mod q, in [0, b q)
//   A::finish(x, c)                      from [0, b q) to [0, q)
// Values lie in [0, 2 b q) between forward stages (kGrow: grow by b q a stage) and in [0, b q) between
// inverse ones.
#pragma once

#include <immintrin.h>

#include <bit>

#include "ring/ntt_kernels.h"

namespace ap::ring::kernels {
namespace {

using Vec = __m512i;

// Values of a block that stays in the nearest cache through all its stages (32 KiB).
constexpr std::size_t kCached = 4096;
// Blocks of sixteen values that go through the stages inside registers together.
constexpr std::size_t kTogether = 4;
#define AP_EACH(i, count) _Pragma("GCC unroll 4") for (std::size_t i = 0; i < (count); ++i)

AP_LANES_INLINE Vec set1(std::uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
AP_LANES_INLINE Vec load(const std::uint64_t* p) { return _mm512_loadu_si512(p); }
AP_LANES_INLINE void store(std::uint64_t* p, Vec v) { _mm512_storeu_si512(p, v); }
AP_LANES_INLINE Vec add(Vec a, Vec b) { return _mm512_add_epi64(a, b); }
AP_LANES_INLINE Vec sub(Vec a, Vec b) { return _mm512_sub_epi64(a, b); }
AP_LANES_INLINE Vec below(Vec x, Vec limit) { return _mm512_min_epu64(x, sub(x, limit)); }

// (x, y) -> (x + w y, x - w y).
template <class A, bool kGrow>
AP_LANES_INLINE void forward_butterfly(Vec& x, Vec& y, Vec w, Vec w_quotient,
                                       const typename A::Constants& c) {
  if constexpr (!kGrow) x = below(A::clean(x, c), c.bound);
  const Vec sum = A::multiply(x, y, w, w_quotient, c);
  y = sub(add(add(x, x), c.bound), sum);
  x = sum;
}

template <class A, bool kGrow>
AP_LANES_INLINE Vec forward_reduce(Vec x, const typename A::Constants& c) {
  x = A::clean(x, c);
  return A::finish(kGrow ? A::barrett(x, c) : below(x, c.bound), c);
}

// Roots of two (four) groups, each repeated over the lanes of its group in the order the tail keeps.
AP_LANES_INLINE Vec spread2(const std::uint64_t* p) {
  return _mm512_permutexvar_epi64(
      _mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1),
      _mm512_castsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
AP_LANES_INLINE Vec spread4(const std::uint64_t* p) {
  return _mm512_permutexvar_epi64(
      _mm512_setr_epi64(0, 0, 2, 2, 1, 1, 3, 3),
      _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
}

// Distances 8, 4, 2 and 1 on kBlocks times sixteen values, from block g. Chains of so many steps need several
// side by side to keep the multipliers busy.
template <class A, bool kGrow, std::size_t kBlocks>
AP_LANES_INLINE void forward_tail(std::uint64_t* data, std::size_t n, std::size_t g, const Roots& roots,
                                  const typename A::Constants& c) {
  const std::uint64_t* w = roots.root.data();
  const std::uint64_t* wq = roots.quotient.data();
  std::uint64_t* const p = data + 16 * g;
  const std::size_t at = n / 16 + g;
  Vec a[kBlocks], b[kBlocks], x[kBlocks], y[kBlocks];
  AP_EACH(i, kBlocks) {
    a[i] = load(p + 16 * i), b[i] = load(p + 16 * i + 8);
    forward_butterfly<A, kGrow>(a[i], b[i], set1(w[at + i]), set1(wq[at + i]), c);
  }
  AP_EACH(i, kBlocks) {
    x[i] = _mm512_shuffle_i64x2(a[i], b[i], 0x44), y[i] = _mm512_shuffle_i64x2(a[i], b[i], 0xee);
    forward_butterfly<A, kGrow>(x[i], y[i], spread2(w + 2 * (at + i)), spread2(wq + 2 * (at + i)), c);
  }
  AP_EACH(i, kBlocks) {
    a[i] = _mm512_shuffle_i64x2(x[i], y[i], 0x88), b[i] = _mm512_shuffle_i64x2(x[i], y[i], 0xdd);
    forward_butterfly<A, kGrow>(a[i], b[i], spread4(w + 4 * (at + i)), spread4(wq + 4 * (at + i)), c);
  }
  AP_EACH(i, kBlocks) {
    x[i] = _mm512_unpacklo_epi64(a[i], b[i]), y[i] = _mm512_unpackhi_epi64(a[i], b[i]);
    forward_butterfly<A, kGrow>(x[i], y[i], load(w + 8 * (at + i)), load(wq + 8 * (at + i)), c);
  }
  const Vec first = _mm512_setr_epi64(0, 8, 1, 9, 4, 12, 5, 13),
            second = _mm512_setr_epi64(2, 10, 3, 11, 6, 14, 7, 15);
  AP_EACH(i, kBlocks) {
    const Vec even = forward_reduce<A, kGrow>(x[i], c), odd = forward_reduce<A, kGrow>(y[i], c);
    store(p + 16 * i, _mm512_permutex2var_epi64(even, first, odd));
    store(p + 16 * i + 8, _mm512_permutex2var_epi64(even, second, odd));
  }
}

// Two stages on block g of 2 half values, of `groups`.
template <class A, bool kGrow>
AP_LANES_INLINE void forward_pass(std::uint64_t* data, std::size_t groups, std::size_t half, std::size_t g,
                                  const Roots& roots, const typename A::Constants& c) {
  const std::uint64_t* w = roots.root.data();
  const std::uint64_t* wq = roots.quotient.data();
  const std::size_t quarter = half / 2, at = groups + g;
  const Vec w1 = set1(w[at]), w1q = set1(wq[at]);
  const Vec w2 = set1(w[2 * at]), w2q = set1(wq[2 * at]);
  const Vec w3 = set1(w[2 * at + 1]), w3q = set1(wq[2 * at + 1]);
  std::uint64_t* p = data + 2 * g * half;
  for (std::size_t j = 0; j < quarter; j += 8, p += 8) {
    Vec x0 = load(p), x1 = load(p + quarter), x2 = load(p + half), x3 = load(p + half + quarter);
    forward_butterfly<A, kGrow>(x0, x2, w1, w1q, c);
    forward_butterfly<A, kGrow>(x1, x3, w1, w1q, c);
    forward_butterfly<A, kGrow>(x0, x1, w2, w2q, c);
    forward_butterfly<A, kGrow>(x2, x3, w3, w3q, c);
    store(p, x0);
    store(p + quarter, x1);
    store(p + half, x2);
    store(p + half + quarter, x3);
  }
}

template <class A, bool kGrow>
AP_LANES void forward_body(std::uint64_t* data, std::size_t n, const Modulus& modulus, const Roots& roots) {
  const typename A::Constants c = A::constants(modulus.value());
  const std::uint64_t* w = roots.root.data();
  const std::uint64_t* wq = roots.quotient.data();
  std::size_t groups = 1, half = n / 2;
  // Stages of distance 16 and more, two in one pass over memory; an odd one first.
  if (std::countr_zero(n) % 2 == 1) {
    const Vec w1 = set1(w[1]), w1q = set1(wq[1]);
    for (std::size_t j = 0; j < half; j += 8) {
      Vec x = load(data + j), y = load(data + half + j);
      forward_butterfly<A, kGrow>(x, y, w1, w1q, c);
      store(data + j, x);
      store(data + half + j, y);
    }
    groups = 2;
    half /= 2;
  }
  // Breadth first while blocks are larger than the nearest cache, then block after block through all other stages.
  for (; 2 * half > kCached; groups *= 4, half /= 4) {
    for (std::size_t g = 0; g < groups; ++g) forward_pass<A, kGrow>(data, groups, half, g, roots, c);
  }
  const std::size_t blocks = groups;
  for (std::size_t block = 0; block < blocks; ++block) {
    std::size_t inner = 1, distance = half;
    for (; distance > 8; inner *= 4, distance /= 4) {
      for (std::size_t g = block * inner; g < (block + 1) * inner; ++g) {
        forward_pass<A, kGrow>(data, blocks * inner, distance, g, roots, c);
      }
    }
    const std::size_t sixteens = n / 16 / blocks;
    if (sixteens >= kTogether) {
      for (std::size_t g = block * sixteens; g < (block + 1) * sixteens; g += kTogether) {
        forward_tail<A, kGrow, kTogether>(data, n, g, roots, c);
      }
    } else {
      for (std::size_t g = block * sixteens; g < (block + 1) * sixteens; ++g) {
        forward_tail<A, kGrow, 1>(data, n, g, roots, c);
      }
    }
  }
}

template <class A>
AP_LANES_INLINE Vec reduce_sum(Vec x, const typename A::Constants& c) {
  return below(A::clean(x, c), c.bound);
}

// (x, y) -> (x + y, (x - y) w), both in [0, b q) if x and y are.
template <class A>
AP_LANES_INLINE void inverse_butterfly(Vec& x, Vec& y, Vec w, Vec w_quotient,
                                       const typename A::Constants& c) {
  const Vec difference = add(sub(x, y), c.bound);
  x = reduce_sum<A>(add(x, y), c);
  y = A::multiply(_mm512_setzero_si512(), difference, w, w_quotient, c);
}

template <class A>
AP_LANES_INLINE Vec last_product(Vec x, Vec w, Vec w_quotient, const typename A::Constants& c) {
  return A::finish(A::clean(A::multiply(_mm512_setzero_si512(), x, w, w_quotient, c), c), c);
}

// Two stages on four vectors; on the last pass the factor 1/n is merged in. kLazy leaves the sums
// of the first stage below 2 b q.
template <class A, bool kLazy, bool kLast>
AP_LANES_INLINE void inverse_quad(Vec& x0, Vec& x1, Vec& x2, Vec& x3, const Vec* w,
                                  const typename A::Constants& c) {
  Vec s0 = add(x0, x1), s1 = add(x2, x3);
  const Vec d0 = A::multiply(_mm512_setzero_si512(), add(sub(x0, x1), c.bound), w[2], w[3], c);
  const Vec d1 = A::multiply(_mm512_setzero_si512(), add(sub(x2, x3), c.bound), w[4], w[5], c);
  if constexpr (!kLazy) {
    s0 = reduce_sum<A>(s0, c);
    s1 = reduce_sum<A>(s1, c);
  }
  const Vec s = add(s0, s1), d = add(d0, d1);
  const Vec s_difference = add(sub(s0, s1), kLazy ? c.twice_bound : c.bound),
            d_difference = add(sub(d0, d1), c.bound);
  if constexpr (kLast) {
    x0 = last_product<A>(s, w[6], w[7], c);
    x1 = last_product<A>(d, w[6], w[7], c);
    x2 = last_product<A>(s_difference, w[0], w[1], c);
    x3 = last_product<A>(d_difference, w[0], w[1], c);
  } else {
    x0 = kLazy ? below(below(A::clean(s, c), c.twice_bound), c.bound) : reduce_sum<A>(s, c);
    x1 = reduce_sum<A>(d, c);
    x2 = A::multiply(_mm512_setzero_si512(), s_difference, w[0], w[1], c);
    x3 = A::multiply(_mm512_setzero_si512(), d_difference, w[0], w[1], c);
  }
}

template <class A, bool kLazy, bool kLast>
AP_LANES_INLINE void inverse_pass(std::uint64_t* p, std::size_t quarter, const Vec* w,
                                  const typename A::Constants& c) {
  for (std::size_t j = 0; j < quarter; j += 8, p += 8) {
    Vec x0 = load(p), x1 = load(p + quarter), x2 = load(p + 2 * quarter), x3 = load(p + 3 * quarter);
    inverse_quad<A, kLazy, kLast>(x0, x1, x2, x3, w, c);
    store(p, x0);
    store(p + quarter, x1);
    store(p + 2 * quarter, x2);
    store(p + 3 * quarter, x3);
  }
}

// Distances 1, 2, 4 and 8 on kBlocks times sixteen values, from block g; kLast if they are all stages.
template <class A, std::size_t kBlocks, bool kLast>
AP_LANES_INLINE void inverse_head(std::uint64_t* data, std::size_t n, std::size_t g, const Roots& roots,
                                  const typename A::Constants& c) {
  const std::uint64_t* w = roots.root.data();
  const std::uint64_t* wq = roots.quotient.data();
  std::uint64_t* const p = data + 16 * g;
  const std::size_t at = n / 16 + g;
  const Vec even = _mm512_setr_epi64(0, 2, 8, 10, 4, 6, 12, 14),
            odd = _mm512_setr_epi64(1, 3, 9, 11, 5, 7, 13, 15);
  const Vec front = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11),
            back = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  Vec a[kBlocks], b[kBlocks], x[kBlocks], y[kBlocks];
  AP_EACH(i, kBlocks) {
    a[i] = load(p + 16 * i), b[i] = load(p + 16 * i + 8);
    x[i] = _mm512_permutex2var_epi64(a[i], even, b[i]), y[i] = _mm512_permutex2var_epi64(a[i], odd, b[i]);
    inverse_butterfly<A>(x[i], y[i], load(w + 8 * (at + i)), load(wq + 8 * (at + i)), c);
  }
  AP_EACH(i, kBlocks) {
    a[i] = _mm512_unpacklo_epi64(x[i], y[i]), b[i] = _mm512_unpackhi_epi64(x[i], y[i]);
    inverse_butterfly<A>(a[i], b[i], spread4(w + 4 * (at + i)), spread4(wq + 4 * (at + i)), c);
  }
  AP_EACH(i, kBlocks) {
    x[i] = _mm512_permutex2var_epi64(a[i], front, b[i]), y[i] = _mm512_permutex2var_epi64(a[i], back, b[i]);
    inverse_butterfly<A>(x[i], y[i], spread2(w + 2 * (at + i)), spread2(wq + 2 * (at + i)), c);
  }
  AP_EACH(i, kBlocks) {
    a[i] = _mm512_shuffle_i64x2(x[i], y[i], 0x44), b[i] = _mm512_shuffle_i64x2(x[i], y[i], 0xee);
    if constexpr (kLast) {
      const Vec sum = add(a[i], b[i]), difference = add(sub(a[i], b[i]), c.bound);
      a[i] = last_product<A>(sum, set1(roots.scale), set1(roots.scale_quotient), c);
      b[i] = last_product<A>(difference, set1(roots.last_scaled), set1(roots.last_scaled_quotient), c);
    } else {
      inverse_butterfly<A>(a[i], b[i], set1(w[at + i]), set1(wq[at + i]), c);
    }
    store(p + 16 * i, a[i]);
    store(p + 16 * i + 8, b[i]);
  }
}

// Two stages on block g of 4 quarter values, of `groups`; if these are the last, with the factor 1/n.
template <class A, bool kLazy>
AP_LANES_INLINE void inverse_group(std::uint64_t* data, std::size_t groups, std::size_t quarter,
                                   std::size_t g, const Roots& roots, const typename A::Constants& c) {
  const std::uint64_t* w = roots.root.data();
  const std::uint64_t* wq = roots.quotient.data();
  const std::size_t at = groups + g;
  const Vec quad[] = {
      groups > 1 ? set1(w[at]) : set1(roots.last_scaled),
      groups > 1 ? set1(wq[at]) : set1(roots.last_scaled_quotient),
      set1(w[2 * at]),
      set1(wq[2 * at]),
      set1(w[2 * at + 1]),
      set1(wq[2 * at + 1]),
      set1(roots.scale),
      set1(roots.scale_quotient),
  };
  if (groups > 1) {
    inverse_pass<A, kLazy, false>(data + 4 * g * quarter, quarter, quad, c);
  } else {
    inverse_pass<A, kLazy, true>(data, quarter, quad, c);
  }
}

template <class A, bool kLazy>
AP_LANES void inverse_body(std::uint64_t* data, std::size_t n, const Modulus& modulus, const Roots& roots) {
  const typename A::Constants c = A::constants(modulus.value());
  const Vec scale = set1(roots.scale), scale_q = set1(roots.scale_quotient);
  const Vec last = set1(roots.last_scaled), last_q = set1(roots.last_scaled_quotient);
  // Block after block through the stages that fit the nearest cache, then breadth first.
  std::size_t groups = n / 64, quarter = 16;
  std::size_t blocks = 1;
  while (n / blocks > kCached) blocks *= 4;
  // A block of 16 4^k values, or all of them.
  while (blocks > 1 && (std::countr_zero(n / blocks) % 2 == 1 || n / blocks < 64)) blocks /= 2;
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t sixteens = n / 16 / blocks;
    for (std::size_t g = block * sixteens; g < (block + 1) * sixteens;) {
      if (sixteens >= kTogether) {
        inverse_head<A, kTogether, false>(data, n, g, roots, c);
        g += kTogether;
      } else if (n > 16) {
        inverse_head<A, 1, false>(data, n, g++, roots, c);
      } else {
        inverse_head<A, 1, true>(data, n, g++, roots, c);
      }
    }
    for (std::size_t inner = groups, distance = quarter; inner >= blocks; inner /= 4, distance *= 4) {
      const std::size_t each = inner / blocks;
      for (std::size_t g = block * each; g < (block + 1) * each; ++g) {
        inverse_group<A, kLazy>(data, inner, distance, g, roots, c);
      }
    }
  }
  for (; groups >= blocks; groups /= 4) quarter *= 4;
  for (; groups >= 1; groups /= 4, quarter *= 4) {
    for (std::size_t g = 0; g < groups; ++g) inverse_group<A, kLazy>(data, groups, quarter, g, roots, c);
  }
  if (n > 16 && std::countr_zero(n) % 2 == 1) {
    const std::size_t half = n / 2;
    for (std::size_t j = 0; j < half; j += 8) {
      const Vec x = load(data + j), y = load(data + half + j);
      store(data + j, last_product<A>(add(x, y), scale, scale_q, c));
      store(data + half + j, last_product<A>(add(sub(x, y), c.bound), last, last_q, c));
    }
  }
}

}  // namespace
}  // namespace ap::ring::kernels
