// The permutation of mpc/core/hash.h on registers, for the kernels that use it. One AES round takes
// several cycles but a new one can start every cycle, so each loop keeps eight registers in flight: 8 blocks
// with AES-NI, 32 with 512-bit VAES.
#pragma once

#include <immintrin.h>

#include "mpc/core/hash.h"

#define AP_TARGET_AES __attribute__((target("aes,sse4.1")))
#define AP_TARGET_VAES __attribute__((target("aes,vaes,avx512f,avx512dq,avx512bw,avx512vl")))

namespace ap::mpc::kernels {

inline constexpr int kRounds = RoundKeys::kRounds;
inline constexpr int kRegisters = 8;

AP_TARGET_AES inline __attribute__((always_inline)) void load_keys(const RoundKeys& keys,
                                                                   __m128i (&k)[kRounds + 1]) {
  for (int r = 0; r <= kRounds; ++r) k[r] = _mm_load_si128(reinterpret_cast<const __m128i*>(keys.bytes[r]));
}

AP_TARGET_VAES inline __attribute__((always_inline)) void load_keys(const RoundKeys& keys,
                                                                    __m512i (&k)[kRounds + 1]) {
  for (int r = 0; r <= kRounds; ++r) {
    k[r] =
        _mm512_maskz_broadcast_i32x4(0xffff, _mm_load_si128(reinterpret_cast<const __m128i*>(keys.bytes[r])));
  }
}

AP_TARGET_AES inline __attribute__((always_inline)) void permute8(__m128i (&s)[kRegisters],
                                                                  const __m128i (&k)[kRounds + 1]) {
  for (auto& x : s) x = _mm_xor_si128(x, k[0]);
#pragma GCC unroll 9
  for (int r = 1; r < kRounds; ++r) {
#pragma GCC unroll 8
    for (auto& x : s) x = _mm_aesenc_si128(x, k[r]);
  }
  for (auto& x : s) x = _mm_aesenclast_si128(x, k[kRounds]);
}

/// 4 kCount blocks.
template <int kCount>
AP_TARGET_VAES inline __attribute__((always_inline)) void permute32(__m512i (&s)[kCount],
                                                                    const __m512i (&k)[kRounds + 1]) {
  for (auto& x : s) x = _mm512_xor_si512(x, k[0]);
#pragma GCC unroll 9
  for (int r = 1; r < kRounds; ++r) {
#pragma GCC unroll 8
    for (auto& x : s) x = _mm512_aesenc_epi128(x, k[r]);
  }
  for (auto& x : s) x = _mm512_aesenclast_epi128(x, k[kRounds]);
}

}  // namespace ap::mpc::kernels
