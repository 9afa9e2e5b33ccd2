#include "he/rlwe/keys.h"

#include <algorithm>

#include "base/declassify.h"
#include "base/error.h"
#include "he/rlwe/wire.h"
#include "random/tagged_hash.h"

namespace ap::rlwe {

SecretKey::SecretKey(ContextPtr context, Prng& prng)
    : context_(std::move(context)),
      s_(draw_ternary(*context_, context_->data() + context_->special(), prng)) {}

SecretKey::SecretKey(ContextPtr context, std::span<const std::int8_t> coefficients)
    : context_(std::move(context)) {
  AP_ASSERT(coefficients.size() == context_->n());
  int beyond = 0;
  for (const std::int8_t c : coefficients) beyond |= (c * c) >> 1;
  const bool ternary = beyond == 0;
  declassify(ternary);
  AP_ASSERT(ternary);
  s_ = small_polynomial(*context_, coefficients, context_->data() + context_->special());
}

SecretKey::SecretKey(ContextPtr context, const SecretKey& key) : context_(std::move(context)) {
  const Context& from = *key.context();
  AP_ASSERT(context_->n() == from.n());
  s_.resize(context_->key_words());
  for (std::size_t i = 0; i < context_->data() + context_->special(); ++i) {
    std::size_t same = 0;
    while (same < from.data() + from.special() &&
           from.modulus(same).value() != context_->modulus(i).value()) {
      ++same;
    }
    AP_ASSERT(same < from.data() + from.special());
    const auto part = key.s(same);
    std::copy(part.begin(), part.end(), context_->part(std::span(s_), i).begin());
  }
}

Seed public_key_seed(const Seed& seed, const SessionKey& session) {
  return tagged_hash("AutoPrivacy uniform half of a public key, version 1", {session.bytes(), seed});
}

PublicKey::PublicKey(const SecretKey& key, Prng& prng, ErrorSource errors, const SessionKey& session)
    : context_(key.context()), a_(context_->data_words()), b_(a_.size()) {
  prng.fill(std::span<std::uint8_t>(seed_));
  expand_uniform(*context_, public_key_seed(seed_, session), 0, context_->data(), a_);
  const SecretVector<std::int8_t> e = draw_errors(context_->n(), prng, errors);
  for (std::size_t i = 0; i < context_->data(); ++i) {
    const std::span<std::uint64_t> part = context_->part(std::span(b_), i);
    small_to_ntt(*context_, e, i, part);
    subtract_product(*context_, i, a(i), key.s(i), part);
  }
}

PublicKey::PublicKey(ContextPtr context, ByteView bytes, const SessionKey& session)
    : context_(std::move(context)) {
  if (bytes.size() != serialised_bytes(*context_)) {
    fail_peer("a public key for n = {} and {} primes has {} bytes, but {} came", context_->n(),
              context_->data(), serialised_bytes(*context_), bytes.size());
  }
  a_.resize(context_->data_words());
  b_.resize(a_.size());
  std::copy_n(bytes.begin(), seed_.size(), seed_.begin());
  bytes = bytes.subspan(seed_.size());
  unpack_polynomial(*context_, context_->data(), "public key", b_, bytes);
  expand_uniform(*context_, public_key_seed(seed_, session), 0, context_->data(), a_);
}

Bytes PublicKey::serialise() const {
  Bytes bytes(serialised_bytes(*context_));
  std::copy(seed_.begin(), seed_.end(), bytes.begin());
  std::span<std::uint8_t> out = std::span(bytes).subspan(seed_.size());
  pack_polynomial(*context_, context_->data(), b_, out);
  return bytes;
}

std::size_t PublicKey::serialised_bytes(const Context& context) { return seeded_bytes(context); }

}  // namespace ap::rlwe
