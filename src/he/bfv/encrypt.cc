// Encryption and plaintexts with coefficient encoding (he/bfv/scheme.h).
#include "he/rlwe/encrypt.h"

#include <algorithm>

#include "base/error.h"
#include "he/bfv/scheme.h"

namespace ap::bfv {

Bytes encrypt_seeded(const Context& context, const rlwe::SecretKey& key,
                     std::span<const std::uint64_t> message, int log2_p, Prng& prng, ErrorSource errors) {
  AP_ASSERT(key.context().get() == &context && message.size() == context.n());
  const ScaleUp scale_up(context.crt(), log2_p);
  const auto scaled = [&](std::size_t i, std::span<std::uint64_t> values) {
    const ring::Modulus& q = context.modulus(i);
    for (std::size_t j = 0; j < values.size(); ++j) values[j] = q.add(scale_up(message[j], i), values[j]);
  };
  return rlwe::encrypt_seeded(key, scaled, prng, errors);
}

rlwe::Plaintext small_plaintext(const rlwe::Context& context, std::span<const std::int32_t> coefficients) {
  AP_ASSERT(coefficients.size() <= context.n());
  rlwe::Plaintext plaintext(context, context.data());
  for (std::size_t i = 0; i < context.data(); ++i) {
    const std::span<std::uint64_t> part = plaintext.part(i);
    const ring::Modulus& q = context.modulus(i);
    for (std::size_t j = 0; j < coefficients.size(); ++j) part[j] = q.reduce_signed(coefficients[j]);
    context.tables(i).forward(part);
  }
  return plaintext;
}

void sparse_plaintext(const Context& context, std::span<const Term> terms, rlwe::Plaintext& plaintext) {
  AP_ASSERT(plaintext.level() == context.data());
  for (std::size_t i = 0; i < context.data(); ++i) {
    const std::span<std::uint64_t> part = plaintext.part(i);
    const ring::Modulus& q = context.modulus(i);
    std::fill(part.begin(), part.end(), 0);
    for (const Term& term : terms) {
      // Primes have 20 bits and more, so that one addition makes a residue of a weight.
      const auto wide = static_cast<std::int64_t>(term.value);
      const std::uint64_t residue =
          static_cast<std::uint64_t>(wide) + (q.value() & static_cast<std::uint64_t>(wide >> 63));
      part[term.position] = q.add(part[term.position], residue);
    }
    context.tables(i).forward(part);
  }
}

}  // namespace ap::bfv
