// Average-case noise of batching (the variance of one coefficient of c0 + c1 s - q m / p) and its
// exact measurement for the checks of that model. What all schemes share is in he/rlwe/noise.h.
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
std::vector<double> measure_noise(const BatchContext& context, const rlwe::SecretKey& key,
                                  const rlwe::Ciphertext& x, std::span<const std::uint64_t> slots);

}  // namespace ap::bfv
