#include "he/rlwe/noise.h"

#include <algorithm>
#include <cmath>

namespace ap::rlwe {
namespace {

constexpr double kSigma2 = kErrorSigma * kErrorSigma;

// |x| of the mixed-radix integer sum_i digits_i q_0 ... q_{i-1}.
double value_of(const Context& context, std::span<const std::uint64_t> residues) {
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

// D / P of each digit of a level.
std::vector<double> digit_ratios(const Parameters& parameters, std::size_t level) {
  const double log2_special = parameters.log2_qp() - parameters.log2_q();
  const std::size_t group = parameters.digit_primes();
  std::vector<double> ratios;
  for (std::size_t first = 0; first < level; first += group) {
    double log2_digit = 0;
    for (std::size_t i = first; i < std::min(first + group, level); ++i) {
      log2_digit += std::log2(static_cast<double>(parameters.data_primes[i]));
    }
    ratios.push_back(std::exp2(log2_digit - log2_special));
  }
  return ratios;
}

}  // namespace

double fresh_variance() { return kSigma2; }

double public_key_variance(std::size_t n) { return kSigma2 * (1 + 4 * static_cast<double>(n) / 3); }

double rounding_variance(std::size_t n) { return (1 + 2 * static_cast<double>(n) / 3) / 12; }

double key_switch_variance(const Parameters& parameters, std::size_t level) {
  double sum = parameters.special_primes.empty() ? 0 : rounding_variance(parameters.n);
  for (const double ratio : digit_ratios(parameters, level)) {
    sum += static_cast<double>(parameters.n) * kSigma2 * (ratio * ratio) / 12;
  }
  return sum;
}

double key_switch_bound(const Parameters& parameters, std::size_t level) {
  const auto n = static_cast<double>(parameters.n);
  double sum = parameters.special_primes.empty() ? 0 : (1 + n) / 2;
  for (const double ratio : digit_ratios(parameters, level)) sum += n * kErrorBound * ratio / 2;
  return sum;
}

double rescaled_variance(const Parameters& parameters, double x, std::size_t from, std::size_t to) {
  if (from == to) return x;
  double log2_dropped = 0;
  for (std::size_t i = to; i < from; ++i) {
    log2_dropped += std::log2(static_cast<double>(parameters.data_primes[i]));
  }
  return x * std::exp2(-2 * log2_dropped) + rounding_variance(parameters.n);
}

std::vector<double> centred_values(const Context& context, std::span<const std::uint64_t> residues,
                                   std::size_t primes) {
  const std::size_t n = context.n();
  std::vector<double> values(n);
  std::vector<std::uint64_t> one(primes), negated(primes);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = 0; i < primes; ++i) {
      one[i] = residues[i * n + j];
      negated[i] = context.modulus(i).negate(one[i]);
    }
    const double up = value_of(context, one), down = value_of(context, negated);
    values[j] = up < down ? up : -down;
  }
  return values;
}

}  // namespace ap::rlwe
