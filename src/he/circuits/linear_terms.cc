#include "he/circuits/linear_terms.h"

#include <cmath>
#include <vector>

#include "base/error.h"
#include "he/ckks/evaluate.h"
#include "he/rlwe/polynomial.h"
#include "ring/elementwise.h"

namespace ap::circuits {
namespace {

// round(value scale), below 2^120.
ring::Int128 whole(double value, const ckks::Scale& scale) {
  const ckks::DoubleDouble product = scale.value() * ckks::DoubleDouble(value);
  if (!(std::abs(product.high) < 0x1p120)) {
    fail_input("the constant {} at the scale {} does not fit 120 bits: ask for a lower scale of the result",
               value, scale.text());
  }
  const double high = std::nearbyint(product.high);
  return static_cast<ring::Int128>(high) +
         static_cast<ring::Int128>(std::nearbyint((product.high - high) + product.low));
}

std::uint64_t residue(ring::Int128 x, const ring::Modulus& q) {
  const auto magnitude = static_cast<ring::Uint128>(x < 0 ? -x : x) % q.value();
  return x < 0 ? q.negate(static_cast<std::uint64_t>(magnitude)) : static_cast<std::uint64_t>(magnitude);
}

}  // namespace

void add_terms(ckks::Ciphertext& sum, std::span<const LinearTerm> terms) {
  std::vector<ring::Int128> factors;
  for (const LinearTerm& term : terms) {
    AP_ASSERT(term.x->context() == sum.context() && term.x->degree() == 1 && term.x->level() >= sum.level());
    factors.push_back(whole(term.factor, sum.scale() / term.x->scale()));
  }
  // Prime by prime, so that the sum's values stay in the cache from term to term.
  rlwe::for_parts(*sum.context(), sum.level(), [&](std::size_t i) {
    const ring::Modulus& q = sum.context()->modulus(i);
    for (std::size_t t = 0; t < terms.size(); ++t) {
      const ring::FixedFactor factor(q, residue(factors[t], q));
      if (factor.value == 0) continue;
      for (std::size_t k = 0; k < 2; ++k) {
        const std::span<std::uint64_t> part = sum.polynomials().part(k, i);
        ring::elementwise(q).multiply_add(terms[t].x->polynomials().part(k, i).data(), factor, part.data(), q,
                                          part.data(), part.size());
      }
    }
  });
}

void add_wide_constant(ckks::Ciphertext& sum, double value) {
  const ring::Int128 integer = whole(value, sum.scale());
  for (std::size_t i = 0; i < sum.level(); ++i) {
    const ring::Modulus& q = sum.context()->modulus(i);
    const std::uint64_t term = residue(integer, q);
    for (std::uint64_t& to : sum.polynomials().part(0, i)) to = q.add(to, term);
  }
}

ckks::Ciphertext rescaled_sum(const ckks::Ciphertext& sum, const rlwe::RelinearisationKey& key) {
  if (sum.degree() == 1) return ckks::rescale(sum);
  const std::uint64_t last = sum.context()->modulus(sum.level() - 1).value();
  return {rlwe::relinearise_rescale(sum.polynomials(), key), sum.scale() / ckks::Scale::integer(last)};
}

ckks::Scale exact_scale(double x) {
  if (!(x > 0) || !std::isfinite(x)) fail_input("a scale of {}: it must be positive and finite", x);
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  return ckks::Scale::integer(static_cast<std::uint64_t>(std::ldexp(mantissa, 53))) *
         ckks::Scale::power_of_two(exponent - 53);
}

}  // namespace ap::circuits
