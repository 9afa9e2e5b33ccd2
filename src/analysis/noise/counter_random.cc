#include "analysis/noise/counter_random.h"

#include <cmath>
#include <numbers>

namespace ap::noise {

std::uint64_t counter_key(std::uint64_t seed, std::uint64_t image, std::uint64_t layer,
                          std::uint64_t purpose) {
  std::uint64_t key = counter_bits(0x6a09e667f3bcc908ULL, seed);
  for (const std::uint64_t part : {image, layer, purpose}) key = counter_bits(key, part + 1);
  return key;
}

const NormalQuantile& NormalQuantile::instance() {
  static const NormalQuantile table;
  return table;
}

NormalQuantile::NormalQuantile() {
  // Solves erfc(z / sqrt 2) = 2^(exponent - kBits) (1 + i / kSteps) by bisection, largest z first.
  for (int exponent = 0; exponent < kBits; ++exponent) {
    for (std::size_t i = 0; i < kSteps; ++i) {
      const double wanted = std::ldexp(1 + static_cast<double>(i) / kSteps, exponent - kBits);
      double low = 0, high = 8;
      for (int step = 0; step < 50; ++step) {
        const double middle = (low + high) / 2;
        (std::erfc(middle / std::numbers::sqrt2) > wanted ? low : high) = middle;
      }
      knots_.push_back(static_cast<float>(low));
    }
  }
  knots_.push_back(0);
}

}  // namespace ap::noise
