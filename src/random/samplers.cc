// Samplers over the byte stream of random/prng.h. How many bytes each takes is part of the frozen format:
// seeded uploads are expanded by sample_uniform on the other machine.
#include <algorithm>
#include <array>
#include <bit>

#include "base/cpu.h"
#include "base/declassify.h"
#include "base/error.h"
#include "random/prng.h"

namespace ap {
namespace {

constexpr std::size_t kBlock = 1024;

/// Moves the words that are below `bound` once masked to the front, without a branch on them, and returns
/// their number. kChecked: which are discarded is declassified one by one, for a memory checker; else the
/// loop stays tight.
template <bool kChecked, typename Word, typename Kept>
std::size_t keep_below(std::uint64_t bound, Word mask, std::span<const Word> draws, Kept* kept) {
  std::size_t count = 0;
  for (const Word draw : draws) {
    const std::uint64_t value = draw & mask;
    kept[count] = static_cast<Kept>(value);
    auto keeps = static_cast<std::size_t>(value < bound);
    if constexpr (kChecked) declassify(keeps);  // tells nothing about the values that are kept
    count += keeps;
  }
  return count;
}
template <typename Word, typename Kept>
std::size_t keep_below(std::uint64_t bound, Word mask, std::span<const Word> draws, Kept* kept) {
  return declassify_hook != nullptr ? keep_below<true>(bound, mask, draws, kept)
                                    : keep_below<false>(bound, mask, draws, kept);
}

// Draws words of type Word, keeps the low bits, and moves the kept values to the front without a branch on
// them: only the number of discarded values shows. Each round draws exactly as many words as are still
// missing (at most one block).
template <typename Word>
void uniform_by_rejection(Prng& prng, std::uint64_t modulus, std::span<std::uint64_t> out) {
  const int bits = std::bit_width(modulus - 1);
  const Word mask = bits == 0 ? Word{0} : static_cast<Word>(~Word{0} >> (8 * sizeof(Word) - bits));
  SecretVector<Word> block(std::min(kBlock, out.size()));
  std::array<std::uint64_t, kBlock> kept;
  std::size_t at = 0;
  while (at < out.size()) {
    const std::size_t draw = std::min(block.size(), out.size() - at);
    prng.fill(std::span<std::uint8_t>(reinterpret_cast<std::uint8_t*>(block.data()), draw * sizeof(Word)));
    const std::size_t count =
        keep_below(modulus, mask, std::span<const Word>(block).first(draw), kept.data());
    std::copy_n(kept.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(at));
    at += count;
  }
  wipe(kept.data(), sizeof(kept));
}

// popcount(42 random bits) - 21 is the centred binomial of eta = 21: sum of 21 bits minus sum of 21 others,
// with the others complemented. Written without the popcount instruction or a table, so that it vectorises.
inline __attribute__((always_inline)) void binomial_kernel(const std::uint64_t* words, std::int8_t* out,
                                                           std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t x = words[i] & ((std::uint64_t{1} << 42) - 1);
    x -= (x >> 1) & 0x5555555555555555ULL;
    x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
    x += x >> 8;
    x += x >> 16;
    x += x >> 32;
    out[i] = static_cast<std::int8_t>(static_cast<int>(x & 0x7f) - 21);
  }
}

void binomial_plain(const std::uint64_t* words, std::int8_t* out, std::size_t count) {
  binomial_kernel(words, out, count);
}
#if defined(__x86_64__)
__attribute__((target("avx2"))) void binomial_avx2(const std::uint64_t* words, std::int8_t* out,
                                                   std::size_t count) {
  binomial_kernel(words, out, count);
}
__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))) void binomial_avx512(const std::uint64_t* words,
                                                                                   std::int8_t* out,
                                                                                   std::size_t count) {
  binomial_kernel(words, out, count);
}
#endif

auto best_binomial() {
#if defined(__x86_64__)
  if (cpu().avx512) return binomial_avx512;
  if (cpu().avx2) return binomial_avx2;
#endif
  return binomial_plain;
}

}  // namespace

void sample_uniform(Prng& prng, std::uint64_t modulus, std::span<std::uint64_t> out) {
  AP_ASSERT(modulus >= 1);
  if (out.empty()) return;
  if (modulus <= std::uint64_t{1} << 32) {
    uniform_by_rejection<std::uint32_t>(prng, modulus, out);
  } else {
    uniform_by_rejection<std::uint64_t>(prng, modulus, out);
  }
}

void sample_bits(Prng& prng, int bits, std::span<std::uint64_t> out) {
  AP_ASSERT(bits >= 1 && bits <= 64);
  prng.fill(out);
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - bits);
  for (std::uint64_t& value : out) value &= mask;
}

void sample_ternary(Prng& prng, std::span<std::int8_t> out) {
  // 243 = 3^5: a uniform byte below 243 holds five uniform base-3 digits. Bytes of 243 and above are
  // discarded.
  SecretVector<std::uint8_t> block(std::min(kBlock, (out.size() + 4) / 5));
  std::array<std::uint8_t, kBlock> kept;
  std::size_t at = 0;
  while (at < out.size()) {
    const std::size_t draw = std::min(block.size(), (out.size() - at + 4) / 5);
    prng.fill(std::span<std::uint8_t>(block.data(), draw));
    const std::size_t count =
        keep_below(243, std::uint8_t{0xff}, std::span<const std::uint8_t>(block).first(draw), kept.data());
    for (std::size_t i = 0; i < count; ++i) {
      unsigned value = kept[i];
      const std::size_t digits = std::min<std::size_t>(5, out.size() - at);
      for (std::size_t d = 0; d < digits; ++d) {
        const unsigned third = (value * 171) >> 9;  // value / 3 for value < 256, without a division
        out[at++] = static_cast<std::int8_t>(static_cast<int>(value - 3 * third) - 1);
        value = third;
      }
    }
  }
  wipe(kept.data(), sizeof(kept));
}

void sample_error(Prng& prng, std::span<std::int8_t> out) {
  SecretVector<std::uint64_t> block(std::min(kBlock, out.size()));
  static const auto kernel = best_binomial();
  for (std::size_t at = 0; at < out.size(); at += block.size()) {
    const std::size_t count = std::min(block.size(), out.size() - at);
    prng.fill(std::span<std::uint64_t>(block.data(), count));
    kernel(block.data(), out.data() + at, count);
  }
}

}  // namespace ap
