// Keys, encryption and decryption of SIMD batching (he/bfv/batch_scheme.h).
#include <algorithm>

#include "base/error.h"
#include "he/bfv/batch_polynomial.h"
#include "he/bfv/batch_scheme.h"
#include "he/bfv/small.h"

namespace ap::bfv {
namespace {

using ring::Uint128;

constexpr std::size_t kSeedBytes = std::tuple_size_v<Seed>;

}  // namespace

BatchSecretKey::BatchSecretKey(BatchContextPtr context_in, Prng& prng)
    : context(std::move(context_in)), s(context->key_words()) {
  SecretVector<std::int8_t> digits(context->n());
  sample_ternary(prng, digits);
  for (std::size_t i = 0; i < context->data() + context->special(); ++i) {
    small_to_ntt(*context, digits, i, context->part(std::span(s), i));
  }
}

BatchCiphertext::BatchCiphertext(BatchContextPtr context_in, std::size_t level_in)
    : context(std::move(context_in)), level(level_in), c0(level * context->n()), c1(level * context->n()) {
  AP_ASSERT(level >= 1 && level <= context->data());
}

std::size_t batch_encrypted_bytes(const BatchContext& context) {
  return kSeedBytes + packed_residue_bytes(context, 0, context.data());
}

Bytes batch_encrypt(const BatchSecretKey& key, std::span<const std::uint64_t> slots, Prng& prng) {
  const BatchContext& context = *key.context;
  const std::size_t n = context.n();
  const BatchLevel& level = context.level(context.data());
  Seed seed;
  prng.fill(std::span<std::uint8_t>(seed));
  const SecretVector<std::int8_t> e = draw_errors(n, prng, ErrorSource::centred_binomial);
  SecretVector<std::uint64_t> remainder(n), c0(n);
  encode_slots(context, slots, c0);
  scale_up_remainder(context, level, c0, remainder);
  AlignedVector<std::uint64_t> a(n);
  Bytes bytes(batch_encrypted_bytes(context));
  std::copy(seed.begin(), seed.end(), bytes.begin());
  std::span<std::uint8_t> out = std::span(bytes).subspan(kSeedBytes);
  for (std::size_t i = 0; i < context.data(); ++i) {
    const std::uint64_t q = context.modulus(i).value();
    for (std::size_t j = 0; j < n; ++j) c0[j] = small_residue(e[j], q);
    add_scaled(context, level, i, remainder, c0);
    context.tables(i).forward(c0);
    Prng stream(seed, i);
    sample_uniform(stream, q, a);
    subtract_product(context, i, a.data(), key.s.data() + i * n, c0);
    pack_part(context.modulus(i), c0, out);
  }
  return bytes;
}

BatchCiphertext load_seeded(const BatchContextPtr& context, ByteView bytes) {
  if (bytes.size() != batch_encrypted_bytes(*context)) {
    fail_peer("an upload for n = {} and {} primes has {} bytes, but {} came", context->n(), context->data(),
              batch_encrypted_bytes(*context), bytes.size());
  }
  BatchCiphertext x(context, context->data());
  Seed seed;
  std::copy_n(bytes.begin(), kSeedBytes, seed.begin());
  bytes = bytes.subspan(kSeedBytes);
  for (std::size_t i = 0; i < x.level; ++i) {
    unpack_part(context->modulus(i), "upload", context->part(std::span(x.c0), i), bytes);
  }
  expand_seed(*context, seed, 0, x.level, x.c1);
  return x;
}

std::size_t batch_ciphertext_bytes(const BatchContext& context, std::size_t level) {
  return 2 * packed_residue_bytes(context, 0, level);
}

Bytes serialise(const BatchCiphertext& x) {
  const BatchContext& context = *x.context;
  Bytes bytes(batch_ciphertext_bytes(context, x.level));
  std::span<std::uint8_t> out(bytes);
  for (const auto* half : {&x.c0, &x.c1}) {
    for (std::size_t i = 0; i < x.level; ++i) {
      pack_part(context.modulus(i), context.part(std::span<const std::uint64_t>(*half), i), out);
    }
  }
  return bytes;
}

BatchCiphertext load_ciphertext(const BatchContextPtr& context, std::size_t level, ByteView bytes) {
  BatchCiphertext x(context, level);
  if (bytes.size() != batch_ciphertext_bytes(*context, level)) {
    fail_peer("a ciphertext for n = {} and {} primes has {} bytes, but {} came", context->n(), level,
              batch_ciphertext_bytes(*context, level), bytes.size());
  }
  for (auto* half : {&x.c0, &x.c1}) {
    for (std::size_t i = 0; i < level; ++i) {
      unpack_part(context->modulus(i), "ciphertext", context->part(std::span(*half), i), bytes);
    }
  }
  return x;
}

void batch_decrypt(const BatchSecretKey& key, const BatchCiphertext& x, std::span<std::uint64_t> slots) {
  const BatchContext& context = *key.context;
  AP_ASSERT(x.context == key.context && slots.size() == context.n());
  const std::size_t n = context.n();
  const BatchLevel::ScaleDownToPlain& scale = context.level(x.level).scale_down;
  SecretVector<std::uint64_t> phase(x.c0.begin(), x.c0.end());
  for (std::size_t i = 0; i < x.level; ++i) {
    const std::span<std::uint64_t> part = context.part(std::span(phase), i);
    const std::uint64_t* const left[] = {x.c1.data() + i * n};
    const std::uint64_t* const right[] = {key.s.data() + i * n};
    context.tables(i).multiply_add(left, right, part);
    context.tables(i).inverse(part);
    ring::elementwise().multiply(part.data(), scale.inverse[i], context.modulus(i), part.data(), n);
  }
  SecretVector<std::uint64_t> coefficients(n);
  for (std::size_t j = 0; j < n; ++j) {
    // Each product is below 2^110: the whole parts below p each, the fractions below 2^50 2^64.
    Uint128 whole = 0, fraction = static_cast<Uint128>(1) << 63;
    for (std::size_t i = 0; i < x.level; ++i) {
      const std::uint64_t y = phase[i * n + j];
      whole += static_cast<Uint128>(y) * scale.whole[i];
      fraction += static_cast<Uint128>(y) * scale.fraction[i];
    }
    coefficients[j] = context.p().reduce(whole + (fraction >> 64));
  }
  decode_slots(context, coefficients, slots);
}

BatchPublicKey::BatchPublicKey(const BatchSecretKey& key, Prng& prng, const SessionKey& session)
    : context(key.context), a(context->data() * context->n()), b(a.size()) {
  prng.fill(std::span<std::uint8_t>(seed));
  expand_seed(*context, public_key_seed(seed, session), 0, context->data(), a);
  const SecretVector<std::int8_t> e = draw_errors(context->n(), prng, ErrorSource::centred_binomial);
  for (std::size_t i = 0; i < context->data(); ++i) {
    const std::span<std::uint64_t> part = context->part(std::span(b), i);
    small_to_ntt(*context, e, i, part);
    subtract_product(*context, i, a.data() + i * context->n(), key.s.data() + i * context->n(), part);
  }
}

BatchPublicKey::BatchPublicKey(BatchContextPtr context_in, ByteView bytes, const SessionKey& session)
    : context(std::move(context_in)), a(context->data() * context->n()), b(a.size()) {
  if (bytes.size() != batch_encrypted_bytes(*context)) {
    fail_peer("a public key for n = {} and {} primes has {} bytes, but {} came", context->n(),
              context->data(), batch_encrypted_bytes(*context), bytes.size());
  }
  std::copy_n(bytes.begin(), kSeedBytes, seed.begin());
  bytes = bytes.subspan(kSeedBytes);
  for (std::size_t i = 0; i < context->data(); ++i) {
    unpack_part(context->modulus(i), "public key", context->part(std::span(b), i), bytes);
  }
  expand_seed(*context, public_key_seed(seed, session), 0, context->data(), a);
}

Bytes BatchPublicKey::serialise() const {
  Bytes bytes(batch_encrypted_bytes(*context));
  std::copy(seed.begin(), seed.end(), bytes.begin());
  std::span<std::uint8_t> out = std::span(bytes).subspan(kSeedBytes);
  for (std::size_t i = 0; i < context->data(); ++i) {
    pack_part(context->modulus(i), context->part(std::span<const std::uint64_t>(b), i), out);
  }
  return bytes;
}

}  // namespace ap::bfv
