#include "he/ckks/noise.h"

#include <cmath>

namespace ap::ckks {

double slot_deviation(std::size_t n, double variance, const Scale& scale) {
  return std::sqrt(static_cast<double>(n) * variance) / static_cast<double>(scale.value());
}

double precision_bits(std::size_t n, double variance, const Scale& scale) {
  return -std::log2(slot_deviation(n, variance, scale) / std::sqrt(2.0));
}

double plain_product_variance(double x, double message_norm2, double plain_norm2, double plain_rounding) {
  return x * plain_norm2 + plain_rounding * message_norm2;
}

double product_variance(std::size_t n, double x, double x_norm2, double y, double y_norm2) {
  return x * y_norm2 + y * x_norm2 + static_cast<double>(n) * x * y;
}

// The mean square of the N/2 slots is the sum of squares of the coefficients.
double norm2(double slot_mean_square, const Scale& scale) {
  const auto value = static_cast<double>(scale.value());
  return slot_mean_square * value * value;
}

double multiply_rescale_variance(const rlwe::Parameters& parameters, std::size_t level, double product) {
  const double rounding = rlwe::rounding_variance(parameters.n);
  const double special = parameters.special_primes.empty() ? 0 : rounding;
  const double switched = rlwe::key_switch_variance(parameters, level) - special;
  const auto last = static_cast<double>(parameters.data_primes[level - 1]);
  return (product + switched) / (last * last) + rounding;
}

}  // namespace ap::ckks
