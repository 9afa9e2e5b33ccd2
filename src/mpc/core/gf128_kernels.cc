// gf_hash by carry-less products: a step multiplies many elements by a table of powers and adds the unreduced
// products up, so that one reduction serves the whole step.
#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>

#include "mpc/core/gf128.h"

#define AP_TARGET_CLMUL __attribute__((target("sse4.1,pclmul")))
#define AP_TARGET_VCLMUL __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,pclmul,vpclmulqdq")))

namespace ap::mpc::kernels {

namespace {

/// An unreduced product: low + middle x^64 + high x^128.
struct Product {
  __m128i low, middle, high;
};

AP_TARGET_CLMUL inline __attribute__((always_inline)) void add_product(Product& sum, __m128i a, __m128i b) {
  sum.low = _mm_xor_si128(sum.low, _mm_clmulepi64_si128(a, b, 0x00));
  sum.high = _mm_xor_si128(sum.high, _mm_clmulepi64_si128(a, b, 0x11));
  sum.middle = _mm_xor_si128(sum.middle, _mm_clmulepi64_si128(a, b, 0x01));
  sum.middle = _mm_xor_si128(sum.middle, _mm_clmulepi64_si128(a, b, 0x10));
}

/// x^128 = x^7 + x^2 + x + 1: the upper quarter first, what it carries over x^128 with the third one.
AP_TARGET_CLMUL inline __attribute__((always_inline)) __m128i reduce(const Product& p) {
  const __m128i modulus = _mm_set_epi64x(0, 0x87);
  __m128i low = _mm_xor_si128(p.low, _mm_slli_si128(p.middle, 8));
  __m128i high = _mm_xor_si128(p.high, _mm_srli_si128(p.middle, 8));
  const __m128i top = _mm_clmulepi64_si128(high, modulus, 0x01);
  low = _mm_xor_si128(low, _mm_slli_si128(top, 8));
  high = _mm_xor_si128(high, _mm_srli_si128(top, 8));
  return _mm_xor_si128(low, _mm_clmulepi64_si128(high, modulus, 0x00));
}

AP_TARGET_CLMUL inline __attribute__((always_inline)) __m128i multiply(__m128i a, __m128i b) {
  Product p{_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
  add_product(p, a, b);
  return reduce(p);
}

AP_TARGET_CLMUL inline __m128i load(const Block& block) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&block));
}
AP_TARGET_CLMUL inline Block store(__m128i value) {
  Block block;
  _mm_store_si128(reinterpret_cast<__m128i*>(&block), value);
  return block;
}

/// lo xor hi, in both halves.
AP_TARGET_VCLMUL inline __attribute__((always_inline)) __m512i folded(__m512i a) {
  return _mm512_xor_si512(a, _mm512_maskz_shuffle_epi32(0xffff, a, _MM_PERM_BADC));
}

/// Sums of four products side by side, by Karatsuba's three for each: both = (lo + hi) (lo + hi).
struct Product4 {
  __m512i low, both, high;
};

/// b_folded = folded(b).
AP_TARGET_VCLMUL inline __attribute__((always_inline)) void add_product(Product4& sum, __m512i a, __m512i b,
                                                                        __m512i b_folded) {
  sum.low = _mm512_xor_si512(sum.low, _mm512_clmulepi64_epi128(a, b, 0x00));
  sum.high = _mm512_xor_si512(sum.high, _mm512_clmulepi64_epi128(a, b, 0x11));
  sum.both = _mm512_xor_si512(sum.both, _mm512_clmulepi64_epi128(folded(a), b_folded, 0x00));
}

AP_TARGET_VCLMUL inline __attribute__((always_inline)) __m512i multiply(__m512i a, __m512i b) {
  const __m512i zero = _mm512_setzero_si512();
  Product4 p{zero, zero, zero};
  add_product(p, a, b, folded(b));
  const __m512i modulus = _mm512_set_epi64(0, 0x87, 0, 0x87, 0, 0x87, 0, 0x87);
  const __m512i middle = _mm512_xor_si512(p.both, _mm512_xor_si512(p.low, p.high));
  __m512i low = _mm512_xor_si512(p.low, _mm512_bslli_epi128(middle, 8));
  __m512i high = _mm512_xor_si512(p.high, _mm512_bsrli_epi128(middle, 8));
  const __m512i top = _mm512_clmulepi64_epi128(high, modulus, 0x01);
  low = _mm512_xor_si512(low, _mm512_bslli_epi128(top, 8));
  high = _mm512_xor_si512(high, _mm512_bsrli_epi128(top, 8));
  return _mm512_xor_si512(low, _mm512_clmulepi64_epi128(high, modulus, 0x00));
}

