// Contexts and messages for the tests of he/rlwe.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "he/rlwe/encrypt.h"
#include "he/rlwe/noise.h"
#include "he/rlwe/wire.h"

namespace ap::rlwe::oracle {

struct Shape {
  std::uint32_t n;
  std::vector<int> data, special = {};
  std::uint32_t digits = 0;
};

/// Primes of those sizes in bits, all distinct.
inline ContextPtr context(const Shape& shape) {
  Parameters parameters{shape.n, {}, {}, shape.digits};
  std::vector<std::uint64_t> taken;
  const auto take = [&](const std::vector<int>& sizes, std::vector<std::uint64_t>& to) {
    for (const int bits : sizes) {
      to.push_back(primes(bits, shape.n, 1, taken).at(0));
      taken.push_back(to.back());
    }
  };
  take(shape.data, parameters.data_primes);
  take(shape.special, parameters.special_primes);
  return std::make_shared<const Context>(parameters);
}

inline Seed seed(std::uint8_t tag) {
  Seed s{};
  s[7] = tag;
  return s;
}

/// N integers in [-2^bits, 2^bits).
inline std::vector<std::int64_t> random_message(std::size_t n, int bits, Prng& prng) {
  std::vector<std::uint64_t> draws(n);
  sample_bits(prng, bits + 1, draws);
  std::vector<std::int64_t> message(n);
  for (std::size_t j = 0; j < n; ++j) {
    message[j] = static_cast<std::int64_t>(draws[j]) - (std::int64_t{1} << bits);
  }
  return message;
}

inline std::uint64_t residue(std::int64_t x, const ring::Modulus& q) {
  const std::uint64_t magnitude = q.reduce(static_cast<std::uint64_t>(std::abs(x)));
  return x < 0 ? q.sub(0, magnitude) : magnitude;
}

/// A fresh encryption of integers, by way of its bytes.
inline Ciphertext encrypt(const ContextPtr& context, const SecretKey& key,
                          const std::vector<std::int64_t>& message, Prng& prng,
                          ErrorSource errors = ErrorSource::centred_binomial) {
  const auto add = [&](std::size_t i, std::span<std::uint64_t> values) {
    const ring::Modulus& q = context->modulus(i);
    for (std::size_t j = 0; j < values.size(); ++j) values[j] = q.add(values[j], residue(message[j], q));
  };
  return load_seeded(context, encrypt_seeded(key, add, prng, errors));
}

/// The phase of x less the message, coefficient by coefficient.
inline std::vector<double> noise(const SecretKey& key, const Ciphertext& x,
                                 const std::vector<std::int64_t>& message) {
  const Context& context = *x.context();
  SecretVector<std::uint64_t> left = phase(key, x);
  for (std::size_t i = 0; i < x.level(); ++i) {
    const ring::Modulus& q = context.modulus(i);
    const std::span<std::uint64_t> part = context.part(std::span(left), i);
    for (std::size_t j = 0; j < part.size(); ++j) part[j] = q.sub(part[j], residue(message[j], q));
  }
  return centred_values(context, left, x.level());
}

inline double mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return sum / static_cast<double>(values.size());
}

inline double largest(const std::vector<double>& values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

/// f(X^element), straight from the definition.
inline std::vector<std::int64_t> image(const std::vector<std::int64_t>& message, std::uint32_t element) {
  const std::size_t n = message.size();
  std::vector<std::int64_t> result(n);
  for (std::size_t j = 0; j < n; ++j) {
    const std::size_t to = j * element % (2 * n);
    result[to % n] = to < n ? message[j] : -message[j];
  }
  return result;
}

}  // namespace ap::rlwe::oracle
