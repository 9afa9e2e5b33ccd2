// Random errors of whole tensors, drawn by vector instructions: the same bits on every processor, because all
// arithmetic on them is integer or correctly rounded (additions, conversions, fused multiply-adds).
//
// Element i of a tensor gets the 32-bit number half (i mod 2) of counter_bits(key, i / 2), and where it needs
// a second one, the same of counter i / 2 + 2^63.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ap::noise {

/// Which errors a seed stands for: counts up when draws change, so that nobody goes on with numbers that were
/// simulated under others.
inline constexpr std::uint64_t kDrawVersion = 2;

/// The quantile function of the standard normal distribution by polynomials: one for each octave of the
/// probability of a larger magnitude, which has 31 bits. Off by at most 4e-5, and never beyond kLargest.
class NormalPolynomials {
 public:
  static constexpr int kOctaves = 32, kDegree = 4;
  static constexpr float kLargest = 6.5F;
  static const NormalPolynomials& instance();
  /// Coefficient `power` of t for every octave; t in [-1/2, 1/2) is the place in the octave.
  std::span<const float, kOctaves> of_power(int power) const {
    return coefficients_[static_cast<std::size_t>(power)];
  }
  /// A standard normal number: bit 0 of `word` is the sign, the others are the probability.
  float operator()(std::uint32_t word) const;

 private:
  NormalPolynomials();
  alignas(64) std::array<std::array<float, kOctaves>, kDegree + 1> coefficients_{};
};

/// floor(error_std z + u) from two words, z normal and u uniform in (0, 1) with 24 bits; within +-2^30.
std::int32_t rounded_deviation(float error_std, std::uint32_t normal_word, std::uint32_t uniform_word);

struct DrawKernels {
  const char* name;
  /// values[i] += floor(error_std[i] z + u) modulo 2^32 with z normal and u uniform in (0, 1): what the separate
  /// rounding of two shares makes of an error of standard deviation error_std[i] >= 0.
  void (*add_deviations)(std::uint64_t key, const float* error_std, std::size_t n, std::int32_t* values);
  /// out[i] = top - a uniform number in [0, mask]; mask + 1 is a power of two, at most 2^32.
  void (*uniform_below)(std::uint64_t key, std::int32_t top, std::uint32_t mask, std::size_t n,
                        std::int32_t* out);
  /// The least and largest of n > 0 values.
  void (*extremes)(const std::int32_t* values, std::size_t n, std::int32_t& least, std::int32_t& largest);
};

/// The plain kernels, and those of each instruction set that this processor has, fastest last.
std::span<const DrawKernels* const> all_draw_kernels();
/// The fastest.
const DrawKernels& draw_kernels();

}  // namespace ap::noise
