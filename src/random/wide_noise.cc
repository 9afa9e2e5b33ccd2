#include "random/wide_noise.h"

#include <algorithm>

#include "base/error.h"

namespace ap {
namespace {

__extension__ using Uint128 = unsigned __int128;

/// Words of the generator for one draw: 128 coins, then U and V in units of 2^-64.
constexpr std::size_t kWords = 4;
/// Draws made together.
constexpr std::size_t kBlock = 256;
constexpr std::int64_t kMeanCoins = 64;

/// The number of bits set, by additions alone: not every processor has an instruction for it.
std::int64_t count_bits(std::uint64_t x) {
  x -= (x >> 1) & 0x5555555555555555ULL;
  x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
  return static_cast<std::int64_t>((x * 0x0101010101010101ULL) >> 56);
}

/// floor(u step / 2^64): uniform below `step`, up to a relative error of step / 2^64.
std::int64_t uniform_below(std::uint64_t u, std::uint64_t step) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>((static_cast<Uint128>(u) * step) >> 64));
}

}  // namespace

void sample_wide_noise(Prng& prng, std::uint64_t step, std::span<std::int64_t> out) {
  AP_ASSERT(step >= 1 && step <= kMaxWideNoiseStep);
  SecretVector<std::uint64_t> words(kWords * std::min(kBlock, out.size()));
  const auto m = static_cast<std::int64_t>(step);
  for (std::size_t at = 0; at < out.size(); at += kBlock) {
    const std::size_t count = std::min(kBlock, out.size() - at);
    prng.fill(std::span<std::uint64_t>(words.data(), kWords * count));
    const std::uint64_t* word = words.data();
    for (std::size_t i = 0; i < count; ++i, word += kWords) {
      const std::int64_t binomial = count_bits(word[0]) + count_bits(word[1]) - kMeanCoins;
      out[at + i] = m * binomial + uniform_below(word[2], step) + uniform_below(word[3], step) - (m - 1);
    }
  }
}

}  // namespace ap
