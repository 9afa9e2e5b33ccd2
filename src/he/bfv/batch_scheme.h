// Keys and operations of BFV with batching. Ciphertexts are in NTT form throughout; their level is the number
// of data primes left. Numbers of operations depend on public parameters only, never on values.
//
// Client                                             Server
//   BatchSecretKey, GaloisKeys, BatchPublicKey -->     keys
//   batch_encrypt(slots)              -- bytes -->     load_seeded
//                                                      rotate, multiply, add ...; switch_level; flood
//   batch_decrypt                     <-- bytes --     serialise
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/memory.h"
#include "he/bfv/batch_tables.h"
#include "random/prng.h"
#include "random/session_key.h"
#include "ring/elementwise.h"

namespace ap::bfv {

// --- slots ------------------------------------------------------------------------------------------------

/// N slots (two rows of N/2, values below p) to the coefficients of the polynomial that holds them, and back.
/// Products of polynomials are products of slots.
void encode_slots(const BatchContext& context, std::span<const std::uint64_t> slots,
                  std::span<std::uint64_t> coefficients);
void decode_slots(const BatchContext& context, std::span<const std::uint64_t> coefficients,
                  std::span<std::uint64_t> slots);

// --- keys and ciphertexts ---------------------------------------------------------------------------------

/// Uniform ternary secret in NTT form modulo the data and the special primes, wiped. Never serialised.
struct BatchSecretKey {
  BatchSecretKey(BatchContextPtr context, Prng& prng);
  BatchContextPtr context;
  SecretVector<std::uint64_t> s;
};

struct BatchCiphertext {
  /// Zero, at the given level.
  BatchCiphertext(BatchContextPtr context, std::size_t level);
  BatchContextPtr context;
  std::size_t level;
  AlignedVector<std::uint64_t> c0, c1;
};

/// Symmetric encryption of N slots below p at the highest level: c0 = -a s + e + round(q m / p) bit-packed,
/// and the 32-byte seed of c1 = a. Exactly batch_encrypted_bytes(context) bytes; a fresh seed for each call.
Bytes batch_encrypt(const BatchSecretKey& key, std::span<const std::uint64_t> slots, Prng& prng);
std::size_t batch_encrypted_bytes(const BatchContext& context);
/// @throws Error(peer) unless the size is exact and every residue is below its prime.
BatchCiphertext load_seeded(const BatchContextPtr& context, ByteView bytes);

/// Bytes of a ciphertext: both halves bit-packed at its level; exactly batch_ciphertext_bytes(context, level)
/// bytes.
Bytes serialise(const BatchCiphertext& x);
std::size_t batch_ciphertext_bytes(const BatchContext& context, std::size_t level);
/// @throws Error(peer) unless `bytes` is a ciphertext of exactly that level.
BatchCiphertext load_ciphertext(const BatchContextPtr& context, std::size_t level, ByteView bytes);

/// Decrypts to slots: round(p/q (c0 + c1 s)), right while the noise is below q/(2p) (1 - 2^-8). Constant
/// time, never fails on a value.
void batch_decrypt(const BatchSecretKey& key, const BatchCiphertext& x, std::span<std::uint64_t> slots);

/// An encryption of zero to re-randomise with: b = -a s + e with a as that of PublicKey.
struct BatchPublicKey {
  /// @param session  as of PublicKey (he/bfv/scheme.h)
  BatchPublicKey(const BatchSecretKey& key, Prng& prng, const SessionKey& session = {});
  /// @throws Error(peer) unless `bytes` is exactly a valid key.
  BatchPublicKey(BatchContextPtr context, ByteView bytes, const SessionKey& session = {});
  Bytes serialise() const;
  BatchContextPtr context;
  Seed seed;
  AlignedVector<std::uint64_t> a, b;  ///< NTT form, data primes
};

// --- sums, plaintexts, levels -----------------------------------------------------------------------------

/// N slots prepared to multiply ciphertexts of up to `level` data primes: the polynomial with coefficients in
/// (-p/2, p/2], in NTT form.
struct BatchPlaintext {
  BatchPlaintext(const BatchContext& context, std::span<const std::uint64_t> slots, std::size_t level);
  std::size_t level;
  AlignedVector<std::uint64_t> value;
  std::size_t memory_bytes() const { return value.size() * sizeof(std::uint64_t); }
};

/// x += y and x -= y; the levels must be equal.
void add(BatchCiphertext& x, const BatchCiphertext& y);
void subtract(BatchCiphertext& x, const BatchCiphertext& y);
/// x += slots, exact up to the rounding of q m / p; adds no other noise.
void add_plain(BatchCiphertext& x, std::span<const std::uint64_t> slots);
/// sum += sum_k x[k] w[k]. Plaintexts may have been prepared for a higher level.
void multiply_plain_add(std::span<const BatchCiphertext* const> x, std::span<const BatchPlaintext* const> w,
                        BatchCiphertext& sum);
BatchCiphertext multiply_plain(const BatchCiphertext& x, const BatchPlaintext& w);

/// Modulus switching: x with the same slots and only the first `level` data primes; smaller, its noise
/// divided alike.
BatchCiphertext switch_level(const BatchCiphertext& x, std::size_t level);

/// Hides what computed x: adds a fresh public-key encryption of zero and, to c0, noise uniform in
/// [-2^flood_bits, 2^flood_bits) for each coefficient. Against noise bounded by B the statistical distance is
/// at most N B / 2^flood_bits for one ciphertext. @throws Error(input) if flooding alone would destroy the
/// message.
void flood(const BatchPublicKey& key, int flood_bits, Prng& prng, BatchCiphertext& x);

// --- key switching ----------------------------------------------------------------------------------------

/// For each digit d of the gadget: (b_d, a_d) with b_d = -a_d s + e_d + P g_d t over q P, where g_d is 1
/// modulo the primes of digit d and 0 modulo the others. Takes multiples of t to encryptions under s.
class KeySwitchKey {
 public:
  /// `from` (t) and `to` (s) in NTT form modulo data and special primes.
  KeySwitchKey(BatchContextPtr context, std::span<const std::uint64_t> from,
               std::span<const std::uint64_t> to, Prng& prng);
  /// @throws Error(peer) unless `bytes` is exactly a valid key.
  KeySwitchKey(BatchContextPtr context, ByteView bytes);
  Bytes serialise() const;
  static std::size_t serialised_bytes(const BatchContext& context);

