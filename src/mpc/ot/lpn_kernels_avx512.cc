#if defined(__x86_64__)
#include <immintrin.h>

#include "mpc/ot/lpn_kernels.h"

#define AP_TARGET_AVX512 __attribute__((target("avx512f,avx512vl")))

namespace ap::mpc::kernels {
namespace {

constexpr std::size_t kNumbersPerVector = 16;

}  // namespace

AP_TARGET_AVX512 void lpn_rows_avx512(std::span<const Block> secret, const Block* numbers,
                                      std::span<Block> rows) {
  constexpr __mmask8 kAll = 0xff;  // forms without a mask warn of uninitialised values in some compilers
  constexpr __mmask16 kOddLanes = 0xaaaa;
  constexpr int kXor3 = 0x96;
  constexpr int kLog2Block = 4;
  alignas(64) std::uint32_t offsets[kMaxLpnRows * kLpnWeight];
  const __m512i k = _mm512_set1_epi64(static_cast<long long>(secret.size()));
  const std::size_t count = rows.size() * kLpnWeight;
  for (std::size_t i = 0; i < count; i += kNumbersPerVector) {
    const std::size_t left = count - i;
    const auto present = static_cast<__mmask16>(left < kNumbersPerVector ? (1U << left) - 1 : 0xffff);
    const __m512i uniform = _mm512_maskz_loadu_epi32(present, numbers + i / 4);
    const __m512i even = _mm512_maskz_srli_epi64(kAll, _mm512_maskz_mul_epu32(kAll, uniform, k), 32);
    const __m512i odd = _mm512_maskz_mul_epu32(kAll, _mm512_maskz_srli_epi64(kAll, uniform, 32), k);
    const __m512i index = _mm512_mask_blend_epi32(kOddLanes, even, odd);
    _mm512_store_si512(offsets + i, _mm512_maskz_slli_epi32(0xffff, index, kLog2Block));
  }
  const auto* base = reinterpret_cast<const char*>(secret.data());
  const std::uint32_t* offset = offsets;
  for (Block& row : rows) {
    const auto element = [&](std::size_t j) {
      return _mm_load_si128(reinterpret_cast<const __m128i*>(base + offset[j]));
    };
    __m128i sum = _mm_load_si128(reinterpret_cast<const __m128i*>(&row));
    static_assert(kLpnWeight % 2 == 0);
#pragma GCC unroll 5
    for (std::size_t j = 0; j < kLpnWeight; j += 2) {
      sum = _mm_ternarylogic_epi64(sum, element(j), element(j + 1), kXor3);
    }
    _mm_store_si128(reinterpret_cast<__m128i*>(&row), sum);
    offset += kLpnWeight;
  }
}

}  // namespace ap::mpc::kernels
#endif
