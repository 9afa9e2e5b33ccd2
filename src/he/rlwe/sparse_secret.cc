#include "he/rlwe/sparse_secret.h"

#include <cmath>

#include "base/error.h"
#include "ring/modulus.h"

namespace ap::rlwe {

SecretVector<std::int8_t> sample_sparse_ternary(std::size_t n, std::size_t weight, Prng& prng) {
  AP_ASSERT(weight >= 1 && weight <= n);
  SecretVector<std::int8_t> secret(n);
  SecretVector<std::uint64_t> draws(2 * weight);
  prng.fill(std::span<std::uint64_t>(draws));
  SecretVector<std::uint64_t> left(1);
  for (std::size_t k = 0; k < weight; ++k) {
    // The place among the n - k that are still free; a place that is taken is passed over.
    left[0] = ring::multiply_high(draws[2 * k], n - k);
    const auto sign = static_cast<std::int8_t>(1 - 2 * static_cast<int>(draws[2 * k + 1] >> 63));
    for (std::size_t j = 0; j < n; ++j) {
      const auto here = static_cast<std::uint64_t>(static_cast<std::uint8_t>(secret[j]));
      const std::uint64_t is_free = ((here + 0xff) >> 8) ^ 1;               // 1 if here == 0
      const std::uint64_t is_last = ((left[0] | (0 - left[0])) >> 63) ^ 1;  // 1 if left == 0
      const auto hit = static_cast<std::int8_t>(0 - (is_free & is_last));   // all ones if both
      secret[j] = static_cast<std::int8_t>(secret[j] | (sign & hit));
      // Past the hit it wraps and is not zero again.
      left[0] -= is_free;
    }
  }
  return secret;
}

double log2_sparse_secrets(std::size_t n, std::size_t weight) {
  const auto all = static_cast<double>(n), some = static_cast<double>(weight);
  return some + (std::lgamma(all + 1) - std::lgamma(some + 1) - std::lgamma(all - some + 1)) / std::log(2.0);
}

}  // namespace ap::rlwe
