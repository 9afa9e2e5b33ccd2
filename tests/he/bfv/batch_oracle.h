// What the batching tests compare with: slot arithmetic straight from the definitions, and big integers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "he/bfv/batch_scheme.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/key_switch.h"
#include "he/rlwe/noise.h"
#include "he/rlwe/wire.h"
#include "tests/he/bfv/oracle.h"
#include "tests/support/big.h"

namespace ap::bfv::oracle {

using ap::oracle::Big;
using Slots = std::vector<std::uint64_t>;

struct BatchShape {
  std::uint32_t n;
  std::vector<int> plain = {}, data = {}, special = {};
  std::uint32_t digits = 0;
  bool products = false;
};

inline BatchContextPtr batch_context(const BatchShape& shape) {
  BatchParameters parameters{{shape.n, {}, {}, shape.digits}, {}, shape.products};
  std::vector<std::uint64_t> taken;
  const auto take = [&](const std::vector<int>& sizes, std::vector<std::uint64_t>& to) {
    for (const int bits : sizes) {
      to.push_back(batch_primes(bits, shape.n, 1, taken).at(0));
      taken.push_back(to.back());
    }
  };
  take(shape.plain, parameters.plain_primes);
  take(shape.data, parameters.data_primes);
  take(shape.special, parameters.special_primes);
  return make_batch_context(parameters);
}

inline Slots random_slots(const BatchContext& context, Prng& prng) {
  Slots slots(context.n());
  sample_uniform(prng, context.p().value(), slots);
  return slots;
}

inline std::uint64_t times(std::uint64_t x, std::uint64_t y, std::uint64_t p) {
  return static_cast<std::uint64_t>(static_cast<ring::Uint128>(x) * y % p);
}

/// Both rows to the left by `step`.
inline Slots rotated(const Slots& slots, int step) {
  const auto columns = static_cast<int>(slots.size() / 2);
  Slots result(slots.size());
  for (int row = 0; row < 2; ++row) {
    for (int i = 0; i < columns; ++i) {
      const int from = ((i + step) % columns + columns) % columns;
      result[static_cast<std::size_t>(row * columns + i)] =
          slots[static_cast<std::size_t>(row * columns + from)];
    }
  }
  return result;
}

inline Slots swapped(const Slots& slots) {
  Slots result(slots);
  std::rotate(result.begin(), result.begin() + static_cast<std::ptrdiff_t>(slots.size() / 2), result.end());
  return result;
}

inline rlwe::Ciphertext encrypt(const BatchContextPtr& context, const rlwe::SecretKey& key,
                                const Slots& slots, Prng& prng) {
  return rlwe::load_seeded(context, batch_encrypt(*context, key, slots, prng));
}

inline Slots decrypt(const BatchContext& context, const rlwe::SecretKey& key, const rlwe::Ciphertext& x) {
  Slots slots(context.n());
  batch_decrypt(context, key, x, slots);
  return slots;
}

inline double variance_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum / static_cast<double>(values.size());
}

}  // namespace ap::bfv::oracle
