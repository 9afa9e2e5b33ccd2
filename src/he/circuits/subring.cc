#include "he/circuits/subring.h"

#include <algorithm>
#include <bit>

#include "base/error.h"

namespace ap::circuits {
namespace {

constexpr std::int64_t kMost = std::int64_t{1} << 62;

}  // namespace

Subring::Subring(rlwe::ContextPtr context, std::size_t slots, bool real)
    : context_(std::move(context)), words_(real ? slots : 2 * slots) {
  if (!std::has_single_bit(slots) || slots < 8 || slots > context_->n() / 2) {
    fail_input("a linear transform of {} slots in a ring of degree {}: take a power of two from 8 to {}",
               slots, context_->n(), context_->n() / 2);
  }
  AP_ASSERT(!real || slots >= kLeastRealSlots);
  shape_ = {std::countr_zero(context_->n() / (2 * slots)), real};
  if (words_ == context_->n()) return;
  for (std::size_t i = 0; i < context_->data() + context_->special(); ++i) {
    const ring::Modulus& q = context_->modulus(i);
    if (!real) {
      tables_.emplace_back(words_, q.value());
      continue;
    }
    tables_.emplace_back(2 * words_, q.value(), ring::NttTables::FirstHalf());
    mirrors_.emplace_back(q, tables_.back().first_root());
  }
}

std::vector<std::int64_t> Subring::coefficients(std::span<const ring::Int128> integers) const {
  AP_ASSERT(integers.size() == context_->n());
  std::vector<std::int64_t> result(words_);
  for (std::size_t j = 0; j < words_; ++j) {
    const ring::Int128 x = integers[j << shape_.log2_gap];
    if (x <= -kMost || x >= kMost) {
      fail_input("a coefficient of an encoded diagonal has more than 62 bits: take a smaller scale");
    }
    result[j] = static_cast<std::int64_t>(x);
  }
  return result;
}

void Subring::transform(std::span<const std::int64_t> coefficients, bool narrow, std::size_t prime,
                        std::span<std::uint64_t> values) const {
  AP_ASSERT(coefficients.size() == words_ && values.size() == words_);
  const ring::Modulus& q = context_->modulus(prime);
  const ring::ProductKernels& kernels = narrow ? ring::products(q) : ring::plain_products();
  if (shape_.mirrored) {
    // Coefficient j + n is the negative of coefficient n - j.
    kernels.mirrored_residues(coefficients.data(), mirrors_[prime], q, values.data(), words_);
  } else {
    kernels.residues(coefficients.data(), q, values.data(), words_);
  }
  tables(prime).forward(values);
}

}  // namespace ap::circuits
