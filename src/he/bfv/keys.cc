// Secret and public keys (he/bfv/scheme.h).
#include <algorithm>

#include "base/error.h"
#include "he/bfv/context_tables.h"
#include "he/bfv/scheme.h"
#include "he/bfv/small.h"
#include "he/bfv/wire.h"
#include "random/tagged_hash.h"

namespace ap::bfv {

SecretKey::SecretKey(ContextPtr context_in, Prng& prng)
    : context(std::move(context_in)), s(draw_ternary(*context, prng)) {}

Seed public_key_seed(const Seed& seed, const SessionKey& session) {
  return tagged_hash("AutoPrivacy uniform half of a public key, version 1", {session.bytes(), seed});
}

PublicKey::PublicKey(const SecretKey& key, Prng& prng, ErrorSource errors, const SessionKey& session)
    : context(key.context), a(context->words()), b(context->words()) {
  prng.fill(std::span<std::uint8_t>(a_seed));
  expand_uniform(*context, public_key_seed(a_seed, session), a);
  const SecretVector<std::int8_t> e = draw_errors(context->n(), prng, errors);
  for (std::size_t i = 0; i < context->primes(); ++i) {
    const std::span<std::uint64_t> part = context->part(std::span<std::uint64_t>(b), i);
    const std::uint64_t q = context->tables(i).modulus().value();
    for (std::size_t j = 0; j < part.size(); ++j) part[j] = small_residue(e[j], q);
    context->tables(i).forward(part);
    subtract_product(*context, i, context->part(std::span<const std::uint64_t>(a), i),
                     context->part(std::span<const std::uint64_t>(key.s), i), part);
  }
}

PublicKey::PublicKey(ContextPtr context_in, ByteView bytes, const SessionKey& session)
    : context(std::move(context_in)) {
  if (bytes.size() != serialised_bytes(*context)) {
    fail_peer("a public key for n = {} and {} primes has {} bytes, but {} came", context->n(),
              context->primes(), serialised_bytes(*context), bytes.size());
  }
  a.resize(context->words());
  b.resize(context->words());
  std::copy_n(bytes.begin(), a_seed.size(), a_seed.begin());
  unpack_residues(*context, bytes.subspan(a_seed.size()), "public key", b);
  expand_uniform(*context, public_key_seed(a_seed, session), a);
}

Bytes PublicKey::serialise() const {
  Bytes bytes(serialised_bytes(*context));
  std::copy(a_seed.begin(), a_seed.end(), bytes.begin());
  pack_residues(*context, b, std::span(bytes).subspan(a_seed.size()));
  return bytes;
}

std::size_t PublicKey::serialised_bytes(const Context& context) {
  return std::tuple_size_v<Seed> + residue_bytes(context);
}

}  // namespace ap::bfv