AP_TARGET_VCLMUL inline __attribute__((always_inline)) __m128i sum_of_lanes(__m512i v) {
  alignas(64) Block parts[4];
  _mm512_store_si512(parts, v);
  return load(parts[0] ^ parts[1] ^ parts[2] ^ parts[3]);
}

/// Elements of one step of the narrow kernel.
constexpr std::size_t kStep = 8;
constexpr std::size_t kStep4 = GfPowers::kCount;

}  // namespace

AP_TARGET_CLMUL Block gf_multiply_clmul(const Block& a, const Block& b) {
  return store(multiply(load(a), load(b)));
}

AP_TARGET_CLMUL Block gf_hash_clmul(const Block* in, std::size_t count, const GfPowers& x) {
  const Block* end = x.falling + GfPowers::kCount;
  const __m128i next = load(end[-1 - static_cast<std::ptrdiff_t>(kStep)]);
  __m128i sum = _mm_setzero_si128();
  // A first step that is short takes the lowest powers; the sum is zero until then.
  for (std::size_t now = count % kStep ? count % kStep : std::min(count, kStep); count > 0; now = kStep) {
    Product p{_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    add_product(p, sum, next);
    const Block* power = end - now;
    for (std::size_t i = 0; i < now; ++i) add_product(p, load(in[i]), load(power[i]));
    sum = reduce(p);
    in += now;
    count -= now;
  }
  return store(sum);
}

AP_TARGET_VCLMUL void gf_more_powers_vclmul(GfPowers& powers) {
  __m512i four = _mm512_load_si512(powers.falling + kStep4 - 4);
  const Block* end = powers.falling + kStep4;
  const __m512i x4 = _mm512_maskz_broadcast_i64x2(0xff, multiply(load(end[-3]), load(end[-3])));
  for (std::size_t i = kStep4 - 4; i > 0; i -= 4) {
    four = multiply(four, x4);
    _mm512_store_si512(powers.falling + i - 4, four);
  }
}

AP_TARGET_VCLMUL Block gf_hash_vclmul(const Block* in, std::size_t count, const GfPowers& x) {
  const __m512i zero = _mm512_setzero_si512();
  const __m128i next = load(x.next);
  __m128i sum = _mm_setzero_si128();
  for (std::size_t now = count % kStep4 ? count % kStep4 : std::min(count, kStep4); count > 0; now = kStep4) {
    Product4 even{zero, zero, zero}, odd{zero, zero, zero};
    const Block* power = x.falling + kStep4 - now;
    const Block* fold = x.folded + kStep4 - now;
    std::size_t i = 0;
    for (; i + 8 <= now; i += 8) {
      add_product(even, _mm512_loadu_si512(in + i), _mm512_loadu_si512(power + i),
                  _mm512_loadu_si512(fold + i));
      add_product(odd, _mm512_loadu_si512(in + i + 4), _mm512_loadu_si512(power + i + 4),
                  _mm512_loadu_si512(fold + i + 4));
    }
    Product p{sum_of_lanes(_mm512_xor_si512(even.low, odd.low)),
              sum_of_lanes(_mm512_xor_si512(even.both, odd.both)),
              sum_of_lanes(_mm512_xor_si512(even.high, odd.high))};
    p.middle = _mm_xor_si128(p.middle, _mm_xor_si128(p.low, p.high));
    for (; i < now; ++i) add_product(p, load(in[i]), load(power[i]));
    add_product(p, sum, next);
    sum = reduce(p);
    in += now;
    count -= now;
  }
  return store(sum);
}

}  // namespace ap::mpc::kernels
#endif
