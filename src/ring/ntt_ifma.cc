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
#define AP_LANES __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma")))
#define AP_LANES_INLINE \
  __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma"), always_inline)) inline
#include "ring/ntt_lanes8.h"

namespace ap::ring::kernels {
namespace {

constexpr std::uint64_t kMask = (std::uint64_t{1} << 52) - 1;

struct Ifma {
  struct Constants {
    Vec q, bound, twice_bound, minus_q, mask, inverse_q, zero;
  };
  AP_LANES_INLINE static Constants constants(std::uint64_t q) {
    return {set1(q),     set1(2 * q),           set1(4 * q),           set1((std::uint64_t{1} << 52) - q),
            set1(kMask), set1((kMask + 1) / q), _mm512_setzero_si512()};
  }
  AP_LANES_INLINE static Vec high(Vec sum, Vec a, Vec b) { return _mm512_madd52hi_epu64(sum, a, b); }
  AP_LANES_INLINE static Vec low(Vec sum, Vec a, Vec b) { return _mm512_madd52lo_epu64(sum, a, b); }
  // The sum is right modulo 2^52 only.
  AP_LANES_INLINE static Vec multiply(Vec sum, Vec x, Vec w, Vec w_quotient, const Constants& c) {
    const Vec quotient = high(c.zero, x, w_quotient);
    return low(low(sum, x, w), quotient, c.minus_q);
  }
  AP_LANES_INLINE static Vec clean(Vec x, const Constants& c) { return _mm512_and_si512(x, c.mask); }
  AP_LANES_INLINE static Vec barrett(Vec x, const Constants& c) {
    return clean(low(x, high(c.zero, x, c.inverse_q), c.minus_q), c);
  }
  AP_LANES_INLINE static Vec finish(Vec x, const Constants& c) { return below(x, c.q); }
};

}  // namespace

std::size_t lanes8_order(std::size_t i, std::size_t n) {
  constexpr std::size_t kPlace[] = {0, 1, 4, 5, 2, 3, 6, 7};
  return i < n / 2 ? i : (i & ~std::size_t{7}) + kPlace[i & 7];
}

void forward_ifma(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  const auto bound = static_cast<std::uint64_t>(2 * std::countr_zero(n) + 1);
  if (q.value() <= (std::uint64_t{1} << 52) / bound) {
    forward_body<Ifma, true>(x, n, q, roots);
  } else {
    forward_body<Ifma, false>(x, n, q, roots);
  }
}

void inverse_ifma(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots) {
  if (q.bits() <= 48) {
    inverse_body<Ifma, true>(x, n, q, roots);
  } else {
    inverse_body<Ifma, false>(x, n, q, roots);
  }
}

AP_LANES void multiply_add_ifma(const std::uint64_t* const* x, const std::uint64_t* const* y,
                                std::size_t count, std::uint64_t* sum, std::size_t n,
                                const Modulus& modulus) {
  const std::uint64_t q = modulus.value();
  const Ifma::Constants c = Ifma::constants(q);
  // z = h 2^52 + l with h, l < 2^52 (count <= 16 products below 2^100). h times (2^52 mod q) by Shoup, l by
  // Barrett: each is left in [0, 2q).
  const std::uint64_t power = (kMask % q + 1) % q;
  const Vec fold = set1(power);
  const Vec fold_quotient = set1(static_cast<std::uint64_t>((static_cast<Uint128>(power) << 52) / q));
  // Two registers at a time: longer runs of each operand suit the prefetchers.
  for (std::size_t j = 0; j < n; j += 16) {
    Vec l[2] = {c.zero, c.zero}, h[2] = {c.zero, c.zero};
    for (std::size_t k = 0; k < count; ++k) {
      AP_EACH(i, 2) {
        const Vec a = load(x[k] + j + 8 * i), b = load(y[k] + j + 8 * i);
        l[i] = Ifma::low(l[i], a, b);
        h[i] = Ifma::high(h[i], a, b);
      }
    }
    AP_EACH(i, 2) {
      const Vec upper = add(h[i], _mm512_srli_epi64(l[i], 52)), lower = Ifma::clean(l[i], c);
      Vec z = Ifma::low(lower, Ifma::high(c.zero, lower, c.inverse_q), c.minus_q);
      z = Ifma::clean(Ifma::multiply(z, upper, fold, fold_quotient, c), c);
      z = below(below(z, c.bound), c.q);
      std::uint64_t* const to = sum + j + 8 * i;
      store(to, below(add(z, load(to)), c.q));
    }
  }
}

}  // namespace ap::ring::kernels
#endif
