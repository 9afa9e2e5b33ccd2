// Contexts, keys and slots for the tests of he/ckks.
#pragma once

#include <cmath>
#include <complex>
#include <span>
#include <vector>

#include "he/ckks/encoder.h"
#include "he/ckks/encrypt.h"
#include "he/ckks/evaluate.h"
#include "tests/he/rlwe/small_context.h"

namespace ap::ckks::oracle {

using Complex = std::complex<double>;
using Vector = std::vector<Complex>;

/// Slots uniform in the square of side 2 `size` around 0.
inline Vector random_slots(std::size_t count, double size, Prng& prng) {
  const auto draw = [&] { return size * (static_cast<double>(prng.next64() >> 11) * 0x1p-52 - 1); };
  Vector slots(count);
  for (Complex& slot : slots) {
    const double re = draw();
    slot = {re, draw()};
  }
  return slots;
}

inline double mean_square(std::span<const Complex> x) {
  double sum = 0;
  for (const Complex& value : x) sum += std::norm(value);
  return sum / static_cast<double>(x.size());
}
inline Vector difference(std::span<const Complex> x, std::span<const Complex> y) {
  Vector result(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) result[j] = x[j] - y[j];
  return result;
}
inline double largest(std::span<const Complex> x) {
  double most = 0;
  for (const Complex& value : x) most = std::max(most, std::abs(value));
  return most;
}
/// f of each pair.
inline Vector each(std::span<const Complex> x, std::span<const Complex> y, auto f) {
  Vector result(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) result[j] = f(x[j], y[j]);
  return result;
}

struct World {
  explicit World(const rlwe::oracle::Shape& shape)
      : context(rlwe::oracle::context(shape)), encoder(context), key(context, prng) {}

  Ciphertext encrypt(std::span<const Complex> slots, const Scale& scale) {
    return load_seeded(context, scale, encrypt_seeded(encoder, key, slots, scale, prng));
  }
  Vector decrypt(const Ciphertext& x) {
    const Slots slots = ckks::decrypt(encoder, key, x, encoder.max_slots());
    return {slots.begin(), slots.end()};
  }
  rlwe::GaloisKeys rotation_keys(std::span<const std::int64_t> steps) {
    std::vector<std::uint32_t> elements{conjugation_element(*context)};
    for (const std::int64_t step : steps) elements.push_back(rotation_element(*context, step));
    return {key, elements, prng};
  }

  Prng prng{rlwe::oracle::seed(5)};
  rlwe::ContextPtr context;
  Encoder encoder;
  rlwe::SecretKey key;
};

}  // namespace ap::ckks::oracle
