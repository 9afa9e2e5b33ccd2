#include "he/rlwe/encrypt.h"

#include <algorithm>

#include "base/error.h"
#include "he/rlwe/wire.h"

namespace ap::rlwe {

Bytes encrypt_seeded(const SecretKey& key, const AddCoefficients& message, Prng& prng, ErrorSource errors) {
  const Context& context = *key.context();
  const std::size_t n = context.n();
  Seed seed;
  prng.fill(std::span<std::uint8_t>(seed));
  const SecretVector<std::int8_t> e = draw_errors(n, prng, errors);
  SecretVector<std::uint64_t> c0(n);
  AlignedVector<std::uint64_t> a(n);
  Bytes bytes(seeded_bytes(context));
  std::copy(seed.begin(), seed.end(), bytes.begin());
  std::span<std::uint8_t> out = std::span(bytes).subspan(seed.size());
  for (std::size_t i = 0; i < context.data(); ++i) {
    const std::uint64_t q = context.modulus(i).value();
    for (std::size_t j = 0; j < n; ++j) c0[j] = small_residue(e[j], q);
    message(i, c0);
    context.tables(i).forward(c0);
    Prng stream(seed, i);
    sample_uniform(stream, q, a);
    subtract_product(context, i, a, key.s(i), c0);
    pack_residues(context.modulus(i), c0, out);
  }
  return bytes;
}

EncryptionRandomness::EncryptionRandomness(std::size_t n, Prng& prng, ErrorSource errors) : u(n) {
  sample_ternary(prng, u);
  e0 = draw_errors(n, prng, errors);
  e1 = draw_errors(n, prng, errors);
}

void add_encryption_of_zero(const PublicKey& key, const EncryptionRandomness& drawn,
                            const AddCoefficients& more, Ciphertext& x) {
  const Context& context = *x.context();
  const std::size_t n = context.n();
  AP_ASSERT(key.context() == x.context() && x.form() == Form::ntt && x.degree() == 1 && drawn.u.size() == n);
  SecretVector<std::uint64_t> noise(n), u(n);
  for (std::size_t i = 0; i < x.level(); ++i) {
    const ring::Modulus& q = context.modulus(i);
    const auto add = ring::elementwise(q).add;
    const std::span<std::uint64_t> c0 = x.part(0, i), c1 = x.part(1, i);
    small_to_ntt(context, drawn.u, i, u);
    for (std::size_t j = 0; j < n; ++j) noise[j] = small_residue(drawn.e0[j], q.value());
    more(i, noise);
    context.tables(i).forward(noise);
    add_product(context, i, u, key.b(i), c0);
    add(c0.data(), noise.data(), q.value(), c0.data(), n);
    small_to_ntt(context, drawn.e1, i, noise);
    add_product(context, i, u, key.a(i), c1);
    add(c1.data(), noise.data(), q.value(), c1.data(), n);
  }
}

void flood(const PublicKey& key, int flood_bits, Prng& prng, Ciphertext& x) {
  AP_ASSERT(flood_bits >= 1);
  const Context& context = *x.context();
  const std::size_t n = context.n();
  const EncryptionRandomness drawn(n, prng);
  // flood_bits + 1 uniform bits as limbs of 48, less 2^flood_bits.
  const std::size_t limbs = (static_cast<std::size_t>(flood_bits) + 1 + 47) / 48;
  SecretVector<std::uint64_t> uniform(limbs * n);
  for (std::size_t k = 0; k < limbs; ++k) {
    const int bits = std::min(48, flood_bits + 1 - 48 * static_cast<int>(k));
    sample_bits(prng, bits, context.part(std::span(uniform), k));
  }
  const std::vector<const std::uint64_t*> terms = parts(context, uniform, 0, limbs);
  std::vector<std::uint64_t> weights(limbs);
  SecretVector<std::uint64_t> wide(n);
  const auto noise = [&](std::size_t i, std::span<std::uint64_t> values) {
    const ring::Modulus& q = context.modulus(i);
    for (std::size_t k = 0; k < limbs; ++k) weights[k] = q.pow(2, 48 * k);
    ring::elementwise(q).dot(terms.data(), weights.data(), limbs, q, wide.data(), n);
    const std::uint64_t offset = q.negate(q.pow(2, static_cast<std::uint64_t>(flood_bits)));
    for (std::size_t j = 0; j < n; ++j) values[j] = q.add(q.add(wide[j], offset), values[j]);
  };
  add_encryption_of_zero(key, drawn, noise, x);
}

SecretVector<std::uint64_t> phase(const SecretKey& key, const Ciphertext& x) {
  const Context& context = *key.context();
  AP_ASSERT(x.context() == key.context() && x.form() == Form::ntt);
  SecretVector<std::uint64_t> result(x[0].begin(), x[0].end()), power;
  for (std::size_t i = 0; i < x.level(); ++i) {
    const std::span<std::uint64_t> part = context.part(std::span(result), i);
    add_product(context, i, x.part(1, i), key.s(i), part);
    if (x.degree() == 2) {
      power.assign(context.n(), 0);
      add_product(context, i, key.s(i), key.s(i), power);
      add_product(context, i, x.part(2, i), power, part);
    }
    context.tables(i).inverse(part);
  }
  return result;
}

}  // namespace ap::rlwe
