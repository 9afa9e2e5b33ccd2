#include "ring/elementwise.h"

#include "base/cpu.h"

namespace ap::ring {
namespace {

using std::uint64_t;

void multiply(const uint64_t* x, const FixedFactor& w, const Modulus& q, uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) out[j] = q.mul_shoup(x[j], w.value, w.quotient64);
}

void multiply_add(const uint64_t* x, const FixedFactor& w, const uint64_t* y, const Modulus& q, uint64_t* out,
                  std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) out[j] = q.add(q.mul_shoup(x[j], w.value, w.quotient64), y[j]);
}

void dot(const uint64_t* const* x, const uint64_t* w, std::size_t count, const Modulus& q, uint64_t* out,
         std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    Uint128 sum = 0;
    for (std::size_t k = 0; k < count; ++k) sum += static_cast<Uint128>(x[k][j]) * w[k];
    out[j] = q.reduce(sum);
  }
}

void dots(const uint64_t* x, std::size_t count, const DotOutput* outputs, uint64_t* const* out,
          std::size_t number, std::size_t n) {
  for (std::size_t o = 0; o < number; ++o) {
    for (std::size_t j = 0; j < n; ++j) {
      Uint128 sum = 0;
      for (std::size_t k = 0; k < count; ++k) {
        const std::size_t at = (j / kInterleave * count + k) * kInterleave + j % kInterleave;
        sum += static_cast<Uint128>(x[at]) * outputs[o].weights[k];
      }
      out[o][j] = outputs[o].q->reduce(sum);
    }
  }
}

void quotient(const uint64_t* const* y, const uint64_t* reciprocal, const int* shift, std::size_t count,
              uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    uint64_t sum = uint64_t{1} << 48;  // one half, in units of 2^-49
    for (std::size_t k = 0; k < count; ++k) {
      sum += static_cast<uint64_t>((static_cast<Uint128>(y[k][j] << shift[k]) * reciprocal[k]) >> 52);
    }
    out[j] = sum >> 49;
  }
}

void add(const uint64_t* x, const uint64_t* y, uint64_t q, uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) out[j] = subtract_if_not_below(x[j] + y[j], q);
}

void subtract(const uint64_t* x, const uint64_t* y, uint64_t q, uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) out[j] = subtract_if_not_below(x[j] + q - y[j], q);
}

void permute(const uint64_t* x, const Automorphism& map, uint64_t* out, std::size_t n) {
  for (std::size_t k = 0; k < n / 8; ++k) {
    const uint64_t* from = x + 8 * static_cast<std::size_t>(map.block[k]);
    const auto& lanes = map.lanes[map.turn[k]];
    for (std::size_t j = 0; j < 8; ++j) out[8 * k + j] = from[lanes[j]];
  }
}

}  // namespace

const ElementwiseKernels& plain_elementwise() {
  static constexpr ElementwiseKernels kKernels{multiply, multiply_add, dot,      dots,
                                               quotient, add,          subtract, permute};
  return kKernels;
}

const ElementwiseKernels& elementwise([[maybe_unused]] int bits) {
#if defined(__x86_64__)
  if (cpu().ifma) return bits <= kNarrowPrimeBits ? ifma_elementwise() : wide_elementwise();
#endif
  return plain_elementwise();
}

#if defined(__x86_64__)
const ElementwiseKernels& wide_elementwise() {
  static const ElementwiseKernels kKernels{multiply,
                                           multiply_add,
                                           dot,
                                           dots,
                                           quotient,
                                           ifma_elementwise().add,
                                           ifma_elementwise().subtract,
                                           ifma_elementwise().permute};
  return kKernels;
}
#endif

}  // namespace ap::ring
