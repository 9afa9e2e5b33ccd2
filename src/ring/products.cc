#include "ring/products.h"

#include "base/cpu.h"

namespace ap::ring {
namespace {

using std::uint64_t;

// Products below 2^120 that a sum has room for.
constexpr std::size_t kLazyProducts = 128;

void pair(const uint64_t* const* x, const uint64_t* const* y0, const uint64_t* const* y1, std::size_t count,
          const uint64_t* start0, const uint64_t* start1, uint64_t factor, const Modulus& q, uint64_t* out0,
          uint64_t* out1, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    Uint128 sum0 = start0 ? static_cast<Uint128>(start0[j]) * factor : 0;
    Uint128 sum1 = start1 ? static_cast<Uint128>(start1[j]) * factor : 0;
    for (std::size_t t = 0; t < count; ++t) {
      sum0 += static_cast<Uint128>(x[t][j]) * y0[t][j];
      sum1 += static_cast<Uint128>(x[t][j]) * y1[t][j];
    }
    out0[j] = q.reduce(sum0);
    out1[j] = q.reduce(sum1);
  }
}

void weighted(const uint64_t* x, std::size_t count, std::span<const WeightedTerm> terms, WeightShape shape,
              const Modulus& q, uint64_t* out0, uint64_t* out1, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    const std::size_t place = shape.place(j, n);
    Uint128 sum[2] = {0, 0};
    for (std::size_t t = 0; t < terms.size(); ++t) {
      const uint64_t* const at = x + (j / kRun * count + 2 * terms[t].term) * kRun + j % kRun;
      for (std::size_t k = 0; k < 2; ++k) {
        sum[k] += static_cast<Uint128>(at[k * kRun]) * terms[t].weight[place];
        if (t % kLazyProducts == kLazyProducts - 1) sum[k] = q.reduce(sum[k]);
      }
    }
    out0[j] = q.reduce(sum[0]);
    out1[j] = q.reduce(sum[1]);
  }
}

void permute_aside(const uint64_t* x, const Automorphism& map, uint64_t* out, std::size_t count,
                   std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    const std::size_t k = j / 8;
    out[j / kRun * count * kRun + j % kRun] =
        x[8 * static_cast<std::size_t>(map.block[k]) + map.lanes[map.turn[k]][j % 8]];
  }
}

void permute_add(const uint64_t* x, const Automorphism& map, uint64_t q, uint64_t* sum, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    const std::size_t k = j / 8;
    const uint64_t value = x[8 * static_cast<std::size_t>(map.block[k]) + map.lanes[map.turn[k]][j % 8]];
    sum[j] = subtract_if_not_below(sum[j] + value, q);
  }
}

// Without a branch.
uint64_t residue(std::int64_t x, const Modulus& q) {
  const auto sign = static_cast<uint64_t>(x >> 63);  // all ones if x < 0
  const uint64_t size = q.reduce((static_cast<uint64_t>(x) ^ sign) - sign);
  return (size & ~sign) | (q.negate(size) & sign);
}

void residues(const std::int64_t* x, const Modulus& q, uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) out[j] = residue(x[j], q);
}

void mirrored_residues(const std::int64_t* x, const FixedFactor& factor, const Modulus& q, uint64_t* out,
                       std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    const uint64_t mirror = j == 0 ? 0 : residue(x[n - j], q);
    out[j] = q.sub(residue(x[j], q), q.mul_shoup(mirror, factor.value, factor.quotient64));
  }
}

}  // namespace

const ProductKernels& plain_products() {
  static constexpr ProductKernels kKernels{pair,        weighted, permute_aside,
                                           permute_add, residues, mirrored_residues};
  return kKernels;
}

const ProductKernels& products([[maybe_unused]] const Modulus& q) {
#if defined(__x86_64__)
  if (cpu().ifma && q.bits() <= kNarrowPrimeBits) return ifma_products();
#endif
  return plain_products();
}

}  // namespace ap::ring
