#include "layers/linear/simd/noise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.h"
#include "he/bfv/batch_noise.h"
#include "he/rlwe/noise.h"
#include "layers/linear/noise_model.h"
#include "random/prng.h"

namespace ap::noise {
namespace {

// batch_decrypt rounds p x / q with an error below 2^-14 for each prime.
double decryption_margin(std::size_t level) { return 1 - 0x1p-13 * static_cast<double>(level); }

// ln of the integral of the normal tail Q from x to infinity: phi(x) - x Q(x).
double ln_tail_integral(double x) {
  const double ln_phi = -0.5 * x * x - 0.5 * std::log(2 * std::numbers::pi);
  if (x > 8) {
    // phi / x^2 (1 - 3/x^2 + 15/x^4 - 105/x^6): the closed form cancels.
    const double y = 1 / (x * x);
    return ln_phi + std::log(y) + std::log1p(y * (-3 + y * (15 - 105 * y)));
  }
  return std::log(std::exp(ln_phi) - x * 0.5 * std::erfc(x / std::numbers::sqrt2));
}

}  // namespace

SimdNoise simd_noise(const linear::SimdTerms& terms, const bfv::BatchParameters& parameters) {
  const double key_switch = rlwe::key_switch_variance(parameters, parameters.data_primes.size());
  const double inputs = static_cast<double>(terms.products) * bfv::fresh_variance() +
                        static_cast<double>(terms.switched) * key_switch;
  const double sum =
      bfv::plain_product_variance(parameters, inputs) + static_cast<double>(terms.rotated) * key_switch;
  // Of the t doublings the k-th adds a key switch that the t - k after it multiply by 2^(t-k), on the
  // multiples of 2^(t-k).
  const int t = terms.doublings;
  const double rows = terms.rows ? 2 : 1, swap = terms.rows ? key_switch : 0;
  SimdNoise noise;
  double held = swap;
  for (int m = 0; m <= t; ++m) {
    if (m < t) held += rows * std::exp2(2 * m) * key_switch;
    const double here = held + (m == t ? rows * std::exp2(2 * t) * sum : 0);
    const double multiples = std::exp2(-m) * parameters.n;
    noise.push_back({here, m == t ? multiples : multiples / 2});
  }
  if (terms.rows) {
    // X -> 1/X doubles the constant coefficient itself.
    noise.back().coefficients -= 1;
    noise.push_back({2 * noise.back().variance, 1});
  }
  return noise;
}

SimdNoise worst_noise(std::span<const linear::SimdTerms> terms, const bfv::BatchParameters& parameters) {
  SimdNoise worst;
  for (const linear::SimdTerms& each : terms) {
    SimdNoise noise = simd_noise(each, parameters);
    if (worst.empty() || noise.back().variance > worst.back().variance) worst = std::move(noise);
  }
  return worst;
}

double mean_variance(const SimdNoise& noise) {
  double sum = 0, count = 0;
  for (const NoiseClass& c : noise) {
    sum += c.variance * c.coefficients;
    count += c.coefficients;
  }
  return sum / count;
}

int flood_bits(const SimdNoise& noise, double replies, int statistical_bits) {
  double magnitude = 0;
  for (const NoiseClass& c : noise) {
    magnitude += c.coefficients * std::sqrt(2 / std::numbers::pi * c.variance);
  }
  return std::max(1, static_cast<int>(std::ceil(std::log2(replies * magnitude) - 1 + statistical_bits)));
}

double log2_exceeds(double threshold, double flood, double sigma) {
  AP_ASSERT(sigma > 0 && flood >= 0);
  if (flood < sigma) {
    // Nearly Gaussian.
    return log2_erfc(std::max(threshold, 0.0) / std::sqrt(2 * (sigma * sigma + flood * flood / 3)));
  }
  // (1 / F) times the integral of Q(x / sigma) from T - F to T + F.
  const double near = (threshold - flood) / sigma, far = (threshold + flood) / sigma;
  double ln = ln_tail_integral(near);
  if (far < 60) ln += std::log1p(-std::exp(ln_tail_integral(far) - ln));
  return std::min(0.0, (ln + std::log(sigma / flood)) * std::numbers::log2e);
}

double log2_der(const SimdNoise& noise, const bfv::BatchParameters& parameters, int flood_bits,
                std::size_t level) {
  const std::size_t primes = parameters.data_primes.size();
  AP_ASSERT(level >= 1 && level <= primes);
  double log2_dropped = 0;
  for (std::size_t i = level; i < primes; ++i) {
    log2_dropped += std::log2(static_cast<double>(parameters.data_primes[i]));
  }
  const double threshold =
      decryption_margin(level) * std::exp2(parameters.log2_q() - log2_dropped - parameters.log2_p() - 1);
  const double flood = std::exp2(flood_bits - log2_dropped);
  // The fresh encryption of zero under the public key.
  const double zero = kErrorSigma * kErrorSigma * (1 + 4.0 * parameters.n / 3);
  double total = -std::numeric_limits<double>::infinity();
  for (const NoiseClass& c : noise) {
    // 1/12: the rounding of the server's share.
    const double variance = rlwe::rescaled_variance(parameters, c.variance + zero + 1.0 / 12, primes, level);
    const double each = log2_exceeds(threshold, flood, std::sqrt(variance)) + std::log2(c.coefficients);
    const double larger = std::max(total, each);
    if (std::isinf(larger)) continue;
    total = larger + std::log2(std::exp2(total - larger) + std::exp2(each - larger));
  }
  return std::min(0.0, total);
}

}  // namespace ap::noise
