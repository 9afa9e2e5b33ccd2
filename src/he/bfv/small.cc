#include "he/bfv/small.h"

#include "he/bfv/context_tables.h"

namespace ap::bfv {

SecretVector<std::uint64_t> draw_ternary(const Context& context, Prng& prng) {
  SecretVector<std::int8_t> digits(context.n());
  sample_ternary(prng, digits);
  SecretVector<std::uint64_t> polynomial(context.words());
  for (std::size_t i = 0; i < context.primes(); ++i) {
    const std::span<std::uint64_t> part = context.part(std::span<std::uint64_t>(polynomial), i);
    const std::uint64_t q = context.tables(i).modulus().value();
    for (std::size_t j = 0; j < part.size(); ++j) part[j] = small_residue(digits[j], q);
    context.tables(i).forward(part);
  }
  return polynomial;
}

void subtract_product(const Context& context, std::size_t i, std::span<const std::uint64_t> x,
                      std::span<const std::uint64_t> y, std::span<std::uint64_t> from_and_to) {
  const ring::NttTables& tables = context.tables(i);
  SecretVector<std::uint64_t> product(context.n());
  const std::uint64_t* const left[] = {x.data()};
  const std::uint64_t* const right[] = {y.data()};
  tables.multiply_add(left, right, product);
  for (std::size_t j = 0; j < product.size(); ++j) {
    from_and_to[j] = tables.modulus().sub(from_and_to[j], product[j]);
  }
}

}  // namespace ap::bfv
