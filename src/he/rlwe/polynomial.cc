#include "he/rlwe/polynomial.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "ring/products.h"

namespace ap::rlwe {

void small_to_ntt(const Context& context, std::span<const std::int8_t> small, std::size_t i,
                  std::span<std::uint64_t> out) {
  const std::uint64_t q = context.modulus(i).value();
  for (std::size_t j = 0; j < out.size(); ++j) out[j] = small_residue(small[j], q);
  context.tables(i).forward(out);
}

SecretVector<std::uint64_t> small_polynomial(const Context& context, std::span<const std::int8_t> small,
                                             std::size_t primes) {
  SecretVector<std::uint64_t> polynomial(primes * context.n());
  for (std::size_t i = 0; i < primes; ++i) {
    small_to_ntt(context, small, i, context.part(std::span(polynomial), i));
  }
  return polynomial;
}

SecretVector<std::uint64_t> draw_ternary(const Context& context, std::size_t primes, Prng& prng) {
  SecretVector<std::int8_t> small(context.n());
  sample_ternary(prng, small);
  return small_polynomial(context, small, primes);
}

void add_product(const Context& context, std::size_t i, std::span<const std::uint64_t> x,
                 std::span<const std::uint64_t> y, std::span<std::uint64_t> sum) {
  const std::uint64_t* const left[] = {x.data()};
  const std::uint64_t* const right[] = {y.data()};
  context.tables(i).multiply_add(left, right, sum);
}

void subtract_product(const Context& context, std::size_t i, std::span<const std::uint64_t> x,
                      std::span<const std::uint64_t> y, std::span<std::uint64_t> sum) {
  SecretVector<std::uint64_t> product(context.n());
  add_product(context, i, x, y, product);
  const ring::Modulus& q = context.modulus(i);
  ring::elementwise(q).subtract(sum.data(), product.data(), q.value(), sum.data(), sum.size());
}

void product_pair(const Context& context, std::size_t i, std::span<const std::uint64_t> x,
                  std::span<const std::uint64_t> y0, std::span<const std::uint64_t> y1,
                  const std::uint64_t* start0, const std::uint64_t* start1, std::span<std::uint64_t> out0,
                  std::span<std::uint64_t> out1) {
  const ring::Modulus& q = context.modulus(i);
  if (q.bits() <= ring::kNarrowPrimeBits) {
    const std::uint64_t* const terms[] = {x.data(), y0.data(), y1.data()};
    ring::products(q).pair(&terms[0], &terms[1], &terms[2], 1, start0, start1, 1, q, out0.data(), out1.data(),
                           x.size());
    return;
  }
  const auto begin = [&](const std::uint64_t* start, std::span<std::uint64_t> out) {
    if (start == nullptr) {
      std::ranges::fill(out, 0);
    } else if (start != out.data()) {
      std::copy_n(start, out.size(), out.begin());
    }
  };
  begin(start0, out0);
  begin(start1, out1);
  add_product(context, i, x, y0, out0);
  add_product(context, i, x, y1, out1);
}

void product_start(const Context& context, std::size_t i, const Ciphertext& x, const Ciphertext& y,
                   std::span<std::uint64_t> out0, std::span<std::uint64_t> out1) {
  product_pair(context, i, x.part(0, i), y.part(0, i), y.part(1, i), nullptr, nullptr, out0, out1);
  add_product(context, i, x.part(1, i), y.part(0, i), out1);
}

void for_parts(const Context& context, std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count * context.n() >= kLeastParallelWords) {
    parallel_for(count, body);
  } else {
    for (std::size_t i = 0; i < count; ++i) body(i);
  }
}

void check_factors(const Ciphertext& x, const Ciphertext& y) {
  AP_ASSERT(x.context() == y.context() && x.level() == y.level() && x.degree() == 1 && y.degree() == 1 &&
            x.form() == Form::ntt && y.form() == Form::ntt);
}

std::vector<const std::uint64_t*> parts(const Context& context, std::span<const std::uint64_t> polynomial,
                                        std::size_t first, std::size_t count) {
  std::vector<const std::uint64_t*> result(count);
  for (std::size_t i = 0; i < count; ++i) result[i] = context.part(polynomial, first + i).data();
  return result;
}

}  // namespace ap::rlwe
