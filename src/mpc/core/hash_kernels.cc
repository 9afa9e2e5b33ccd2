// The hash and the permutation with AES instructions.
#if defined(__x86_64__)
#include <array>

#include "mpc/core/aes_registers.h"

namespace ap::mpc::kernels {
namespace {

template <int kConstant>
AP_TARGET_AES __m128i next_round_key(__m128i key) {
  const __m128i word = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(key, kConstant), 0xff);
  key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
  key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
  return _mm_xor_si128(key, word);
}

}  // namespace

AP_TARGET_AES void expand_key_aesni(const Block& key, RoundKeys& keys) {
  __m128i k[kRounds + 1];
  k[0] = _mm_load_si128(reinterpret_cast<const __m128i*>(&key));
  k[1] = next_round_key<0x01>(k[0]);
  k[2] = next_round_key<0x02>(k[1]);
  k[3] = next_round_key<0x04>(k[2]);
  k[4] = next_round_key<0x08>(k[3]);
  k[5] = next_round_key<0x10>(k[4]);
  k[6] = next_round_key<0x20>(k[5]);
  k[7] = next_round_key<0x40>(k[6]);
  k[8] = next_round_key<0x80>(k[7]);
  k[9] = next_round_key<0x1b>(k[8]);
  k[10] = next_round_key<0x36>(k[9]);
  for (int r = 0; r <= kRounds; ++r) _mm_store_si128(reinterpret_cast<__m128i*>(keys.bytes[r]), k[r]);
}

namespace {

/// Eight blocks; kHash: the hash with tweaks tweak..tweak + 7, else the bare permutation.
template <bool kHash>
AP_TARGET_AES inline __attribute__((always_inline)) void eight(const Block* in, std::uint64_t tweak,
                                                               Block* out, const __m128i (&k)[kRounds + 1]) {
  __m128i s[kRegisters];
  for (int i = 0; i < kRegisters; ++i) s[i] = _mm_load_si128(reinterpret_cast<const __m128i*>(in + i));
  permute8(s, k);
  if constexpr (kHash) {
    __m128i first[kRegisters];
    for (int i = 0; i < kRegisters; ++i) {
      first[i] = s[i];
      s[i] = _mm_xor_si128(s[i],
                           _mm_cvtsi64_si128(static_cast<long long>(tweak + static_cast<std::uint64_t>(i))));
    }
    permute8(s, k);
    for (int i = 0; i < kRegisters; ++i) s[i] = _mm_xor_si128(s[i], first[i]);
  }
  for (int i = 0; i < kRegisters; ++i) _mm_store_si128(reinterpret_cast<__m128i*>(out + i), s[i]);
}

template <bool kHash>
AP_TARGET_AES void run_aesni(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out,
                             std::size_t count) {
  __m128i k[kRounds + 1];
  load_keys(keys, k);
  std::size_t at = 0;
  for (; at + kRegisters <= count; at += kRegisters) eight<kHash>(in + at, tweak + at, out + at, k);
  if (at < count) {
    std::array<Block, kRegisters> tail{};
    for (std::size_t i = at; i < count; ++i) tail[i - at] = in[i];
    eight<kHash>(tail.data(), tweak + at, tail.data(), k);
    for (std::size_t i = at; i < count; ++i) out[i] = tail[i - at];
  }
}

template <bool kHash>
AP_TARGET_VAES inline __attribute__((always_inline)) void thirty_two(const Block* in, std::uint64_t tweak,
                                                                     Block* out,
                                                                     const __m512i (&k)[kRounds + 1]) {
  __m512i s[kRegisters];
  for (int i = 0; i < kRegisters; ++i) s[i] = _mm512_loadu_si512(in + 4 * i);
  permute32(s, k);
  if constexpr (kHash) {
    __m512i first[kRegisters];
    const auto t = static_cast<long long>(tweak);
    __m512i tweaks = _mm512_add_epi64(_mm512_set_epi64(0, 3, 0, 2, 0, 1, 0, 0),
                                      _mm512_maskz_set1_epi64(0x55, t));  // 0x55: the low half of each block
    const __m512i step = _mm512_maskz_set1_epi64(0x55, 4);
    for (int i = 0; i < kRegisters; ++i) {
      first[i] = s[i];
      s[i] = _mm512_xor_si512(s[i], tweaks);
      tweaks = _mm512_add_epi64(tweaks, step);
    }
    permute32(s, k);
    for (int i = 0; i < kRegisters; ++i) s[i] = _mm512_xor_si512(s[i], first[i]);
  }
  for (int i = 0; i < kRegisters; ++i) _mm512_storeu_si512(out + 4 * i, s[i]);
}

template <bool kHash>
AP_TARGET_VAES void run_vaes(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out,
                             std::size_t count) {
  __m512i k[kRounds + 1];
  load_keys(keys, k);
  constexpr std::size_t kBlocks = 4 * kRegisters;
  std::size_t at = 0;
  for (; at + kBlocks <= count; at += kBlocks) thirty_two<kHash>(in + at, tweak + at, out + at, k);
  if (at < count) {
    std::array<Block, kBlocks> tail{};
    for (std::size_t i = at; i < count; ++i) tail[i - at] = in[i];
    thirty_two<kHash>(tail.data(), tweak + at, tail.data(), k);
    for (std::size_t i = at; i < count; ++i) out[i] = tail[i - at];
  }
}

}  // namespace

void hash_aesni(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out, std::size_t count) {
  run_aesni<true>(keys, in, tweak, out, count);
}
void hash_vaes(const RoundKeys& keys, const Block* in, std::uint64_t tweak, Block* out, std::size_t count) {
  run_vaes<true>(keys, in, tweak, out, count);
}
void permute_aesni(const RoundKeys& keys, const Block* in, Block* out, std::size_t count) {
  run_aesni<false>(keys, in, 0, out, count);
}
void permute_vaes(const RoundKeys& keys, const Block* in, Block* out, std::size_t count) {
  run_vaes<false>(keys, in, 0, out, count);
}

}  // namespace ap::mpc::kernels
#endif
