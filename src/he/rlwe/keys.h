// Secret and public keys of RLWE. Neither can exist with a value that is out of range.
#pragma once

#include <span>

#include "base/bytes.h"
#include "base/memory.h"
#include "he/rlwe/context.h"
#include "he/rlwe/polynomial.h"
#include "random/prng.h"
#include "random/session_key.h"

namespace ap::rlwe {

/// A ternary secret s in NTT form modulo the data and the special primes, wiped. Never serialised.
class SecretKey {
 public:
  /// Uniform ternary.
  SecretKey(ContextPtr context, Prng& prng);
  /// The secret with these N coefficients, each -1, 0 or 1. @throws Error(internal) otherwise.
  SecretKey(ContextPtr context, std::span<const std::int8_t> coefficients);
  /// The secret of `key` in another context of the same degree. @throws Error(internal) unless that one's primes are all
  /// among those of the key's context.
  SecretKey(ContextPtr context, const SecretKey& key);

  const ContextPtr& context() const { return context_; }
  /// All values: those of the data primes, then those of the special primes.
  std::span<const std::uint64_t> s() const { return s_; }
  /// The N values modulo prime i of the context.
  std::span<const std::uint64_t> s(std::size_t i) const { return context_->part(s(), i); }

 private:
  ContextPtr context_;
  SecretVector<std::uint64_t> s_;
};

/// The seed of the uniform half a of a public key. The owner of the key chooses `seed` but must not choose a,
/// which also hides what others encrypt under the key. Expansion by AES-256-CTR alone would have it choose
/// the key of AES, for which AES is not assumed to be anything. This hashes (tag, session, seed) with BLAKE2b
/// first, a random oracle: every key of AES that comes out is uniform, whatever the seed, so that a is
/// pseudorandom but for the choice among as many values as its owner computes hashes, and that choice starts
/// with the session.
Seed public_key_seed(const Seed& seed, const SessionKey& session);

/// An encryption of zero to re-randomise with: b = -a s + e modulo the data primes, with a expanded from the stream
/// of public_key_seed(seed, session).
class PublicKey {
 public:
  /// @param session  the part for this key's place in the session; of no session: measurements
  explicit PublicKey(const SecretKey& key, Prng& prng, ErrorSource errors = ErrorSource::centred_binomial,
                     const SessionKey& session = {});
  /// @throws Error(peer) unless `bytes` is exactly a valid key: size, residues below their primes.
  PublicKey(ContextPtr context, ByteView bytes, const SessionKey& session = {});
  /// 32 bytes of seed, then b packed; exactly serialised_bytes(context) bytes.
  Bytes serialise() const;
  static std::size_t serialised_bytes(const Context& context);

  const ContextPtr& context() const { return context_; }
  const Seed& seed() const { return seed_; }
  /// In NTT form modulo the data primes.
  std::span<const std::uint64_t> a() const { return a_; }
  std::span<const std::uint64_t> b() const { return b_; }
  std::span<const std::uint64_t> a(std::size_t i) const { return context_->part(a(), i); }
  std::span<const std::uint64_t> b(std::size_t i) const { return context_->part(b(), i); }

 private:
  ContextPtr context_;
  Seed seed_;
  AlignedVector<std::uint64_t> a_, b_;
};

}  // namespace ap::rlwe
