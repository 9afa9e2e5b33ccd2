#include "he/circuits/subring.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/error.h"

namespace ap::circuits {
namespace {

// Shifted by this much, coefficients below it are what the kernels multiply: at least 0 and below 2^52.
constexpr std::int64_t kShift = std::int64_t{1} << 51;
constexpr std::int64_t kMost = std::int64_t{1} << 62;
constexpr std::size_t kBlock = 512;

}  // namespace

Subring::Subring(rlwe::ContextPtr context, std::size_t slots)
    : context_(std::move(context)), coefficients_(2 * slots) {
  if (!std::has_single_bit(slots) || slots < 8 || slots > context_->n() / 2) {
    fail_input("a linear transform of {} slots in a ring of degree {}: take a power of two from 8 to {}",
               slots, context_->n(), context_->n() / 2);
  }
  if (coefficients_ == context_->n()) return;
  for (std::size_t i = 0; i < context_->data() + context_->special(); ++i) {
    tables_.emplace_back(coefficients_, context_->modulus(i).value());
  }
}

std::vector<std::int64_t> Subring::coefficients(std::span<const ring::Int128> integers) const {
  AP_ASSERT(integers.size() == context_->n());
  const std::size_t gap = context_->n() / coefficients_;
  std::vector<std::int64_t> result(coefficients_);
  for (std::size_t j = 0; j < coefficients_; ++j) {
    const ring::Int128 x = integers[j * gap];
    if (x <= -kMost || x >= kMost) {
      fail_input("a coefficient of an encoded diagonal has more than 62 bits: take a smaller scale");
    }
    result[j] = static_cast<std::int64_t>(x);
  }
  return result;
}

void Subring::transform(std::span<const std::int64_t> coefficients, std::size_t prime,
                        std::span<std::uint64_t> values) const {
  AP_ASSERT(coefficients.size() == coefficients_ && values.size() == coefficients_);
  const ring::Modulus& q = context_->modulus(prime);
  std::uint64_t bits = 0;
  for (const std::int64_t c : coefficients) bits |= static_cast<std::uint64_t>(c < 0 ? -c : c);
  if (bits < static_cast<std::uint64_t>(kShift)) {
    const ring::ElementwiseKernels& kernels = ring::elementwise(q);
    const ring::FixedFactor one(q, 1);
    alignas(64) std::array<std::uint64_t, kBlock> shift, shifted;
    shift.fill(q.negate(q.reduce(static_cast<std::uint64_t>(kShift))));
    for (std::size_t at = 0; at < coefficients_; at += kBlock) {
      const std::size_t count = std::min(kBlock, coefficients_ - at);
      for (std::size_t j = 0; j < count; ++j) {
        shifted[j] = static_cast<std::uint64_t>(coefficients[at + j] + kShift);
      }
      kernels.multiply_add(shifted.data(), one, shift.data(), q, values.data() + at, count);
    }
  } else {
    for (std::size_t j = 0; j < coefficients_; ++j) {
      const std::int64_t c = coefficients[j];
      const std::uint64_t size = q.reduce(static_cast<std::uint64_t>(c < 0 ? -c : c));
      values[j] = c < 0 ? q.negate(size) : size;
    }
  }
  tables(prime).forward(values);
}

// In bit-reversed order value j is that at psi^(2 rev(j) + 1), and psi^(N/2n) is the root of the subring: its value at
// that power of X is number j / (N/2n) of the 2n.
void Subring::expand(std::span<const std::uint64_t> values, std::span<std::uint64_t> out) const {
  AP_ASSERT(values.size() == coefficients_ && out.size() == context_->n());
  const std::size_t gap = out.size() / coefficients_;
  if (gap == 1) {
    if (values.data() != out.data()) std::ranges::copy(values, out.begin());
    return;
  }
  // Upwards: what is overwritten has been read.
  for (std::size_t j = 0; j < coefficients_; ++j) {
    const std::uint64_t value = values[j];
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(j * gap), gap, value);
  }
}

}  // namespace ap::circuits
