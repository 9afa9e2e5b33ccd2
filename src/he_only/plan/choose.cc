#include "he_only/plan/choose.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "base/error.h"
#include "he_only/plan/noise.h"
#include "random/wide_noise.h"
#include "security/limits.h"

namespace ap::he_only {
namespace {

// Primes of more than 50 bits have slower kernels; special ones are 7 bits longer than those of levels.
constexpr int kMostScaleBits = 43, kLeastScaleBits = 26, kBaseBits = 4, kSpecialBits = 7;
constexpr std::size_t kMostSpecial = 8;

Ring ring_of(std::uint32_t n, std::size_t special, int scale_bits) {
  return {n, scale_bits, scale_bits + kBaseBits, special, scale_bits + kSpecialBits, "", 0};
}

// The largest scale for which `levels` data primes and the special ones are secure; 0 if none.
int largest_scale(std::uint32_t n, std::size_t levels, std::size_t special) {
  const auto l = static_cast<int>(levels), k = static_cast<int>(special);
  // No ring has 128 bits with a longer modulus, and the estimate takes its time.
  constexpr double kBitsPerCoefficient = 0.028;
  if ((l + k) * kLeastScaleBits + kBaseBits + k * kSpecialBits > kBitsPerCoefficient * n) return 0;
  const int limit = security::max_log2_q(n);
  return std::min(kMostScaleBits, (limit - kBaseBits - k * kSpecialBits) / (l + k));
}

// Of one key switch at the top: what reads keys and what transforms.
double switch_cost(std::size_t levels, std::size_t special) {
  const double digits = std::ceil(static_cast<double>(levels) / static_cast<double>(special));
  return (digits + 2) * static_cast<double>(levels + special) +
         1.6 * digits * static_cast<double>(levels + special);
}

}  // namespace

void choose_flooding(const Structure& structure, const std::vector<double>& mean_squares,
                     const Request& request, Chosen& chosen) {
  std::vector<double> squares;
  for (std::size_t s = 0; s < mean_squares.size(); ++s) {
    squares.push_back(std::min(1.0, mean_squares[s]));
  }
  const double slot =
      slot_variances(structure, chosen.shaped, chosen.choices, chosen.program, squares).back();
  const ProgramStep& last = chosen.program.steps.back();
  const std::uint32_t n = chosen.program.contexts[0].n;
  const double coefficient = coefficient_variance(n, slot, last.scale);
  const double coefficients = n * static_cast<double>(chosen.shaped.layouts.back().ciphertexts);
  double noise = 0;
  chosen.inferences = static_cast<std::uint64_t>(request.inferences);
  if (request.inferences > 0) {
    chosen.choices.flood_step = flood_step(coefficients, coefficient, request.inferences, request.weights);
    chosen.bits_per_weight = bits_per_weight(chosen.choices.flood_step, coefficients, coefficient,
                                             request.inferences, request.weights);
    noise = std::pow(wide_noise_sigma(chosen.choices.flood_step), 2);
  }
  const double scale = static_cast<double>(last.scale.value());
  chosen.slot_error = std::sqrt(slot + n * noise / 2 / (scale * scale));
}

Chosen choose(const Structure& structure, Choices choices, const std::vector<double>& mean_squares,
              const Request& request) {
  const std::size_t levels = levels_of(structure, choices.polynomials)[0];
  double best_error = std::numeric_limits<double>::infinity();
  for (std::uint32_t n = 4096; n <= rlwe::kMaxDegree; n *= 2) {
    std::optional<std::size_t> special;
    for (std::size_t k = 1; k <= std::min(levels, kMostSpecial); ++k) {
      // Few bits more or less make no prime fewer: only what would be too coarse is left out.
      if (largest_scale(n, levels, k) <
          std::min(36, std::max(kLeastScaleBits, largest_scale(n, levels, 1) - 4)))
        continue;
      if (!special || switch_cost(levels, k) < switch_cost(levels, *special)) special = k;
    }
    if (!special || largest_scale(n, levels, *special) < kLeastScaleBits) continue;
    Chosen chosen;
    chosen.choices = choices;
    chosen.choices.ring = ring_of(n, *special, largest_scale(n, levels, *special));
    chosen.shaped = shape(structure, n / 2);
    chosen.program = make_program(structure, chosen.shaped, chosen.choices);
    choose_flooding(structure, mean_squares, request, chosen);
    best_error = std::min(best_error, chosen.slot_error);
    if (chosen.slot_error > request.largest_error || chosen.bits_per_weight > 1.001 * kBitsPerWeight)
      continue;
    chosen.lambda_bits = security::lambda_bits(n, chosen.program.log2_qp());
    AP_ASSERT(chosen.lambda_bits >= security::kTargetBits);
    return chosen;
  }
  if (std::isinf(best_error)) {
    fail_input(
        "network {} multiplies {} times in a row, and no ring of 128 bits of security has so many levels; make it "
        "shallower, or bootstrap its activations (--policy uniform)",
        structure.graph().name, levels - 1);
  }
  fail_input(
      "network {} would answer with errors of {:.2g} of its largest score: more than {:.2g}; lower --privacy-inferences or "
      "make it shallower",
      structure.graph().name, best_error, request.largest_error);
}

}  // namespace ap::he_only
