// Average-case noise of batching (the variance of one coefficient of c0 + c1 s - q m / p) and its
// exact measurement for the checks of that model.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "he/bfv/batch_scheme.h"

namespace ap::bfv {

/// A fresh symmetric encryption, with the rounding of q m / p.
double fresh_variance();
// The estimates depend on the parameters only; the forms that take a context are shorthand.

/// x w for a plaintext of uniform slots: coefficients of w are uniform in (-p/2, p/2).
double plain_product_variance(const BatchParameters& parameters, double x);
inline double plain_product_variance(const BatchContext& context, double x) {
  return plain_product_variance(parameters(context), x);
}
/// What one key switch adds at a level.
double key_switch_variance(const BatchParameters& parameters, std::size_t level);
inline double key_switch_variance(const BatchContext& context, std::size_t level) {
  return key_switch_variance(parameters(context), level);
}
/// After switch_level from level `from` to level `to`.
double switched_variance(const BatchParameters& parameters, double x, std::size_t from, std::size_t to);
inline double switched_variance(const BatchContext& context, double x, std::size_t from, std::size_t to) {
  return switched_variance(parameters(context), x, from, to);
}
/// A product of two ciphertexts before relinearisation, the `depth`-th in a chain of products. An upper
/// estimate for fresh ciphertexts: noise from switching, like the wrap-around that it meets, is a multiple of
/// s, and a power s^k has k! times the energy of independent factors. Hence the factor depth + 1.
double product_variance(const BatchContext& context, double x, double y, int depth = 1);
/// What `flood` adds.
double flood_variance(const BatchParameters& parameters, int flood_bits);
inline double flood_variance(const BatchContext& context, int flood_bits) {
  return flood_variance(parameters(context), flood_bits);
}

/// For each coefficient the centred noise c0 + c1 s - round(q m / p) modulo q. Needs the secret key and the
/// true slots: nothing on the protocol's path calls it.
std::vector<double> measure_noise(const BatchSecretKey& key, const BatchCiphertext& x,
                                  std::span<const std::uint64_t> slots);

}  // namespace ap::bfv
