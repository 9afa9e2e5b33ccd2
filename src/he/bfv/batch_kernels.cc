#include "he/bfv/batch_kernels.h"

#include <bit>

#include "base/cpu.h"
#include "base/error.h"

namespace ap::bfv {
namespace {

using std::uint64_t;

void multiply(const uint64_t* x, const FixedFactor& w, const ring::Modulus& q, uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) out[j] = q.mul_shoup(x[j], w.value, w.quotient64);
}

void multiply_add(const uint64_t* x, const FixedFactor& w, const uint64_t* y, const ring::Modulus& q,
                  uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) out[j] = q.add(q.mul_shoup(x[j], w.value, w.quotient64), y[j]);
}

void dot(const uint64_t* const* x, const uint64_t* w, std::size_t count, const ring::Modulus& q,
         uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    ring::Uint128 sum = 0;
    for (std::size_t k = 0; k < count; ++k) sum += static_cast<ring::Uint128>(x[k][j]) * w[k];
    out[j] = q.reduce(sum);
  }
}

void quotient(const uint64_t* const* y, const uint64_t* reciprocal, const int* shift, std::size_t count,
              uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    uint64_t sum = uint64_t{1} << 48;  // one half, in units of 2^-49
    for (std::size_t k = 0; k < count; ++k) {
      sum += static_cast<uint64_t>((static_cast<ring::Uint128>(y[k][j] << shift[k]) * reciprocal[k]) >> 52);
    }
    out[j] = sum >> 49;
  }
}

void add(const uint64_t* x, const uint64_t* y, uint64_t q, uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) out[j] = ring::subtract_if_not_below(x[j] + y[j], q);
}

void subtract(const uint64_t* x, const uint64_t* y, uint64_t q, uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) out[j] = ring::subtract_if_not_below(x[j] + q - y[j], q);
}

void permute(const uint64_t* x, const Automorphism& map, uint64_t* out, std::size_t n) {
  for (std::size_t k = 0; k < n / 8; ++k) {
    const uint64_t* from = x + 8 * static_cast<std::size_t>(map.block[k]);
    const auto& lanes = map.lanes[map.turn[k]];
    for (std::size_t j = 0; j < 8; ++j) out[8 * k + j] = from[lanes[j]];
  }
}

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

const BatchKernels& plain_batch_kernels() {
  static constexpr BatchKernels kKernels{multiply, multiply_add, dot, quotient, add, subtract, permute};
  return kKernels;
}

const BatchKernels& batch_kernels() {
#if defined(__x86_64__)
  if (cpu().ifma) return ifma_batch_kernels();
#endif
  return plain_batch_kernels();
}

}  // namespace ap::bfv
