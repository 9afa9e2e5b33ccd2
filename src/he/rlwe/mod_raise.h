// From the lowest level to a high one: a ciphertext modulo q_0, read modulo all primes, encrypts m + q_0 I with an I that
// is as large as its secret is dense. So it is taken to a sparse secret first, that lives in these keys alone, raised there,
// and taken back (Bossuat, Troncoso-Pastoriza and Hubaux, 2022/024): I is small, and everything else is under the dense
// secret. All an attacker sees under the sparse one is one key-switching key of modulus q_0 p.
#pragma once

#include "base/memory.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/extended.h"
#include "he/rlwe/key_switch.h"

namespace ap::rlwe {

/// A key for polynomials whose centred coefficients are far below P: b = -a s + e + P t over Q P, one digit whatever
/// the level. Noise before the division by P: N sigma^2 times the mean square of the coefficients.
class SmallSwitchKey {
 public:
  /// `from` (t) and `to` (s) in NTT form modulo data and special primes.
  SmallSwitchKey(ContextPtr context, std::span<const std::uint64_t> from, std::span<const std::uint64_t> to,
                 Prng& prng);
  /// @throws Error(peer) unless `bytes` is exactly a valid key.
  SmallSwitchKey(ContextPtr context, ByteView bytes);
  /// 32 bytes of seed, then b packed; stream i of the seed gives prime i of a.
  Bytes serialise() const;
  static std::size_t serialised_bytes(const Context& context);

  const ContextPtr& context() const { return context_; }
  std::span<const std::uint64_t> b(std::size_t prime) const {
    return context_->part(std::span<const std::uint64_t>(b_), prime);
  }
  std::span<const std::uint64_t> a(std::size_t prime) const {
    return context_->part(std::span<const std::uint64_t>(a_), prime);
  }
  std::size_t memory_bytes() const { return 2 * 8 * context_->key_words(); }

 private:
  ContextPtr context_;
  Seed seed_;
  LargeVector<std::uint64_t> a_, b_;
};

class RaiseKeys {
 public:
  /// Draws the sparse secret of `weight` coefficients, makes both keys and wipes it. `low`: the context of the first
  /// switch, of the key's degree, whose one data prime is the first of the key's context and whose special primes are
  /// among its primes. @throws Error(internal) otherwise.
  RaiseKeys(const SecretKey& key, ContextPtr low, std::size_t weight, Prng& prng);
  /// @throws Error(peer) unless `bytes` holds two valid keys.
  RaiseKeys(ContextPtr context, ContextPtr low, ByteView bytes);
  Bytes serialise() const;
  static std::size_t serialised_bytes(const Context& context, const Context& low);

  const KeySwitchKey& to_sparse() const { return to_sparse_; }
  const SmallSwitchKey& to_dense() const { return to_dense_; }

 private:
  RaiseKeys(const SecretKey& key, const ContextPtr& low, const SecretKey& sparse, Prng& prng);

  KeySwitchKey to_sparse_;
  SmallSwitchKey to_dense_;
};

/// x of level 1, degree 1, in NTT form, to all data primes: an encryption of m + e + q_0 I, where m is x's message, e the
/// noise of both switches, and the coefficients of I are sums of weight + 1 values uniform in [-1/2, 1/2], less m / q_0.
Ciphertext mod_raise(const Ciphertext& x, const RaiseKeys& keys);

}  // namespace ap::rlwe
