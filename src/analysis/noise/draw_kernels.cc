#include "analysis/noise/draw_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "analysis/noise/counter_random.h"
#include "analysis/noise/draw_kernels_x86.h"
#include "analysis/noise/draw_loops.h"
#include "base/cpu.h"

namespace ap::noise {
namespace {

/// The z that is exceeded in magnitude with the given probability.
double two_sided_quantile(double probability) {
  double low = 0, high = 8;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::numbers::sqrt2) > probability ? low : high) = middle;
  }
  return low;
}

void add_deviations_plain(std::uint64_t key, const float* error_std, std::size_t n, std::int32_t* values) {
  std::uint32_t normals[kLanes], uniforms[kLanes];
  for (std::size_t first = 0; first < n; first += kLanes) {
    draw_words(key, first, normals);
    draw_words(second_key(key), first, uniforms);
    for (std::size_t i = first; i < std::min(first + kLanes, n); ++i) {
      const std::int32_t d = rounded_deviation(error_std[i], normals[i - first], uniforms[i - first]);
      values[i] =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(values[i]) + static_cast<std::uint32_t>(d));
    }
  }
}

constexpr DrawKernels kPlainKernels = {"scalar", add_deviations_plain, uniform_below, extremes};

}  // namespace

const NormalPolynomials& NormalPolynomials::instance() {
  static const NormalPolynomials polynomials;
  return polynomials;
}

NormalPolynomials::NormalPolynomials() {
  // Interpolation at the Chebyshev nodes, by Newton's divided differences.
  constexpr int kNodes = kDegree + 1;
  for (int octave = 0; octave < kOctaves; ++octave) {
    double node[kNodes], difference[kNodes], power[kNodes] = {};
    for (int i = 0; i < kNodes; ++i) {
      node[i] = std::cos((2 * i + 1) * std::numbers::pi / (2 * kNodes)) / 2;
      difference[i] = two_sided_quantile(std::ldexp(1.5 + node[i], octave - kOctaves));
    }
    for (int order = 1; order < kNodes; ++order) {
      for (int i = kNodes - 1; i >= order; --i) {
        difference[i] = (difference[i] - difference[i - 1]) / (node[i] - node[i - order]);
      }
    }
    for (int i = kNodes - 1; i >= 0; --i) {
      for (int k = kDegree; k > 0; --k) power[k] = power[k - 1] - node[i] * power[k];
      power[0] = difference[i] - node[i] * power[0];
    }
    for (int k = 0; k < kNodes; ++k) {
      coefficients_[static_cast<std::size_t>(k)][static_cast<std::size_t>(octave)] =
          static_cast<float>(power[k]);
    }
  }
}

float NormalPolynomials::operator()(std::uint32_t word) const {
  // 31 bits as a float: 1/2 for none, and below 2^31. The exponent is the octave.
  const float p = std::min(static_cast<float>(static_cast<std::int32_t>(word >> 1)) + 0.5F, 2147483520.0F);
  const auto bits = std::bit_cast<std::uint32_t>(p);
  const std::size_t octave = (bits >> 23) - 126;
  const float t = std::bit_cast<float>((bits & 0x7fffffU) | 0x3f800000U) - 1.5F;
  float z = coefficients_[kDegree][octave];
  for (std::size_t k = kDegree; k-- > 0;) z = std::fma(z, t, coefficients_[k][octave]);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(z) ^ (word << 31));
}

std::int32_t rounded_deviation(float error_std, std::uint32_t normal_word, std::uint32_t uniform_word) {
  const float u = static_cast<float>(static_cast<std::int32_t>((uniform_word >> 8) | 1)) * 0x1p-24F;
  const float sum = std::fma(error_std, NormalPolynomials::instance()(normal_word), u);
  return static_cast<std::int32_t>(std::floor(std::clamp(sum, -0x1p30F, 0x1p30F)));
}

std::span<const DrawKernels* const> all_draw_kernels() {
  static const std::vector<const DrawKernels*> kernels = [] {
    std::vector<const DrawKernels*> list = {&kPlainKernels};
#if defined(__x86_64__)
    if (cpu().avx2) list.push_back(&kAvx2Draws);
    if (cpu().avx512) list.push_back(&kAvx512Draws);
#endif
    return list;
  }();
  return kernels;
}

const DrawKernels& draw_kernels() { return *all_draw_kernels().back(); }

}  // namespace ap::noise
