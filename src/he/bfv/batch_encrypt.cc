// Encryption and decryption of slots (he/bfv/batch_scheme.h).
#include "base/error.h"
#include "he/bfv/batch_polynomial.h"
#include "he/bfv/batch_scheme.h"
#include "he/rlwe/encrypt.h"

namespace ap::bfv {

using ring::Uint128;

Bytes batch_encrypt(const BatchContext& context, const rlwe::SecretKey& key,
                    std::span<const std::uint64_t> slots, Prng& prng) {
  AP_ASSERT(key.context().get() == &context);
  const PlainLevel& level = context.plain_level(context.data());
  SecretVector<std::uint64_t> remainder(context.n()), coefficients(context.n());
  encode_slots(context, slots, coefficients);
  scale_up_remainder(context, level, coefficients, remainder);
  const auto message = [&](std::size_t i, std::span<std::uint64_t> values) {
    add_scaled(context, level, i, remainder, values);
  };
  return rlwe::encrypt_seeded(key, message, prng);
}

void batch_decrypt(const BatchContext& context, const rlwe::SecretKey& key, const rlwe::Ciphertext& x,
                   std::span<std::uint64_t> slots) {
  AP_ASSERT(key.context().get() == &context && slots.size() == context.n());
  const std::size_t n = context.n();
  const PlainLevel::ScaleDownToPlain& scale = context.plain_level(x.level()).scale_down;
  SecretVector<std::uint64_t> phase = rlwe::phase(key, x);
  for (std::size_t i = 0; i < x.level(); ++i) {
    const std::span<std::uint64_t> part = context.part(std::span(phase), i);
    ring::elementwise().multiply(part.data(), scale.inverse[i], context.modulus(i), part.data(), n);
  }
  SecretVector<std::uint64_t> coefficients(n);
  for (std::size_t j = 0; j < n; ++j) {
    // Each product is below 2^110: the whole parts below p each, the fractions below 2^50 2^64.
    Uint128 whole = 0, fraction = static_cast<Uint128>(1) << 63;
    for (std::size_t i = 0; i < x.level(); ++i) {
      const std::uint64_t y = phase[i * n + j];
      whole += static_cast<Uint128>(y) * scale.whole[i];
      fraction += static_cast<Uint128>(y) * scale.fraction[i];
    }
    coefficients[j] = context.p().reduce(whole + (fraction >> 64));
  }
  decode_slots(context, coefficients, slots);
}

}  // namespace ap::bfv
