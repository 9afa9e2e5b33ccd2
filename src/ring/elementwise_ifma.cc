// Element-wise kernels for AVX-512 IFMA. Products of 52 bits, low and high halves apart; a lane is
// meaningful modulo 2^52 until it is masked. Reductions as in ring/ntt_ifma.cc.
#if defined(__x86_64__)
// GCC 12 takes the undefined pass-through operand inside its own intrinsics for a mistake of the caller.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

#include <algorithm>

#include "ring/elementwise.h"

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
AP_IFMA_INLINE Vec load(const uint64_t* p) { return _mm512_loadu_si512(p); }
AP_IFMA_INLINE void store(uint64_t* p, Vec v) { _mm512_storeu_si512(p, v); }
AP_IFMA_INLINE Vec vadd(Vec a, Vec b) { return _mm512_add_epi64(a, b); }
AP_IFMA_INLINE Vec vsub(Vec a, Vec b) { return _mm512_sub_epi64(a, b); }
AP_IFMA_INLINE Vec high(Vec sum, Vec a, Vec b) { return _mm512_madd52hi_epu64(sum, a, b); }
AP_IFMA_INLINE Vec low(Vec sum, Vec a, Vec b) { return _mm512_madd52lo_epu64(sum, a, b); }
AP_IFMA_INLINE Vec below(Vec x, Vec limit) { return _mm512_min_epu64(x, vsub(x, limit)); }
AP_IFMA_INLINE Vec masked(Vec x) { return _mm512_and_si512(x, set1(kMask)); }

// sum + x w - (a multiple of q) modulo 2^52, the product part in [0, 2q).
AP_IFMA_INLINE Vec lazy_product(Vec sum, Vec x, Vec w, Vec w_quotient, Vec minus_q) {
  return low(low(sum, x, w), high(_mm512_setzero_si512(), x, w_quotient), minus_q);
}

AP_IFMA void multiply(const uint64_t* x, const FixedFactor& factor, const Modulus& modulus, uint64_t* out,
                      std::size_t n) {
  const Vec q = set1(modulus.value()), minus_q = set1((uint64_t{1} << 52) - modulus.value());
  const Vec w = set1(factor.value), w_quotient = set1(factor.quotient52), zero = _mm512_setzero_si512();
  for (std::size_t j = 0; j < n; j += 8) {
    store(out + j, below(masked(lazy_product(zero, load(x + j), w, w_quotient, minus_q)), q));
  }
}

AP_IFMA void multiply_add(const uint64_t* x, const FixedFactor& factor, const uint64_t* y,
                          const Modulus& modulus, uint64_t* out, std::size_t n) {
  const Vec q = set1(modulus.value()), two_q = set1(2 * modulus.value());
  const Vec minus_q = set1((uint64_t{1} << 52) - modulus.value());
  const Vec w = set1(factor.value), w_quotient = set1(factor.quotient52);
  for (std::size_t j = 0; j < n; j += 8) {
    const Vec sum = masked(lazy_product(load(y + j), load(x + j), w, w_quotient, minus_q));  // below 3q
    store(out + j, below(below(sum, two_q), q));
  }
}

AP_IFMA void dot(const uint64_t* const* x, const uint64_t* weights, std::size_t count, const Modulus& modulus,
                 uint64_t* out, std::size_t n) {
  const uint64_t value = modulus.value();
  const Vec q = set1(value), two_q = set1(2 * value), minus_q = set1((uint64_t{1} << 52) - value);
  // z = h 2^52 + l: h times (2^52 mod q) by Shoup, l by Barrett; each is left in [0, 2q).
  const FixedFactor power(modulus, (uint64_t{1} << 52) % value);
  const Vec fold = set1(power.value), fold_quotient = set1(power.quotient52);
  const Vec inverse_q = set1((uint64_t{1} << 52) / value), zero = _mm512_setzero_si512();
  for (std::size_t j = 0; j < n; j += 8) {
    Vec total = zero;
    for (std::size_t first = 0; first < count; first += kLazyProducts) {
      const std::size_t last = std::min(count, first + kLazyProducts);
      Vec l = zero, h = zero;
      for (std::size_t k = first; k < last; ++k) {
        const Vec a = load(x[k] + j), b = set1(weights[k]);
        l = low(l, a, b);
        h = high(h, a, b);
      }
      h = vadd(h, _mm512_srli_epi64(l, 52));
      l = masked(l);
      const Vec from_low = low(l, high(zero, l, inverse_q), minus_q);
      const Vec z = masked(lazy_product(from_low, h, fold, fold_quotient, minus_q));
      total = below(vadd(total, below(below(z, two_q), q)), q);
    }
    store(out + j, total);
  }
}

