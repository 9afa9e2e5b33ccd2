// Layers of activations for the tests of every protocol: random shares, all pairs of small ones, sums around every
// boundary, windows that overlap.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "random/prng.h"
#include "tests/layers/activation/activation_reference.h"

namespace ap::activation {

struct TestLayer {
  ActivationSpec spec;
  std::vector<std::uint64_t> a;
  std::vector<std::uint64_t> b;
  std::vector<std::uint64_t> r;
  std::vector<std::uint64_t> result;
};

inline TestLayer random_layer(const ActivationSpec& spec, Prng& prng) {
  TestLayer layer{spec, {}, {}, {}, {}};
  layer.a.resize(spec.inputs);
  layer.b.resize(spec.inputs);
  layer.r.resize(spec.outputs);
  const auto sample = [&](std::uint64_t prime, int bits, std::vector<std::uint64_t>& words) {
    if (prime != 0) {
      sample_uniform(prng, prime, words);
    } else {
      sample_bits(prng, bits, words);
    }
  };
  sample(spec.in_prime, spec.share_bits(), layer.a);
  sample(spec.in_prime, spec.share_bits(), layer.b);
  sample(spec.out_prime, spec.out_bits, layer.r);
  return layer;
}

/// Every pair of shares once.
inline TestLayer all_pairs(int n, int m, int k, int g, Prng& prng) {
  const std::size_t side = std::size_t{1} << (n + g);
  TestLayer layer = random_layer(plain_spec(side * side, n, m, k, g), prng);
  for (std::size_t i = 0; i < side * side; ++i) {
    layer.a[i] = i % side;
    layer.b[i] = i / side;
  }
  return layer;
}

/// Sums around every boundary, by shares at theirs, then `random` random ones; outputs' masks at both ends.
inline TestLayer edges(int n, int m, int k, int g, std::size_t random, Prng& prng) {
  const std::uint64_t modulus = std::uint64_t{1} << (n + g), unit = std::uint64_t{1} << g;
  std::vector<std::uint64_t> sums;
  for (const std::uint64_t edge : {std::uint64_t{0}, unit, (unit << m) % modulus, modulus / 2, modulus / 4}) {
    for (std::uint64_t off = 0; off < 5; ++off) sums.push_back((edge + modulus + off - 2) % modulus);
    sums.push_back((edge + modulus - unit) % modulus);
  }
  TestLayer layer = random_layer(plain_spec(4 * sums.size() + random, n, m, k, g), prng);
  for (std::size_t i = 0; i < 4 * sums.size(); ++i) {
    if (i % 4 == 1) layer.b[i] = 0;
    if (i % 4 == 2) layer.b[i] = modulus - 1;
    if (i % 4 == 3) layer.b[i] = modulus / 2;
    layer.a[i] = (sums[i / 4] + modulus - layer.b[i]) % modulus;
  }
  for (std::size_t i = 0; i < layer.r.size(); i += 5) layer.r[i] = i % 2 ? 0 : (std::uint64_t{1} << k) - 1;
  return layer;
}

/// The same, where every other random sum is small, which random shares of wide words do not hit.
inline TestLayer edges_and_small_sums(int n, int m, int k, int g, std::size_t random, Prng& prng) {
  const std::uint64_t modulus = std::uint64_t{1} << (n + g);
  TestLayer layer = edges(n, m, k, g, random, prng);
  for (std::size_t i = layer.a.size() - random; i < layer.a.size(); i += 2) {
    const std::uint64_t sum = prng.next64() >> (64 - std::min(n + g, m + g + 1));
    layer.a[i] = (sum + modulus - layer.b[i]) % modulus;
  }
  return layer;
}

/// A square map pooled with a border of one: indices outside are clamped, so repeated.
inline ActivationSpec overlapping_windows(int side, int size, int stride, int n, int m, int k, int g) {
  const auto width = static_cast<std::size_t>(side);
  ActivationSpec spec = plain_spec(width * width, n, m, k, g);
  spec.pool_size = static_cast<std::size_t>(size * size);
  spec.outputs = 0;
  for (int y = -1; y < side; y += stride) {
    for (int x = -1; x < side; x += stride) {
      for (int d = 0; d < size * size; ++d) {
        const int row = std::clamp(y + d / size, 0, side - 1), column = std::clamp(x + d % size, 0, side - 1);
        spec.windows.push_back(static_cast<std::uint32_t>(row * side + column));
      }
      ++spec.outputs;
    }
  }
  return spec;
}

/// Ten windows of one repeated element, then ten of random ones.
inline ActivationSpec odd_windows(Prng& prng) {
  ActivationSpec spec = plain_spec(50, 10, 8, 18);
  spec.pool_size = 7;
  spec.outputs = 20;
  for (std::size_t i = 0; i < 140; ++i)
    spec.windows.push_back(i < 70 ? 3 : static_cast<std::uint32_t>(prng.next64() % 50));
  return spec;
}

}  // namespace ap::activation
