// Hybrid key switching (Gentry, Halevi and Smart 2012/099; digits of primes as Han and Ki, 2019/688): the
// digits of a polynomial times keys over Q P, then division by P with rounding. Everything in NTT form.
#pragma once

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/memory.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/keys.h"
#include "ring/automorphism.h"
#include "ring/scratch.h"

namespace ap::rlwe {

/// For each digit d of the gadget: (b_d, a_d) with b_d = -a_d s + e_d + P g_d t over Q P, where g_d is 1
/// modulo the primes of digit d and 0 modulo the others. Takes multiples of t to encryptions under s.
class KeySwitchKey {
 public:
  /// `from` (t) and `to` (s) in NTT form modulo data and special primes.
  KeySwitchKey(ContextPtr context, std::span<const std::uint64_t> from, std::span<const std::uint64_t> to,
               Prng& prng);
  /// @throws Error(peer) unless `bytes` is exactly a valid key.
  KeySwitchKey(ContextPtr context, ByteView bytes);
  /// 32 bytes of seed, then the b_d packed; stream d (data + special) + i of the seed gives prime i of a_d.
  Bytes serialise() const;
  static std::size_t serialised_bytes(const Context& context);

  const ContextPtr& context() const { return context_; }
  /// The N values of digit d modulo prime i (data primes, then special primes).
  const std::uint64_t* b(std::size_t digit, std::size_t prime) const { return b_.data() + at(digit, prime); }
  const std::uint64_t* a(std::size_t digit, std::size_t prime) const { return a_.data() + at(digit, prime); }

 private:
  std::size_t at(std::size_t digit, std::size_t prime) const {
    return digit * context_->key_words() + prime * context_->n();
  }
  void expand();
  ContextPtr context_;
  Seed seed_;
  LargeVector<std::uint64_t> a_, b_;
};

/// A polynomial cut into the gadget's digits, each extended to all primes of its level and the special
/// primes: what every key switch of it starts from (hoisting: Halevi and Shoup, 2018/244).
struct Decomposition {
  std::size_t level = 0;
  std::vector<ring::Scratch> digits;  ///< of each digit [level + special][N], NTT form
};
/// `polynomial` in NTT form with `level` primes. Memory: 8 N (level + special) bytes a digit.
Decomposition decompose(const Context& context, std::span<const std::uint64_t> polynomial, std::size_t level);
/// Of the last polynomial of x, the one that a change of keys has to switch.
Decomposition decompose(const Ciphertext& x);

/// (c0, c1) += an encryption under s of the polynomial times t; c0 and c1 with as many primes as the polynomial.
void key_switch_add(const Decomposition& polynomial, const KeySwitchKey& key, std::span<std::uint64_t> c0,
                    std::span<std::uint64_t> c1);
/// Key switching of a polynomial in NTT form that is switched once: its digits live for one prime at a time.
/// The same result bit for bit.
void key_switch_add(std::span<const std::uint64_t> polynomial, std::size_t level, const KeySwitchKey& key,
                    std::span<std::uint64_t> c0, std::span<std::uint64_t> c1);

/// (y0, y1) = the automorphism `map` of (x0, 0) + an encryption under s of the polynomial times t: what
/// key_switch_add and two permutations would give, in one pass. Of a polynomial or of its digits.
void key_switch_map(std::span<const std::uint64_t> polynomial, std::size_t level, const KeySwitchKey& key,
                    std::span<const std::uint64_t> x0, const ring::Automorphism& map,
                    std::span<std::uint64_t> y0, std::span<std::uint64_t> y1);
void key_switch_map(const Decomposition& polynomial, const KeySwitchKey& key,
                    std::span<const std::uint64_t> x0, const ring::Automorphism& map,
                    std::span<std::uint64_t> y0, std::span<std::uint64_t> y1);

/// The key switch from s^2 to s, which takes products back to degree 1.
class RelinearisationKey {
 public:
  RelinearisationKey(const SecretKey& key, Prng& prng);
  /// @throws Error(peer) unless `bytes` is exactly a valid key.
  RelinearisationKey(ContextPtr context, ByteView bytes) : key_(std::move(context), bytes) {}
  Bytes serialise() const { return key_.serialise(); }
  const KeySwitchKey& key() const { return key_; }

 private:
  KeySwitchKey key_;
};
/// The degree 1 ciphertext of x, which has degree 2.
Ciphertext relinearise(const Ciphertext& x, const RelinearisationKey& key);
/// Both relinearise and rescale by the last prime of the level, with one division by P and that prime: fewer transforms
/// and one rounding instead of two. @throws Error(input) at level 1.
Ciphertext relinearise_rescale(const Ciphertext& x, const RelinearisationKey& key);
/// relinearise_rescale(multiply(x, y), key) without the product in memory; the same result bit for bit.
Ciphertext multiply_rescale(const Ciphertext& x, const Ciphertext& y, const RelinearisationKey& key);

}  // namespace ap::rlwe
