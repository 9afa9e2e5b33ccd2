#include "he/bfv/batch_noise.h"

#include <cmath>

#include "he/rlwe/evaluate.h"
#include "he/rlwe/noise.h"

namespace ap::bfv {

double fresh_variance() { return rlwe::fresh_variance() + 1.0 / 12; }

double plain_product_variance(const BatchParameters& parameters, double x) {
  const auto p = static_cast<double>(parameters.p());
  return x * static_cast<double>(parameters.n) * p * p / 12;
}

double product_variance(const BatchContext& context, double x, double y, int depth) {
  const auto n = static_cast<double>(context.n());
  const auto p = static_cast<double>(context.p().value());
  // p (e1 K2 + K1 e2) with K = (c0 + c1 s) / q over the integers; then the rounding of three polynomials,
  // that of c2 under s^2.
  return (depth + 1) * n * p * p * rlwe::rounding_variance(context.n()) * (x + y) +
         rlwe::rounding_variance(context.n()) + 2 * 4 * n * n / 9 / 12;
}

double flood_variance(const BatchParameters& parameters, int flood_bits) {
  return std::exp2(2 * flood_bits) / 3 + rlwe::public_key_variance(parameters.n);
}

std::vector<double> measure_noise(const BatchContext& context, const rlwe::SecretKey& key,
                                  const rlwe::Ciphertext& x, std::span<const std::uint64_t> slots) {
  // The difference to a noiseless encryption of the same slots.
  rlwe::Ciphertext exact(x.context(), x.level()), difference(x);
  add_plain(context, exact, slots);
  rlwe::subtract(difference, exact);
  return rlwe::centred_values(context, rlwe::phase(key, difference), x.level());
}

}  // namespace ap::bfv
