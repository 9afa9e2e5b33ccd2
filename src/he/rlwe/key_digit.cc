#include "he/rlwe/key_digit.h"

#include "he/rlwe/polynomial.h"

namespace ap::rlwe {

void make_key_digit(const Context& context, std::span<const std::uint64_t> a,
                    std::span<const std::uint64_t> from, std::span<const std::uint64_t> to, std::size_t first,
                    std::size_t count, Prng& prng, std::span<std::uint64_t> b) {
  const std::size_t n = context.n();
  const SecretVector<std::int8_t> e = draw_errors(n, prng);
  for (std::size_t i = 0; i < context.data() + context.special(); ++i) {
    const std::span<std::uint64_t> part = context.part(b, i);
    small_to_ntt(context, e, i, part);
    subtract_product(context, i, context.part(a, i), context.part(to, i), part);
    if (i < first || i >= first + count) continue;
    const ring::Modulus& q = context.modulus(i);
    ring::elementwise(q).multiply_add(from.data() + i * n, context.special_product(i), part.data(), q,
                                      part.data(), n);
  }
}

}  // namespace ap::rlwe
