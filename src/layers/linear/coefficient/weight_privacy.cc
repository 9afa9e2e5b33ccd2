#include "layers/linear/coefficient/weight_privacy.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "layers/linear/noise_model.h"
#include "random/prng.h"
#include "random/wide_noise.h"

namespace ap::noise {
namespace {

// Beyond this many standard deviations nothing is counted.
constexpr double kTail = 9;
// Steps of the sums over offsets, in standard deviations.
constexpr double kStep = 1.0 / 32;

double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
/// P(N(0,1) > x).
double above(double x) { return std::erfc(x / std::numbers::sqrt2) / 2; }

/// Integral over t of the information in the sign of N(0,1) - t: what one boundary between two integers tells,
/// wherever it lies.
double information_of_a_boundary() {
  double sum = 0;
  for (double t = -kTail; t <= kTail; t += kStep) sum += density(t) * density(t) / (above(t) * above(-t));
  return sum * kStep;
}

/// Information about a shift in units of the standard deviation, when cells are `width` wide and one begins at
/// `offset`: the sum of (change of probability)^2 / probability.
double information_of_cells(double width, double offset) {
  double sum = 0;
  for (double low = offset - std::ceil((offset + kTail) / width) * width; low < kTail; low += width) {
    const double high = low + width;
    // From the side on which the difference keeps its digits.
    const double probability = low > 0 ? above(low) - above(high) : above(-high) - above(-low);
    const double change = density(low) - density(high);
    if (probability > 0) sum += change * change / probability;
  }
  return sum;
}

/// Of <e, w> for weights of this squared norm.
double variance_of(double weight_norm2) {
  return upload_variance({.weight_norm2 = weight_norm2, .sigma = kErrorSigma});
}

}  // namespace

double rounded_information(double error_std) {
  if (!(error_std > 0)) return 0;
  const double width = 1 / error_std;
  // No two boundaries are near one value.
  if (width > 2 * kTail) {
    static const double boundary = information_of_a_boundary();
    return boundary * error_std;
  }
  if (width < kStep) return 1;
  const int offsets = std::max(8, static_cast<int>(std::ceil(width / kStep)));
  double sum = 0;
  for (int i = 0; i < offsets; ++i) sum += information_of_cells(width, width * (i + 0.5) / offsets);
  return std::min(1.0, sum / offsets);
}

double weight_snr(const WeightExposure& exposure, std::uint64_t noise_step, double error_std) {
  if (exposure.inferences == 0 || exposure.largest_weight == 0) return 0;
  const double sigma = wide_noise_sigma(noise_step);
  return kWideNoiseExcess * static_cast<double>(exposure.inferences) * static_cast<double>(exposure.reads) *
         variance_of(exposure.largest_weight * exposure.largest_weight) * rounded_information(error_std) /
         (sigma * sigma);
}

bool wide_enough(const WeightExposure& exposure, std::uint64_t noise_step) {
  const double sigma = wide_noise_sigma(noise_step);
  return sigma * sigma * (1 + 1e-9) >= kLeastWidth * kLeastWidth * variance_of(exposure.weight_norm2);
}

std::uint64_t noise_step(const WeightExposure& exposure, double error_std) {
  if (exposure.inferences == 0) return 0;
  const double by_rule = std::sqrt(weight_snr(exposure, 1, error_std) / kWeightSnr);
  const double by_width = kLeastWidth * std::sqrt(variance_of(exposure.weight_norm2)) / wide_noise_sigma(1);
  const double wanted = std::max(by_rule, by_width);
  if (wanted > static_cast<double>(kMaxWideNoiseStep)) {
    fail_input(
        "hiding weights of up to {} over {} inferences takes noise of more than 2^{:.0f}; count on fewer "
        "inferences (--privacy-inferences)",
        exposure.largest_weight, exposure.inferences, std::log2(wide_noise_sigma(kMaxWideNoiseStep)));
  }
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(wanted)));
}

double bits_per_weight(double snr) { return snr / (2 * std::numbers::ln2); }

double quarter_octave(double value) {
  if (!(value > 0)) return 0;
  // A little room, so that rounding twice does nothing.
  return std::exp2(std::ceil(4 * std::log2(value) - 1e-9) / 4);
}

}  // namespace ap::noise
