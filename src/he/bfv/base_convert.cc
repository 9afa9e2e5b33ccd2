#include "he/bfv/base_convert.h"

#include "base/error.h"

namespace ap::bfv {
namespace {

std::uint64_t product_mod(std::span<const ring::Modulus> primes, const ring::Modulus& q,
                          std::size_t without = ~std::size_t{0}) {
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < primes.size(); ++i) {
    if (i != without) product = q.mul(product, q.reduce(primes[i].value()));
  }
  return product;
}

std::vector<std::uint64_t> minus_inverse(std::span<const ring::Modulus> dropped,
                                         std::span<const ring::Modulus> kept) {
  std::vector<std::uint64_t> factors;
  for (const ring::Modulus& q : kept) factors.push_back(q.negate(q.inverse(product_mod(dropped, q))));
  return factors;
}

}  // namespace

BaseConverter::BaseConverter(std::span<const ring::Modulus> from, std::span<const ring::Modulus> to,
                             std::span<const std::uint64_t> out_factors, std::uint64_t in_factor)
    : from_(from.begin(), from.end()), to_(to.begin(), to.end()) {
  AP_ASSERT(!from.empty() && from.size() <= 64 && (out_factors.empty() || out_factors.size() == to.size()));
  for (std::size_t i = 0; i < from_.size(); ++i) {
    const ring::Modulus& q = from_[i];
    AP_ASSERT(q.bits() <= kBatchPrimeBits);
    const std::uint64_t inverse = q.inverse(product_mod(from, q, i));
    factors_.emplace_back(q, q.mul(inverse, q.reduce(in_factor)));
    reciprocals_.push_back(
        static_cast<std::uint64_t>((static_cast<ring::Uint128>(1) << (51 + q.bits())) / q.value()));
    shifts_.push_back(50 - q.bits());
  }
  for (std::size_t j = 0; j < to_.size(); ++j) {
    const ring::Modulus& q = to_[j];
    AP_ASSERT(q.bits() <= kBatchPrimeBits);
    const std::uint64_t factor = out_factors.empty() ? 1 : out_factors[j];
    std::vector<std::uint64_t>& weights = weights_.emplace_back();
    for (std::size_t i = 0; i < from_.size(); ++i) weights.push_back(q.mul(product_mod(from, q, i), factor));
    weights.push_back(q.negate(q.mul(product_mod(from, q), factor)));
  }
}

void BaseConverter::prepare(std::span<const std::uint64_t* const> x, std::size_t n,
                            Prepared& prepared) const {
  AP_ASSERT(x.size() == from_.size());
  const BatchKernels& kernels = batch_kernels();
  prepared.storage_.resize((x.size() + 1) * n);
  prepared.terms_.resize(x.size() + 1);
  for (std::size_t i = 0; i < x.size(); ++i) {
    prepared.terms_[i] = x[i];
    if (factors_[i].value == 1) continue;
    kernels.multiply(x[i], factors_[i], from_[i], prepared.storage_.data() + i * n, n);
    prepared.terms_[i] = prepared.storage_.data() + i * n;
  }
  std::uint64_t* quotient = prepared.storage_.data() + x.size() * n;
  kernels.quotient(prepared.terms_.data(), reciprocals_.data(), shifts_.data(), x.size(), quotient, n);
  prepared.terms_[x.size()] = quotient;
}

void BaseConverter::output(const Prepared& prepared, std::size_t j, std::span<std::uint64_t> out) const {
  batch_kernels().dot(prepared.terms_.data(), weights_[j].data(), prepared.terms_.size(), to_[j], out.data(),
                      out.size());
}

ScaleDown::ScaleDown(std::span<const ring::Modulus> dropped, std::span<const ring::Modulus> kept,
                     std::uint64_t factor)
    : converter(dropped, kept, minus_inverse(dropped, kept), factor) {
  for (const ring::Modulus& q : kept) {
    kept_factor.emplace_back(q, q.mul(q.reduce(factor), q.inverse(product_mod(dropped, q))));
  }
}

}  // namespace ap::bfv
