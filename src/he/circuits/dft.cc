#include "he/circuits/dft.h"

#include <bit>
#include <numbers>
#include <numeric>

#include "base/error.h"

namespace ap::circuits {
namespace {

// exp(2 pi i 5^j / (8 half)) for j < half.
std::vector<Complex> roots(std::size_t half) {
  std::vector<Complex> result(half);
  std::size_t power = 1;
  for (Complex& root : result) {
    root = std::polar(1.0, 2 * std::numbers::pi * static_cast<double>(power) / static_cast<double>(8 * half));
    power = power * 5 % (8 * half);
  }
  return result;
}

/// What a butterfly adds up of the two values that it joins: the upper result first.
struct Butterfly {
  Complex upper_of_upper, upper_of_lower, lower_of_upper, lower_of_lower;
};

// Butterflies of neighbours `half` apart; `of` gives that of a root.
template <typename Of>
DiagonalMatrix butterflies_of(std::size_t slots, std::size_t half, const Of& of) {
  const std::vector<Complex> w = roots(half);
  DiagonalMatrix matrix(slots);
  for (std::size_t i = 0; i < slots; ++i) {
    const Butterfly b = of(w[i % half]);
    if (i % (2 * half) < half) {
      matrix.add(0, i, b.upper_of_upper);
      matrix.add(half, i, b.upper_of_lower);
    } else {
      matrix.add(0, i, b.lower_of_lower);
      matrix.add(slots - half, i, b.lower_of_upper);
    }
  }
  return matrix;
}

// (x, y) -> (x + w y, x - w y).
DiagonalMatrix butterflies(std::size_t slots, std::size_t half) {
  return butterflies_of(slots, half, [](Complex w) { return Butterfly{1, w, 1, -w}; });
}

// (x, y) -> ((x + y) / 2, (x - y) / (2 w)).
DiagonalMatrix inverse_butterflies(std::size_t slots, std::size_t half) {
  return butterflies_of(slots, half, [](Complex w) {
    const Complex inverse = 0.5 * std::conj(w);
    return Butterfly{0.5, 0.5, inverse, -inverse};
  });
}

void check(std::size_t slots, std::span<const int> merged) {
  AP_ASSERT(std::has_single_bit(slots) && slots >= 2);
  AP_ASSERT(std::accumulate(merged.begin(), merged.end(), 0) == std::countr_zero(slots));
  for (const int count : merged) AP_ASSERT(count >= 1);
}

}  // namespace

std::vector<DiagonalMatrix> slots_to_coefficients(std::size_t slots, std::span<const int> merged) {
  check(slots, merged);
  std::vector<DiagonalMatrix> matrices;
  std::size_t half = 1;
  for (const int count : merged) {
    DiagonalMatrix matrix = butterflies(slots, half);
    half *= 2;
    for (int k = 1; k < count; ++k, half *= 2) matrix = butterflies(slots, half) * matrix;
    matrices.push_back(std::move(matrix));
  }
  return matrices;
}

std::vector<DiagonalMatrix> coefficients_to_slots(std::size_t slots, std::span<const int> merged) {
  check(slots, merged);
  std::vector<DiagonalMatrix> matrices;
  std::size_t half = slots / 2;
  for (const int count : merged) {
    DiagonalMatrix matrix = inverse_butterflies(slots, half);
    half /= 2;
    for (int k = 1; k < count; ++k, half /= 2) matrix = inverse_butterflies(slots, half) * matrix;
    matrices.push_back(std::move(matrix));
  }
  return matrices;
}

}  // namespace ap::circuits
