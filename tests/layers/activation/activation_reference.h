// The activation in the clear, written from its definition, and specs for tests.
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "layers/activation/activation_spec.h"

namespace ap::activation {

inline ActivationSpec plain_spec(std::size_t count, int n, int m, int k, int g = 0) {
  ActivationSpec spec;
  spec.inputs = count;
  spec.outputs = count;
  spec.sum_bits = n;
  spec.guard_bits = g;
  spec.clamp_bits = m;
  spec.out_bits = k;
  return spec;
}

/// `spec` with shares modulo in_prime and results modulo out_prime, where these are not 0; g stays.
inline ActivationSpec with_primes(ActivationSpec spec, std::uint64_t in_prime, std::uint64_t out_prime) {
  spec.in_prime = in_prime;
  spec.out_prime = out_prime;
  if (in_prime != 0) spec.sum_bits = static_cast<int>(std::bit_width(in_prime)) - spec.guard_bits;
  if (out_prime != 0) spec.out_bits = static_cast<int>(std::bit_width(out_prime));
  return spec;
}

/// t of one element.
inline std::int64_t sum_of(const ActivationSpec& spec, std::uint64_t a, std::uint64_t b) {
  if (spec.in_prime != 0) {
    const auto p = static_cast<std::int64_t>(spec.in_prime);
    std::int64_t x = static_cast<std::int64_t>((a + b) % spec.in_prime);
    if (2 * x > p) x -= p;
    const std::int64_t unit = std::int64_t{1} << spec.guard_bits;
    return x >= 0 ? x / unit : -((-x + unit - 1) / unit);
  }
  const std::uint64_t modulus = std::uint64_t{1} << spec.share_bits();
  const auto t = static_cast<std::int64_t>(((a + b) % modulus) >> spec.guard_bits);
  const std::int64_t half = std::int64_t{1} << (spec.sum_bits - 1);
  return t >= half ? t - 2 * half : t;
}

/// What the server must learn.
inline std::vector<std::uint64_t> reference(const ActivationSpec& spec, const std::vector<std::uint64_t>& a,
                                            const std::vector<std::uint64_t>& b,
                                            const std::vector<std::uint64_t>& r) {
  std::vector<std::uint64_t> out(spec.outputs);
  const std::int64_t top = (std::int64_t{1} << spec.clamp_bits) - 1;
  for (std::size_t o = 0; o < spec.outputs; ++o) {
    std::int64_t value = INT64_MIN;
    for (std::size_t i = 0; i < spec.pool_size; ++i) {
      const std::size_t at = spec.pooled() ? spec.windows[o * spec.pool_size + i] : o;
      value = std::max(value, sum_of(spec, a[at], b[at]));
    }
    value = std::clamp<std::int64_t>(value, 0, top);
    if (spec.out_prime != 0) {
      out[o] = (static_cast<std::uint64_t>(value) + spec.out_prime - r[o]) % spec.out_prime;
    } else {
      out[o] = (static_cast<std::uint64_t>(value) - r[o]) & ((std::uint64_t{1} << spec.out_bits) - 1);
    }
  }
  return out;
}

}  // namespace ap::activation
