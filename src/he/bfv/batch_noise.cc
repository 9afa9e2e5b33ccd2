#include "he/bfv/batch_noise.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "he/bfv/batch_polynomial.h"

namespace ap::bfv {
namespace {

constexpr double kSigma2 = kErrorSigma * kErrorSigma;

// Of a rounding error (1/12 in each coefficient of c0 and c1) under the ternary secret.
double rounding(double n) { return (1 + 2 * n / 3) / 12; }

// |x| of the mixed-radix integer sum_i digits_i q_0 ... q_{i-1}.
double value_of(const BatchContext& context, std::span<const std::uint64_t> residues) {
  std::vector<std::uint64_t> digits(residues.begin(), residues.end());
  double value = 0, weight = 1;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const ring::Modulus& q = context.modulus(i);
    for (std::size_t k = 0; k < i; ++k) {
      const std::uint64_t prime = q.reduce(context.modulus(k).value());
      digits[i] = q.mul(q.sub(digits[i], q.reduce(digits[k])), q.inverse(prime));
    }
    value += static_cast<double>(digits[i]) * weight;
    weight *= static_cast<double>(q.value());
  }
  return value;
}

}  // namespace

double fresh_variance() { return kSigma2 + 1.0 / 12; }

double plain_product_variance(const BatchParameters& parameters, double x) {
  const auto p = static_cast<double>(parameters.p());
  return x * static_cast<double>(parameters.n) * p * p / 12;
}

double key_switch_variance(const BatchParameters& parameters, std::size_t level) {
  const double log2_special = parameters.log2_qp() - parameters.log2_q();
  double sum = parameters.special_primes.empty() ? 0 : rounding(parameters.n);
  const std::size_t primes = parameters.data_primes.size();
  const std::size_t digits = parameters.digits == 0 ? primes : parameters.digits;
  const std::size_t group = (primes + digits - 1) / digits;
  for (std::size_t first = 0; first < level; first += group) {
    double log2_digit = 0;
    for (std::size_t i = first; i < std::min(first + group, level); ++i) {
      log2_digit += std::log2(static_cast<double>(parameters.data_primes[i]));
    }
    sum += static_cast<double>(parameters.n) * kSigma2 * std::exp2(2 * (log2_digit - log2_special)) / 12;
  }
  return sum;
}

double switched_variance(const BatchParameters& parameters, double x, std::size_t from, std::size_t to) {
  if (from == to) return x;
  double log2_dropped = 0;
  for (std::size_t i = to; i < from; ++i) {
    log2_dropped += std::log2(static_cast<double>(parameters.data_primes[i]));
  }
  return x * std::exp2(-2 * log2_dropped) + rounding(parameters.n);
}

double product_variance(const BatchContext& context, double x, double y, int depth) {
  const auto n = static_cast<double>(context.n());
  const auto p = static_cast<double>(context.p().value());
  // p (e1 K2 + K1 e2) with K = (c0 + c1 s) / q over the integers; then the rounding of three polynomials,
  // that of c2 under s^2.
  return (depth + 1) * n * p * p * rounding(n) * (x + y) + rounding(n) + 2 * 4 * n * n / 9 / 12;
}

double flood_variance(const BatchParameters& parameters, int flood_bits) {
  return std::exp2(2 * flood_bits) / 3 + kSigma2 * (1 + 4.0 * static_cast<double>(parameters.n) / 3);
}

std::vector<double> measure_noise(const BatchSecretKey& key, const BatchCiphertext& x,
                                  std::span<const std::uint64_t> slots) {
  const BatchContext& context = *key.context;
  const std::size_t n = context.n();
  // The difference to a noiseless encryption of the same slots.
  BatchCiphertext exact(x.context, x.level);
  add_plain(exact, slots);
  SecretVector<std::uint64_t> phase(x.c0.begin(), x.c0.end());
  for (std::size_t i = 0; i < x.level; ++i) {
    const std::span<std::uint64_t> part = context.part(std::span(phase), i);
    const std::uint64_t* const left[] = {x.c1.data() + i * n};
    const std::uint64_t* const right[] = {key.s.data() + i * n};
    context.tables(i).multiply_add(left, right, part);
    ring::elementwise().subtract(part.data(), exact.c0.data() + i * n, context.modulus(i).value(),
                                 part.data(), n);
    context.tables(i).inverse(part);
  }
  std::vector<double> noise(n);
  std::vector<std::uint64_t> residues(x.level), negated(x.level);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = 0; i < x.level; ++i) {
      residues[i] = phase[i * n + j];
      negated[i] = context.modulus(i).negate(residues[i]);
    }
    const double up = value_of(context, residues), down = value_of(context, negated);
    noise[j] = up < down ? up : -down;
  }
  return noise;
}

}  // namespace ap::bfv