  const BatchContextPtr& context() const { return context_; }
  /// The n values of digit d modulo prime i (data primes, then special primes).
  const std::uint64_t* b(std::size_t digit, std::size_t prime) const { return b_.data() + at(digit, prime); }
  const std::uint64_t* a(std::size_t digit, std::size_t prime) const { return a_.data() + at(digit, prime); }

 private:
  std::size_t at(std::size_t digit, std::size_t prime) const {
    return digit * context_->key_words() + prime * context_->n();
  }
  void expand();
  BatchContextPtr context_;
  Seed seed_;
  AlignedVector<std::uint64_t> a_, b_;
};

/// A polynomial cut into the gadget's digits, each extended to all primes of its level and the special
/// primes: what every key switch of it starts from.
struct Decomposition {
  std::size_t level = 0;
  AlignedVector<std::uint64_t> values;  ///< [digit][level + special][n], NTT form
};
/// `polynomial` in NTT form with `level` primes.
Decomposition decompose(const BatchContext& context, std::span<const std::uint64_t> polynomial,
                        std::size_t level);

/// (c0, c1) += an encryption under s of the polynomial times t.
void key_switch_add(const Decomposition& polynomial, const KeySwitchKey& key, std::span<std::uint64_t> c0,
                    std::span<std::uint64_t> c1);
/// Key switching of a polynomial in NTT form that is switched once: its digits live for one prime at a time.
void key_switch_add(std::span<const std::uint64_t> polynomial, std::size_t level, const KeySwitchKey& key,
                    std::span<std::uint64_t> c0, std::span<std::uint64_t> c1);

// --- rotations --------------------------------------------------------------------------------------------

/// The automorphism that moves column i + step to column i of both rows; step modulo N/2.
std::uint32_t rotation_element(const BatchContext& context, int step);
/// The automorphism that swaps the rows (all columns of row 0 with those of row 1).
std::uint32_t swap_element(const BatchContext& context);

/// Keys for the automorphisms that a computation needs. Each key takes s to its inverse image, so that the
/// automorphism is applied last, to two polynomials, and a decomposition serves all automorphisms.
class GaloisKeys {
 public:
  /// `elements`: of rotation_element and swap_element; repetitions and the identity are left out.
  GaloisKeys(const BatchSecretKey& key, std::span<const std::uint32_t> elements, Prng& prng);
  /// @throws Error(peer) unless `bytes` holds valid keys of exactly these elements.
  GaloisKeys(BatchContextPtr context, std::span<const std::uint32_t> elements, ByteView bytes);
  Bytes serialise() const;
  static std::size_t serialised_bytes(const BatchContext& context, std::span<const std::uint32_t> elements);

  struct Key {
    ring::Automorphism map;
    KeySwitchKey key;
  };
  /// @throws Error(input) if there is no key of that element.
  const Key& at(std::uint32_t element) const;
  std::size_t size() const { return keys_.size(); }

 private:
  std::map<std::uint32_t, Key> keys_;
};

BatchCiphertext apply_automorphism(const BatchCiphertext& x, std::uint32_t element, const GaloisKeys& keys);
/// Hoisted: `c1` is decompose(x.c1), shared by several automorphisms of x. The same result.
BatchCiphertext apply_automorphism(const BatchCiphertext& x, const Decomposition& c1, std::uint32_t element,
                                   const GaloisKeys& keys);
/// Rotates both rows to the left by `step` columns (to the right if negative).
BatchCiphertext rotate_rows(const BatchCiphertext& x, int step, const GaloisKeys& keys);
BatchCiphertext swap_rows(const BatchCiphertext& x, const GaloisKeys& keys);

// --- products of ciphertexts ------------------------------------------------------------------------------

/// An encryption under (1, s, s^2); sums of products are relinearised once.
struct BatchProduct {
  BatchContextPtr context;
  std::size_t level;
  AlignedVector<std::uint64_t> c0, c1, c2;  ///< NTT form
};
/// Needs BatchParameters::products; equal levels. Scaling by p/q as Halevi, Polyakov and Shoup (2018/117).
BatchProduct multiply(const BatchCiphertext& x, const BatchCiphertext& y);
void add(BatchProduct& x, const BatchProduct& y);
/// The key switch from s^2 to s.
KeySwitchKey make_relinearisation_key(const BatchSecretKey& key, Prng& prng);
BatchCiphertext relinearise(const BatchProduct& x, const KeySwitchKey& key);

}  // namespace ap::bfv
