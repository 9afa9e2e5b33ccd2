#include "he_only/plan/noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "he/circuits/bootstrap_parameters.h"
#include "he/rlwe/noise.h"
#include "random/wide_noise.h"

namespace ap::he_only {
namespace {

double value_of(const ckks::Scale& scale) { return static_cast<double>(scale.value()); }

// Of rounding a ciphertext's two polynomials, in slots.
double rounding(std::uint32_t n, const ckks::Scale& scale) {
  return n * rlwe::rounding_variance(n) / 2 / std::pow(value_of(scale), 2);
}

// Diagonals are rounded to integers at the scale of the prime that is dropped afterwards.
double encoding(std::uint32_t n, double prime) { return n / 12.0 / (prime * prime); }

std::size_t count(const ShapedTerm& term) {
  std::size_t most = 0;
  for (const auto& row : term.diagonals) {
    std::size_t diagonals = 0;
    for (const auto& one : row) diagonals += one.size();
    most = std::max(most, diagonals);
  }
  return most;
}

// How much larger errors of the argument are in the result, squared, for arguments of this mean square.
double gain(const Polynomial& polynomial, double mean_square) {
  if (std::holds_alternative<Quadratic>(polynomial)) return 4 * mean_square;
  // Slopes of what stands for an activation are about one where its values are; slots are on one range before and after.
  return 4;
}

// Roundings of all levels, in units of one.
double roundings(const Polynomial& polynomial) {
  if (std::holds_alternative<Quadratic>(polynomial)) return 1;
  return std::exp2(2 * std::min(4, depth(polynomial)));
}

}  // namespace

std::vector<double> slot_variances(const Structure& structure, const ShapedNetwork& shaped,
                                   const Choices& choices, const Program& program,
                                   const std::vector<double>& mean_squares) {
  const std::uint32_t n = program.contexts[0].n;
  std::vector<double> variances;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const ProgramStep& step = program.steps[s];
    const Step& what = structure.steps()[s];
    double variance = 0;
    if (what.kind == Step::Kind::input) {
      variance = n * rlwe::fresh_variance() / 2 / std::pow(value_of(step.scale), 2);
    } else if (what.kind == Step::Kind::activation) {
      const auto argument = static_cast<std::size_t>(what.argument);
      const Polynomial& polynomial = choices.polynomials[s].value();
      const double units = program.steps[argument].view.factor / step.view.factor;
      variance = variances[argument] * gain(polynomial, mean_squares[argument]) *
                     (std::holds_alternative<Quadratic>(polynomial) ? 1 : units * units) +
                 rounding(n, step.scale) * roundings(polynomial);
    } else {
      const auto prime = static_cast<double>(program.contexts[step.context].data_primes[step.from - 1]);
      for (const ShapedTerm& term : shaped.terms[s]) {
        const double units = program.steps[term.step].view.factor / step.view.factor;
        const double folded = std::exp2(static_cast<double>(term.folds.size()));
        variance += term.mean_row_square * units * units * variances[term.step];
        variance += folded * static_cast<double>(count(term)) * encoding(n, prime) * mean_squares[term.step];
        // Each fold is a rotation, which rounds once more.
        variance += (2 * folded - 1) * rounding(n, step.scale) *
                    static_cast<double>(shaped.layouts[term.step].ciphertexts);
      }
      if (step.bootstrapped) {
        const circuits::BootstrapParameters set(choices.ring.bootstrap, choices.ring.bootstrap_slots);
        variance += std::exp2(-2 * set.precision_bits());
      }
    }
    variances.push_back(variance);
  }
  return variances;
}

double coefficient_variance(std::uint32_t n, double slot_variance, const ckks::Scale& scale) {
  return 2 * slot_variance * std::pow(value_of(scale), 2) / n;
}

std::uint64_t flood_step(double coefficients, double variance, double inferences, double weights) {
  // Kullback-Leibler divergences in nats: kWideNoiseExcess x^2 / (2 sigma^2) for each coefficient of each answer.
  const double nats = std::numbers::ln2 * kBitsPerWeight * std::max(1.0, weights);
  const double sigma =
      std::sqrt(kWideNoiseExcess * coefficients * inferences * kNoiseMargin * variance / (2 * nats));
  // The bound holds for shifts of at most one step.
  const std::uint64_t step = std::max(
      wide_noise_step(sigma), static_cast<std::uint64_t>(16 * std::sqrt(kNoiseMargin * variance)) + 1);
  return std::min(step, kMaxWideNoiseStep);
}

double bits_per_weight(std::uint64_t flood_step, double coefficients, double variance, double inferences,
                       double weights) {
  const double sigma = wide_noise_sigma(flood_step);
  return kWideNoiseExcess * coefficients * inferences * kNoiseMargin * variance / (2 * sigma * sigma) /
         std::numbers::ln2 / std::max(1.0, weights);
}

}  // namespace ap::he_only
