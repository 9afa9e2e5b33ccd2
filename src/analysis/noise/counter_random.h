// Random numbers addressed by a key and a counter instead of drawn in sequence: the same (seed, image, layer,
// element) gets the same number whatever else is simulated, in any order, on any number of threads. Not
// cryptographic: for simulations only.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace ap::noise {

/// 64 well-mixed bits of (key, counter): the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) over a
/// sequence of odd step.
inline std::uint64_t counter_bits(std::uint64_t key, std::uint64_t counter) {
  std::uint64_t z = key + counter * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// A key for one (seed, image, layer, purpose).
std::uint64_t counter_key(std::uint64_t seed, std::uint64_t image, std::uint64_t layer,
                          std::uint64_t purpose);

/// The quantile function of the standard normal distribution, tabulated on a grid that halves towards the tail;
/// right to 1e-4 everywhere and to |z| = 7.1, where 40 bits end.
class NormalQuantile {
 public:
  static const NormalQuantile& instance();
  /// A standard normal number from the low 40 bits of `bits`.
  float operator()(std::uint64_t bits) const {
    // One bit is the sign; the others say with which probability a larger magnitude occurs.
    const std::uint64_t k = bits & ((std::uint64_t{1} << kBits) - 2);
    const int exponent = std::bit_width(k | 1) - 1;
    const std::uint64_t scaled = (k | 1)
                                 << (kBits - exponent);  // 1.fraction with kBits bits behind the point
    const std::uint64_t fraction = scaled & ((std::uint64_t{1} << kBits) - 1);
    const auto index = static_cast<std::size_t>(exponent) * kSteps + (fraction >> (kBits - kStepBits));
    const std::uint64_t rest = fraction & ((std::uint64_t{1} << (kBits - kStepBits)) - 1);
    const float t =
        static_cast<float>(rest) * (1.0F / static_cast<float>(std::uint64_t{1} << (kBits - kStepBits)));
    const float z = knots_[index] + t * (knots_[index + 1] - knots_[index]);
    return bits & 1 ? -z : z;
  }

 private:
  NormalQuantile();
  static constexpr int kBits = 40, kStepBits = 6;
  static constexpr std::size_t kSteps = std::size_t{1} << kStepBits;
  std::vector<float> knots_;
};

}  // namespace ap::noise
