// Values for differential targets: a few bytes of an input decide sizes, and whole arrays, ends of ranges
// included.
#pragma once

#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "fuzz/support/bytes.h"

namespace ap::fuzz {

class Values {
 public:
  explicit Values(ByteView& input)
      : choices_(input), random_(static_cast<std::uint32_t>(choices_.number(4))) {}

  /// In [low, high], from the input.
  std::size_t size(std::size_t low, std::size_t high) { return choices_.between(low, high); }

  /// Of any magnitude; every eighth lies at an end of its type.
  template <typename T>
  T any() {
    using Limits = std::numeric_limits<T>;
    const std::uint64_t word = random_();
    if (word % 8 == 0) {
      const T ends[] = {Limits::min(),
                        Limits::max(),
                        T(0),
                        T(1),
                        static_cast<T>(T(0) - T(1)),
                        static_cast<T>(Limits::max() / 2)};
      return ends[word / 8 % std::size(ends)];
    }
    return static_cast<T>(static_cast<T>(random_()) >> (word / 8 % (8 * sizeof(T))));
  }
  template <typename T>
  std::vector<T> array(std::size_t count) {
    std::vector<T> out(count);
    for (T& v : out) v = any<T>();
    return out;
  }
  /// Below `bound`; every eighth is 0 or bound - 1.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t word = random_();
    return word % 8 == 0 ? (word / 8 % 2 == 0 ? 0 : bound - 1) : random_() % bound;
  }
  std::vector<std::uint64_t> residues(std::size_t count, std::uint64_t bound) {
    std::vector<std::uint64_t> out(count);
    for (std::uint64_t& v : out) v = below(bound);
    return out;
  }

 private:
  Choices choices_;
  std::mt19937_64 random_;
};

/// Bytes for sizes and seeds; the fuzzer finds the rest.
inline std::vector<Bytes> size_seeds() {
  std::vector<Bytes> seeds;
  for (std::uint8_t i = 0; i < 8; ++i) seeds.push_back(Bytes(24, static_cast<std::uint8_t>(i * 37)));
  return seeds;
}

}  // namespace ap::fuzz