// kOutputs outputs of two registers each: sixteen sums at most, which stay in registers while the inputs go by.
template <std::size_t kOutputs>
AP_IFMA_INLINE void dot_tile(const uint64_t* x, std::size_t count, const DotOutput* outputs,
                             uint64_t* const* out, std::size_t n) {
  const Vec zero = _mm512_setzero_si512();
  for (std::size_t first = 0; first < count; first += kLazyProducts) {
    const std::size_t last = std::min(count, first + kLazyProducts);
    for (std::size_t j = 0; j < n; j += 16) {
      Vec l[kOutputs][2], h[kOutputs][2];
#pragma GCC unroll 4
      for (std::size_t o = 0; o < kOutputs; ++o) {
        l[o][0] = l[o][1] = h[o][0] = h[o][1] = zero;
      }
      for (std::size_t k = first; k < last; ++k) {
        const uint64_t* const at = x + j * count + k * kInterleave;
        const Vec a = load(at), b = load(at + 8);
#pragma GCC unroll 4
        for (std::size_t o = 0; o < kOutputs; ++o) {
          const Vec w = set1(outputs[o].weights[k]);
          l[o][0] = low(l[o][0], a, w);
          h[o][0] = high(h[o][0], a, w);
          l[o][1] = low(l[o][1], b, w);
          h[o][1] = high(h[o][1], b, w);
        }
      }
#pragma GCC unroll 4
      for (std::size_t o = 0; o < kOutputs; ++o) {
        const uint64_t value = outputs[o].q->value();
        const Vec q = set1(value), two_q = set1(2 * value), minus_q = set1((uint64_t{1} << 52) - value);
        const Vec fold = set1(outputs[o].fold.value), fold_quotient = set1(outputs[o].fold.quotient52);
        const Vec inverse_q = set1(outputs[o].inverse52);
#pragma GCC unroll 2
        for (std::size_t i = 0; i < 2; ++i) {
          const Vec upper = vadd(h[o][i], _mm512_srli_epi64(l[o][i], 52)), lower = masked(l[o][i]);
          const Vec from_low = low(lower, high(zero, lower, inverse_q), minus_q);
          Vec z = masked(lazy_product(from_low, upper, fold, fold_quotient, minus_q));
          z = below(below(z, two_q), q);
          uint64_t* const to = out[o] + j + 8 * i;
          store(to, first == 0 ? z : below(vadd(z, load(to)), q));
        }
      }
    }
  }
}

AP_IFMA void dots(const uint64_t* x, std::size_t count, const DotOutput* outputs, uint64_t* const* out,
                  std::size_t number, std::size_t n) {
  std::size_t o = 0;
  for (; o + 4 <= number; o += 4) dot_tile<4>(x, count, outputs + o, out + o, n);
  for (; o + 2 <= number; o += 2) dot_tile<2>(x, count, outputs + o, out + o, n);
  for (; o < number; ++o) dot_tile<1>(x, count, outputs + o, out + o, n);
}

AP_IFMA void quotient(const uint64_t* const* y, const uint64_t* reciprocal, const int* shift,
                      std::size_t count, uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; j += 8) {
    Vec sum = set1(uint64_t{1} << 48);
    for (std::size_t k = 0; k < count; ++k) {
      const Vec scaled = _mm512_sll_epi64(load(y[k] + j), _mm_cvtsi32_si128(shift[k]));
      sum = high(sum, scaled, set1(reciprocal[k]));
    }
    store(out + j, _mm512_srli_epi64(sum, 49));
  }
}

AP_IFMA void add(const uint64_t* x, const uint64_t* y, uint64_t q, uint64_t* out, std::size_t n) {
  const Vec limit = set1(q);
  for (std::size_t j = 0; j < n; j += 8) store(out + j, below(vadd(load(x + j), load(y + j)), limit));
}

AP_IFMA void subtract(const uint64_t* x, const uint64_t* y, uint64_t q, uint64_t* out, std::size_t n) {
  const Vec limit = set1(q);
  for (std::size_t j = 0; j < n; j += 8) {
    const Vec difference = vsub(load(x + j), load(y + j));
    store(out + j, _mm512_min_epu64(difference, vadd(difference, limit)));
  }
}

AP_IFMA void permute(const uint64_t* x, const Automorphism& map, uint64_t* out, std::size_t n) {
  for (std::size_t k = 0; k < n / 8; ++k) {
    const Vec lanes = load(map.lanes[map.turn[k]].data());
    store(out + 8 * k, _mm512_permutexvar_epi64(lanes, load(x + 8 * static_cast<std::size_t>(map.block[k]))));
  }
}

}  // namespace

const ElementwiseKernels& ifma_elementwise() {
  static constexpr ElementwiseKernels kKernels{multiply, multiply_add, dot,      dots,
                                               quotient, add,          subtract, permute};
  return kKernels;
}

}  // namespace ap::ring
#endif
