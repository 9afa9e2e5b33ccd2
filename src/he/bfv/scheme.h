// Keys, encryption, products and the HE-to-share conversion of a result ("approximate re-sharing" in
// docs/threat-model.md; Cheetah, USENIX Security 2022, calls it the truncation of HE shares).
//
// Client                                         Server
//   SecretKey, PublicKey  -- public_key bytes -->   PublicKey
//   encrypt_seeded(r)     -- ciphertext bytes -->   Ciphertext (NTT form)
//                                                   Accumulator += Ciphertext * PreparedPlaintext
//   decrypt_reply         <-- reply bytes ------    reshare -> server's shares
// with client share + server share = (r * w)[position] mod 2^k, up to -1, 0 or +1 (and the noise, see
// layers/linear/noise_model.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/memory.h"
#include "he/bfv/context.h"
#include "random/prng.h"
#include "random/session_key.h"

namespace ap::bfv {

/// Where errors come from. `none` exists for tests that must tell rounding from noise; no protocol message
/// can select it.
enum class ErrorSource { centred_binomial, none_for_tests };

/// Uniform ternary secret, kept in NTT form and wiped. It has no serialisation on purpose.
class SecretKey {
 public:
  SecretKey(ContextPtr context, Prng& prng);
  // representation up to the implementation
  ContextPtr context;
  SecretVector<std::uint64_t> s;  ///< NTT form, one residue after another
};

/// The seed of the uniform half a of a public key. The owner of the key chooses `seed` but must not choose a,
/// which also hides what others encrypt under the key. Expansion by AES-256-CTR alone would have it choose
/// the key of AES, for which AES is not assumed to be anything. This hashes (tag, session, seed) with BLAKE2b
/// first, a random oracle: every key of AES that comes out is uniform, whatever the seed, so that a is
/// pseudorandom but for the choice among as many values as its owner computes hashes, and that choice starts
/// with the session.
Seed public_key_seed(const Seed& seed, const SessionKey& session);

/// b = -a s + e with a expanded from a seed and the session: the stream of public_key_seed(a_seed, session).
class PublicKey {
 public:
  /// @param session  the part for this key's place in the session; of no session: measurements
  PublicKey(const SecretKey& key, Prng& prng, ErrorSource errors = ErrorSource::centred_binomial,
            const SessionKey& session = {});
  /// @throws Error(peer) unless `bytes` is exactly a valid key: size, residues below their primes.
  PublicKey(ContextPtr context, ByteView bytes, const SessionKey& session = {});
  Bytes serialise() const;
  static std::size_t serialised_bytes(const Context& context);
  ContextPtr context;
  AlignedVector<std::uint64_t> a, b;  ///< NTT form
  Seed a_seed;
};

/// Symmetric encryption of n values mod 2^log2_p: c0 = -a s + e + round(q m / p), c1 = a sent as a 32-byte
/// seed. Returns exactly encrypted_bytes(context) bytes. A fresh seed is drawn from prng for each call.
Bytes encrypt_seeded(const SecretKey& key, std::span<const std::uint64_t> message, int log2_p, Prng& prng,
                     ErrorSource errors = ErrorSource::centred_binomial);
std::size_t encrypted_bytes(const Context& context);

/// An upload, validated, expanded and in NTT form.
struct Ciphertext {
  /// @throws Error(peer) unless the size is exact and every residue is below its prime.
  Ciphertext(ContextPtr context, ByteView bytes);
  ContextPtr context;
  AlignedVector<std::uint64_t> c0, c1;
};

/// A plaintext polynomial with signed coefficients |w| < 2^31, in NTT form.
struct PreparedPlaintext {
  PreparedPlaintext(const Context& context, std::span<const std::int32_t> coefficients);
  AlignedVector<std::uint64_t> value;
  std::size_t memory_bytes() const { return value.size() * sizeof(std::uint64_t); }
};

/// A sum of products in NTT form. The number of operations never depends on the values.
struct Accumulator {
  explicit Accumulator(ContextPtr context);  ///< zero
  void multiply_add(const Ciphertext& x, const PreparedPlaintext& w);
  /// Adds the sum of x[k] * w[k]: one reduction for up to sixteen products, half again as fast.
  void multiply_add(std::span<const Ciphertext* const> x, std::span<const PreparedPlaintext* const> w);
  ContextPtr context;
  AlignedVector<std::uint64_t> c0, c1;
};

/// Which coefficients of c0 a reply carries (ascending, distinct, < n), and how many low bits of c0 and c1 it
/// drops.
struct ReplyFormat {
  std::vector<std::uint32_t> positions;
  int c0_dropped_bits = 0, c1_dropped_bits = 0;
};
std::size_t reply_bytes(const Context& context, const ReplyFormat& format);

/// Approximate re-sharing. Subtracts R uniform in R_q from c0 (at the positions sent), adds a fresh
/// public-key encryption of zero to both parts and noise of the server's own to c0 (random/wide_noise.h, with
/// this step; 0 for none), writes round(p R / q) mod p to server_shares (one per position), and returns the
/// bit-packed reply of exactly reply_bytes(...) bytes. Positions that are not read are not sent.
Bytes reshare(const PublicKey& key, Accumulator&& sum, int log2_p, const ReplyFormat& format,
              std::uint64_t noise_step, Prng& prng, std::span<std::uint64_t> server_shares,
              ErrorSource errors = ErrorSource::centred_binomial);

/// client_shares[i] = round(p/q (c0 + c1 s)[positions[i]]) mod p, constant time, never fails on a value.
/// @throws Error(peer) on a wrong size or a residue out of range (both visible to anyone on the wire).
void decrypt_reply(const SecretKey& key, ByteView reply, int log2_p, const ReplyFormat& format,
                   std::span<std::uint64_t> client_shares);

}  // namespace ap::bfv
