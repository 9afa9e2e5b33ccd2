#include "ring/automorphism.h"

#include <bit>

#include "base/error.h"

namespace ap::ring {
namespace {

std::uint32_t reverse_bits(std::uint32_t x, int bits) {
  std::uint32_t reversed = 0;
  for (int b = 0; b < bits; ++b) reversed |= ((x >> b) & 1) << (bits - 1 - b);
  return reversed;
}

}  // namespace

// Value i is the polynomial at psi^(2 rev(i) + 1), so lane j of block k, with rev3 on three bits, lies at the
// exponent e(k) + (n/4) rev3(j). Times the element modulo 2n, the second part only turns the three top bits
// of rev(i): the lanes within one block.
Automorphism::Automorphism(std::size_t n, std::uint32_t element) : block(n / 8), turn(n / 8) {
  AP_ASSERT(std::has_single_bit(n) && n >= 16 && element % 2 == 1 && element < 2 * n);
  const int bits = std::countr_zero(n);
  for (std::uint32_t k = 0; k < n / 8; ++k) {
    const std::uint64_t exponent = 2 * std::uint64_t{reverse_bits(8 * k, bits)} + 1;
    const auto image = static_cast<std::uint32_t>(exponent * element % (2 * n));
    const std::uint32_t source = reverse_bits(image >> 1, bits);
    block[k] = source >> 3;
    turn[k] = static_cast<std::uint8_t>(reverse_bits(source & 7, 3));
  }
  for (std::uint32_t c = 0; c < 8; ++c) {
    for (std::uint32_t j = 0; j < 8; ++j) {
      lanes[c][j] = reverse_bits((c + element * reverse_bits(j, 3)) & 7, 3);
    }
  }
}

void apply_to_coefficients(std::span<const std::uint64_t> x, std::uint32_t element, const Modulus& q,
                           std::span<std::uint64_t> out) {
  const std::size_t n = x.size();
  AP_ASSERT(std::has_single_bit(n) && element % 2 == 1 && element < 2 * n && out.size() == n);
  std::size_t to = 0;
  for (std::size_t i = 0; i < n; ++i, to = (to + element) & (2 * n - 1)) {
    out[to & (n - 1)] = to < n ? x[i] : q.negate(x[i]);
  }
}

std::uint32_t element_power(std::uint32_t base, std::uint64_t exponent, std::size_t n) {
  AP_ASSERT(std::has_single_bit(n));
  std::uint64_t power = base, result = 1;
  for (; exponent > 0; exponent >>= 1, power = power * power % (2 * n)) {
    if (exponent & 1) result = result * power % (2 * n);
  }
  return static_cast<std::uint32_t>(result);
}

// The order of every element divides n/2.
std::uint32_t inverse_element(std::uint32_t element, std::size_t n) {
  return element_power(element, n / 2 - 1, n);
}

}  // namespace ap::ring
