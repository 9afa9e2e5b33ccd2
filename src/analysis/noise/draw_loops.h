// Loops of draw_kernels.h, in an unnamed namespace: every file that includes this gets its own copies, for
// the instruction set that is on at the point of inclusion. Includes nothing, for the same reason: include
// analysis/noise/counter_random.h, <bit>, <cstddef>, <cstdint> and <cstring> before.
#pragma once

namespace ap::noise {
namespace {

constexpr std::size_t kLanes = 16;  ///< of the errors drawn together, whatever the instruction set

// With its own copy of the stack, which is less aligned than vectors of 512 bits, the address sanitizer of
// GCC 12 breaks functions that keep such vectors there (GCC bug 110027). These touch memory through their
// arguments in plain sight only.
#define AP_VECTORS_ON_STACK __attribute__((no_sanitize_address))

/// The words of elements first .. first + kLanes - 1; first even.
AP_VECTORS_ON_STACK inline void draw_words(std::uint64_t key, std::size_t first, std::uint32_t* words) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t bits[kLanes / 2];
  for (std::size_t i = 0; i < kLanes / 2; ++i) bits[i] = counter_bits(key, first / 2 + i);
  std::memcpy(words, bits, sizeof bits);
}

/// Counters of this key are those of `key` plus 2^63, as their step is odd.
constexpr std::uint64_t second_key(std::uint64_t key) { return key ^ std::uint64_t{1} << 63; }

AP_VECTORS_ON_STACK inline void uniform_below(std::uint64_t key, std::int32_t top, std::uint32_t mask,
                                              std::size_t n, std::int32_t* __restrict out) {
  std::size_t i = 0;
  std::uint32_t words[kLanes];
  const auto difference = [=](std::uint32_t word) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(top) - (word & mask));
  };
  for (; i + kLanes <= n; i += kLanes) {
    draw_words(key, i, words);
    for (std::size_t k = 0; k < kLanes; ++k) out[i + k] = difference(words[k]);
  }
  if (i == n) return;
  draw_words(key, i, words);
  for (std::size_t k = 0; i < n; ++i, ++k) out[i] = difference(words[k]);
}

AP_VECTORS_ON_STACK inline void extremes(const std::int32_t* values, std::size_t n, std::int32_t& least,
                                         std::int32_t& largest) {
  std::int32_t low = values[0], high = values[0];
  for (std::size_t i = 1; i < n; ++i) {
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
  }
  least = low;
  largest = high;
}

}  // namespace
}  // namespace ap::noise
