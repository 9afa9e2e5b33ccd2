#include "ring/base_convert.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"

namespace ap::ring {
namespace {

// Coefficients that are prepared together: their terms, at most 65, stay in the nearest caches.
constexpr std::size_t kBlock = 256;
// Terms in all below which threads cost more than they save.
constexpr std::size_t kLeastParallelWords = std::size_t{1} << 17;

std::uint64_t product_mod(std::span<const Modulus> primes, const Modulus& q,
                          std::size_t without = ~std::size_t{0}) {
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < primes.size(); ++i) {
    if (i != without) product = q.mul(product, q.reduce(primes[i].value()));
  }
  return product;
}

std::vector<std::uint64_t> minus_inverse(std::span<const Modulus> dropped, std::span<const Modulus> kept) {
  std::vector<std::uint64_t> factors;
  for (const Modulus& q : kept) factors.push_back(q.negate(q.inverse(product_mod(dropped, q))));
  return factors;
}

// round(sum_k y[k] / q_k) for primes below 2^60 and up to 64 terms: fractions of 57 bits, each up to two units small,
// so wrong only within 2^-50 of a half. reciprocal[k] = floor(2^(63 + bits) / q_k), shift[k] = 64 - bits.
void wide_quotient(const std::uint64_t* const* y, const std::uint64_t* reciprocal, const int* shift,
                   std::size_t count, std::uint64_t* out, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    std::uint64_t sum = std::uint64_t{1} << 56;
    for (std::size_t k = 0; k < count; ++k) sum += multiply_high(y[k][j] << shift[k], reciprocal[k]) >> 6;
    out[j] = sum >> 57;
  }
}

}  // namespace

BaseConverter::BaseConverter(std::span<const Modulus> from, std::span<const Modulus> to,
                             std::span<const std::uint64_t> out_factors, std::uint64_t in_factor)
    : from_(from.begin(), from.end()), to_(to.begin(), to.end()) {
  AP_ASSERT(!from.empty() && from.size() <= 64 && (out_factors.empty() || out_factors.size() == to.size()));
  for (const auto* primes : {&from_, &to_}) {
    for (const Modulus& q : *primes) bits_ = std::max(bits_, q.bits());
  }
  AP_ASSERT(bits_ <= 60);
  const int word = bits_ <= kNarrowPrimeBits ? 52 : 64;
  for (std::size_t i = 0; i < from_.size(); ++i) {
    const Modulus& q = from_[i];
    const std::uint64_t inverse = q.inverse(product_mod(from, q, i));
    factors_.emplace_back(q, q.mul(inverse, q.reduce(in_factor)));
    reciprocals_.push_back(
        static_cast<std::uint64_t>((static_cast<Uint128>(1) << (word - 1 + q.bits())) / q.value()));
    shifts_.push_back((word == 52 ? kNarrowPrimeBits : 64) - q.bits());
  }
  for (std::size_t j = 0; j < to_.size(); ++j) {
    const Modulus& q = to_[j];
    const std::uint64_t factor = out_factors.empty() ? 1 : out_factors[j];
    for (std::size_t i = 0; i < from_.size(); ++i) weights_.push_back(q.mul(product_mod(from, q, i), factor));
    weights_.push_back(q.negate(q.mul(product_mod(from, q), factor)));
  }
}

void BaseConverter::prepare(std::span<const std::uint64_t* const> x, std::size_t n,
                            Prepared& prepared) const {
  AP_ASSERT(x.size() == from_.size() && n % kInterleave == 0);
  const ElementwiseKernels& kernels = elementwise(bits_);
  const auto quotient_kernel = bits_ <= kNarrowPrimeBits ? kernels.quotient : wide_quotient;
  const std::size_t count = x.size(), terms = count + 1;
  prepared.storage_.grow(terms * n);
  prepared.n_ = n;
  const auto prepare_blocks = [&](std::size_t begin, std::size_t end) {
    Scratch rows(terms * kBlock);
    std::vector<const std::uint64_t*> row(terms);
    for (std::size_t first = begin; first < end; first += kBlock) {
      const std::size_t block = std::min(kBlock, n - first);
      for (std::size_t i = 0; i < count; ++i) {
        row[i] = x[i] + first;
        if (factors_[i].value == 1) continue;
        std::uint64_t* const to = rows.data() + i * kBlock;
        kernels.multiply(row[i], factors_[i], from_[i], to, block);
        row[i] = to;
      }
      std::uint64_t* const quotients = rows.data() + count * kBlock;
      quotient_kernel(row.data(), reciprocals_.data(), shifts_.data(), count, quotients, block);
      row[count] = quotients;
      std::uint64_t* to = prepared.storage_.data() + first * terms;
      for (std::size_t j = 0; j < block; j += kInterleave) {
        for (std::size_t i = 0; i < terms; ++i, to += kInterleave) std::copy_n(row[i] + j, kInterleave, to);
      }
    }
  };
  constexpr std::size_t kPart = 32 * kBlock;
  const std::size_t parts = terms * n < kLeastParallelWords ? 1 : (n + kPart - 1) / kPart;
  if (parts == 1) {
    prepare_blocks(0, n);
  } else {
    parallel_for(parts,
                 [&](std::size_t part) { prepare_blocks(part * kPart, std::min(n, (part + 1) * kPart)); });
  }
}

void BaseConverter::outputs(const Prepared& prepared, std::size_t j,
                            std::span<std::uint64_t* const> out) const {
  const std::size_t terms = from_.size() + 1, n = prepared.n_;
  AP_ASSERT(j + out.size() <= to_.size());
  std::vector<DotOutput> outputs;
  outputs.reserve(out.size());
  for (std::size_t k = 0; k < out.size(); ++k) {
    outputs.emplace_back(to_[j + k], weights_.data() + (j + k) * terms);
  }
  elementwise(bits_).dots(prepared.storage_.data(), terms, outputs.data(), out.data(), out.size(), n);
}

void BaseConverter::output(const Prepared& prepared, std::size_t j, std::span<std::uint64_t> out) const {
  AP_ASSERT(out.size() == prepared.n_);
  std::uint64_t* const to[] = {out.data()};
  outputs(prepared, j, to);
}

ScaleDown::ScaleDown(std::span<const Modulus> dropped, std::span<const Modulus> kept, std::uint64_t factor)
    : converter(dropped, kept, minus_inverse(dropped, kept), factor) {
  for (const Modulus& q : kept) {
    kept_factor.emplace_back(q, q.mul(q.reduce(factor), q.inverse(product_mod(dropped, q))));
  }
}

}  // namespace ap::ring
