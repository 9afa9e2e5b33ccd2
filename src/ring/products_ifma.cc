// ring/products.h for AVX-512 IFMA. Products of 52 bits, low and high halves apart, as in ring/elementwise_ifma.cc.
#if defined(__x86_64__)
// GCC 12 takes the undefined pass-through operand inside its own intrinsics for a mistake of the caller.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#include <algorithm>

#include "ring/products.h"

#define AP_IFMA __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma")))
#define AP_IFMA_INLINE \
  __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma"), always_inline)) inline

namespace ap::ring {
namespace {

using std::uint64_t;
using Vec = __m512i;
constexpr uint64_t kMask = (uint64_t{1} << 52) - 1;
constexpr std::size_t kLazyProducts = 16;  // 2^100 each: the high halves add up to less than 2^52

AP_IFMA_INLINE Vec set1(uint64_t x) { return _mm512_set1_epi64(static_cast<long long>(x)); }
AP_IFMA_INLINE Vec load(const void* p) { return _mm512_loadu_si512(p); }
AP_IFMA_INLINE void store(uint64_t* p, Vec v) { _mm512_storeu_si512(p, v); }
AP_IFMA_INLINE Vec add(Vec a, Vec b) { return _mm512_add_epi64(a, b); }
AP_IFMA_INLINE Vec sub(Vec a, Vec b) { return _mm512_sub_epi64(a, b); }
AP_IFMA_INLINE Vec high(Vec sum, Vec a, Vec b) { return _mm512_madd52hi_epu64(sum, a, b); }
AP_IFMA_INLINE Vec low(Vec sum, Vec a, Vec b) { return _mm512_madd52lo_epu64(sum, a, b); }
AP_IFMA_INLINE Vec below(Vec x, Vec limit) { return _mm512_min_epu64(x, sub(x, limit)); }
AP_IFMA_INLINE Vec permuted(Vec lanes, Vec x) { return _mm512_permutexvar_epi64(lanes, x); }

// Of sums of products.
struct Reduction {
  AP_IFMA_INLINE explicit Reduction(const Modulus& modulus)
      : q(set1(modulus.value())),
        two_q(set1(2 * modulus.value())),
        minus_q(set1((uint64_t{1} << 52) - modulus.value())),
        inverse(set1((uint64_t{1} << 52) / modulus.value())),
        mask(set1(kMask)),
        zero(_mm512_setzero_si512()) {
    const FixedFactor power(modulus, (uint64_t{1} << 52) % modulus.value());
    fold = set1(power.value);
    fold_quotient = set1(power.quotient52);
  }
  // h 2^52 + l: h times (2^52 mod q) by Shoup, l by Barrett; each is left in [0, 2q).
  AP_IFMA_INLINE Vec operator()(Vec l, Vec h) const {
    const Vec upper = add(h, _mm512_srli_epi64(l, 52)), lower = _mm512_and_si512(l, mask);
    const Vec from_low = low(lower, high(zero, lower, inverse), minus_q);
    const Vec sum = low(low(from_low, upper, fold), high(zero, upper, fold_quotient), minus_q);
    return below(below(_mm512_and_si512(sum, mask), two_q), q);
  }
  Vec q, two_q, minus_q, inverse, mask, zero, fold, fold_quotient;
};

// Sums of two registers for each of two results.
struct Sums {
  AP_IFMA_INLINE void clear() {
    for (auto* sums : {l, h}) sums[0] = sums[1] = sums[2] = sums[3] = _mm512_setzero_si512();
  }
  AP_IFMA_INLINE void add_product(std::size_t i, Vec a, Vec b) {
    l[i] = low(l[i], a, b);
    h[i] = high(h[i], a, b);
  }
  Vec l[4], h[4];
};

AP_IFMA void pair(const uint64_t* const* x, const uint64_t* const* y0, const uint64_t* const* y1,
                  std::size_t count, const uint64_t* start0, const uint64_t* start1, uint64_t factor,
                  const Modulus& modulus, uint64_t* out0, uint64_t* out1, std::size_t n) {
  const Reduction reduce(modulus);
  const Vec scale = set1(factor);
  for (std::size_t j = 0; j < n; j += 16) {
    Sums sums;
    sums.clear();
    if (start0 != nullptr) {
      sums.add_product(0, load(start0 + j), scale);
      sums.add_product(1, load(start0 + j + 8), scale);
    }
    if (start1 != nullptr) {
      sums.add_product(2, load(start1 + j), scale);
      sums.add_product(3, load(start1 + j + 8), scale);
    }
    for (std::size_t t = 0; t < count; ++t) {
      const Vec a = load(x[t] + j), b = load(x[t] + j + 8);
      sums.add_product(0, a, load(y0[t] + j));
      sums.add_product(1, b, load(y0[t] + j + 8));
      sums.add_product(2, a, load(y1[t] + j));
      sums.add_product(3, b, load(y1[t] + j + 8));
    }
    store(out0 + j, reduce(sums.l[0], sums.h[0]));
    store(out0 + j + 8, reduce(sums.l[1], sums.h[1]));
    store(out1 + j, reduce(sums.l[2], sums.h[2]));
    store(out1 + j + 8, reduce(sums.l[3], sums.h[3]));
  }
}

// The run of values from j on. kBackwards: weights are read from their mirror image.
template <bool kBackwards>
AP_IFMA_INLINE void weighted_run(const uint64_t* x, std::span<const WeightedTerm> terms, int log2_gap,
                                 Vec lanes, const Reduction& reduce, std::size_t j, uint64_t* out0,
                                 uint64_t* out1, std::size_t n) {
  for (std::size_t i = 0; i < kRun; i += 16) {
    const std::size_t first = (kBackwards ? n - 8 - (j + i) : j + i) >> log2_gap,
                      second = (kBackwards ? n - 16 - (j + i) : j + i + 8) >> log2_gap;
    Vec total[4] = {reduce.zero, reduce.zero, reduce.zero, reduce.zero};
    for (std::size_t from = 0; from < terms.size(); from += kLazyProducts) {
      const std::size_t to = std::min(terms.size(), from + kLazyProducts);
      Sums sums;
      sums.clear();
      for (std::size_t t = from; t < to; ++t) {
        const uint64_t* const at = x + 2 * terms[t].term * kRun + i;
        const Vec a = permuted(lanes, load(terms[t].weight + first)),
                  b = permuted(lanes, load(terms[t].weight + second));
        sums.add_product(0, load(at), a);
        sums.add_product(1, load(at + 8), b);
        sums.add_product(2, load(at + kRun), a);
        sums.add_product(3, load(at + kRun + 8), b);
      }
#pragma GCC unroll 4
      for (std::size_t k = 0; k < 4; ++k) {
        total[k] = below(add(total[k], reduce(sums.l[k], sums.h[k])), reduce.q);
      }
    }
    store(out0 + j + i, total[0]);
    store(out0 + j + i + 8, total[1]);
    store(out1 + j + i, total[2]);
    store(out1 + j + i + 8, total[3]);
  }
}

AP_IFMA void weighted(const uint64_t* x, std::size_t count, std::span<const WeightedTerm> terms,
                      WeightShape shape, const Modulus& modulus, uint64_t* out0, uint64_t* out1,
                      std::size_t n) {
  const Reduction reduce(modulus);
  const Vec natural = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7),
            reversed = _mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  const __m128i gap = _mm_cvtsi32_si128(shape.log2_gap);
  const Vec lanes = _mm512_srl_epi64(natural, gap), backwards = _mm512_srl_epi64(reversed, gap);
  if (!shape.mirrored) {
    for (std::size_t j = 0; j < n; j += kRun) {
      weighted_run<false>(x + j * count, terms, shape.log2_gap, lanes, reduce, j, out0, out1, n);
    }
    return;
  }
  // A run and its mirror image one after the other, so that the weights of the second are in the nearest cache.
  for (std::size_t j = 0; j < n / 2; j += kRun) {
    const std::size_t mirror = n - kRun - j;
    weighted_run<false>(x + j * count, terms, shape.log2_gap, lanes, reduce, j, out0, out1, n);
    weighted_run<true>(x + mirror * count, terms, shape.log2_gap, backwards, reduce, mirror, out0, out1, n);
  }
}

AP_IFMA_INLINE Vec image(const uint64_t* x, const Automorphism& map, std::size_t k) {
  return permuted(load(map.lanes[map.turn[k]].data()), load(x + 8 * static_cast<std::size_t>(map.block[k])));
}

AP_IFMA void permute_aside(const uint64_t* x, const Automorphism& map, uint64_t* out, std::size_t count,
                           std::size_t n) {
  for (std::size_t run = 0; run < n / kRun; ++run) {
    uint64_t* const to = out + run * count * kRun;
    for (std::size_t i = 0; i < kRun / 8; ++i) store(to + 8 * i, image(x, map, run * (kRun / 8) + i));
  }
}

AP_IFMA void permute_add(const uint64_t* x, const Automorphism& map, uint64_t q, uint64_t* sum,
                         std::size_t n) {
  const Vec limit = set1(q);
  for (std::size_t k = 0; k < n / 8; ++k) {
    store(sum + 8 * k, below(add(load(sum + 8 * k), image(x, map, k)), limit));
  }
}

// x + 2^51 is at least 0 and below 2^52; minus_shift is -2^51 mod q. The result is below 3q.
struct Signed {
  AP_IFMA_INLINE explicit Signed(const Modulus& modulus)
      : shift(set1(uint64_t{1} << 51)),
        minus_shift(set1(modulus.negate(modulus.reduce(uint64_t{1} << 51)))),
        inverse(set1((uint64_t{1} << 52) / modulus.value())),
        minus_q(set1((uint64_t{1} << 52) - modulus.value())) {}
  AP_IFMA_INLINE Vec lazy_residue(Vec x) const {
    const Vec shifted = add(x, shift);
    const Vec quotient = high(_mm512_setzero_si512(), shifted, inverse);
    return _mm512_and_si512(low(add(shifted, minus_shift), quotient, minus_q), set1(kMask));
  }
  Vec shift, minus_shift, inverse, minus_q;
};

AP_IFMA void residues(const std::int64_t* x, const Modulus& modulus, uint64_t* out, std::size_t n) {
  const Signed signs(modulus);
  const Vec q = set1(modulus.value()), two_q = set1(2 * modulus.value());
  for (std::size_t j = 0; j < n; j += 8) {
    store(out + j, below(below(signs.lazy_residue(load(x + j)), two_q), q));
  }
}

AP_IFMA void mirrored_residues(const std::int64_t* x, const FixedFactor& factor, const Modulus& modulus,
                               uint64_t* out, std::size_t n) {
  const Signed signs(modulus);
  const Vec q = set1(modulus.value()), two_q = set1(2 * modulus.value());
  const Vec w = set1(factor.value), w_quotient = set1(factor.quotient52), zero = _mm512_setzero_si512();
  const Vec reversed = _mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0);
  for (std::size_t j = 0; j < n; j += 8) {
    const std::size_t last = n - j;
    // x[last - 7] .. x[last], where x[n] is 0 and not read.
    const Vec behind = last == n ? _mm512_maskz_loadu_epi64(0x7f, x + (n - 7)) : load(x + (last - 7));
    const Vec mirror = signs.lazy_residue(permuted(reversed, behind));
    const Vec product = low(low(zero, mirror, w), high(zero, mirror, w_quotient), signs.minus_q);
    const Vec reduced = below(_mm512_and_si512(product, set1(kMask)), q);
    const Vec own = below(below(signs.lazy_residue(load(x + j)), two_q), q);
    const Vec difference = sub(own, reduced);
    store(out + j, _mm512_min_epu64(difference, add(difference, q)));
  }
}

}  // namespace

const ProductKernels& ifma_products() {
  static constexpr ProductKernels kKernels{pair,        weighted, permute_aside,
                                           permute_add, residues, mirrored_residues};
  return kKernels;
}

}  // namespace ap::ring
#endif
