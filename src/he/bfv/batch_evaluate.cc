// Plaintexts, sums with them, modulus switching and flooding (he/bfv/batch_scheme.h).
#include <algorithm>

#include "base/error.h"
#include "he/bfv/batch_polynomial.h"
#include "he/bfv/batch_scheme.h"
#include "he/rlwe/encrypt.h"
#include "he/rlwe/evaluate.h"

namespace ap::bfv {

void add_plain(const BatchContext& context, rlwe::Ciphertext& x, std::span<const std::uint64_t> slots) {
  AP_ASSERT(x.context().get() == &context && x.form() == rlwe::Form::ntt);
  const std::size_t n = context.n();
  SecretVector<std::uint64_t> coefficients(n), remainder(n);
  encode_slots(context, slots, coefficients);
  scale_up_remainder(context, context.plain_level(x.level()), coefficients, remainder);
  for (std::size_t i = 0; i < x.level(); ++i) {
    std::fill(coefficients.begin(), coefficients.end(), 0);
    add_scaled(context, context.plain_level(x.level()), i, remainder, coefficients);
    context.tables(i).forward(coefficients);
    const std::span<std::uint64_t> part = x.part(0, i);
    ring::elementwise().add(part.data(), coefficients.data(), context.modulus(i).value(), part.data(), n);
  }
}

rlwe::Plaintext batch_plaintext(const BatchContext& context, std::span<const std::uint64_t> slots,
                                std::size_t level) {
  rlwe::Plaintext plaintext(context, level);
  const std::size_t n = context.n();
  // A coefficient is low + 2^30 high, less p if above p/2: halves that every kernel takes.
  SecretVector<std::uint64_t> low(n), high(n), above(n);
  encode_slots(context, slots, low);
  const std::uint64_t p = context.p().value();
  for (std::size_t j = 0; j < n; ++j) {
    above[j] = (p / 2 - low[j]) >> 63;
    high[j] = low[j] >> 30;
    low[j] &= (std::uint64_t{1} << 30) - 1;
  }
  const std::uint64_t* const terms[] = {low.data(), high.data(), above.data()};
  for (std::size_t i = 0; i < level; ++i) {
    const ring::Modulus& q = context.modulus(i);
    const std::uint64_t weights[] = {1, q.reduce(std::uint64_t{1} << 30), q.negate(q.reduce(p))};
    const std::span<std::uint64_t> part = plaintext.part(i);
    ring::elementwise().dot(terms, weights, 3, q, part.data(), n);
    context.tables(i).forward(part);
  }
  return plaintext;
}

rlwe::Ciphertext switch_level(const BatchContext& context, const rlwe::Ciphertext& x, std::size_t level) {
  AP_ASSERT(x.context().get() == &context);
  if (level >= 1 && level <= x.level()) {
    if (const double held = context.level(level).log2_q; held < context.parameters().log2_p() + 2) {
      fail_input("{} primes hold {:.1f} bits, too few for a plaintext modulus of {:.1f} bits", level, held,
                 context.parameters().log2_p());
    }
  }
  return rlwe::rescale(x, level);
}

void flood(const BatchContext& context, const rlwe::PublicKey& key, int flood_bits, Prng& prng,
           rlwe::Ciphertext& x) {
  AP_ASSERT(x.context().get() == &context);
  const double room = context.level(x.level()).log2_q - context.parameters().log2_p() - 1;
  if (flood_bits < 1 || flood_bits >= room) {
    fail_input(
        "flooding with {} bits leaves no room in a ciphertext that decrypts with noise below {:.1f} bits: "
        "between 1 and that are allowed",
        flood_bits, room);
  }
  rlwe::flood(key, flood_bits, prng, x);
}

}  // namespace ap::bfv
