// Encryption of coefficients and the HE-to-share conversion of a result ("approximate re-sharing" in
// docs/threat-model.md; Cheetah, USENIX Security 2022, calls it the truncation of HE shares). Keys, ciphertexts and
// sums of products are those of he/rlwe.
//
// Client                                              Server
//   rlwe::SecretKey, PublicKey  -- key bytes -->        rlwe::PublicKey
//   encrypt_seeded(r)           -- ciphertext bytes --> rlwe::load_seeded (NTT form)
//                                                       rlwe::multiply_plain_add(ciphertext, plaintext, sum)
//   decrypt_reply               <-- reply bytes ------  reshare -> server's shares
// with client share + server share = (r * w)[position] mod 2^k, up to -1, 0 or +1 (and the noise, see
// layers/linear/noise_model.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/memory.h"
#include "he/bfv/context_tables.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/keys.h"
#include "random/prng.h"

namespace ap::bfv {

using rlwe::ErrorSource;

/// Symmetric encryption of n values mod 2^log2_p: c0 = -a s + e + round(q m / p), c1 = a sent as a 32-byte
/// seed. Returns exactly rlwe::seeded_bytes(context) bytes. A fresh seed is drawn from prng for each call.
Bytes encrypt_seeded(const Context& context, const rlwe::SecretKey& key,
                     std::span<const std::uint64_t> message, int log2_p, Prng& prng,
                     ErrorSource errors = ErrorSource::centred_binomial);

/// A plaintext polynomial with signed coefficients |w| < 2^31 (at most N of them), for every prime.
rlwe::Plaintext small_plaintext(const rlwe::Context& context, std::span<const std::int32_t> coefficients);

/// A coefficient that is not zero.
struct Term {
  std::uint32_t position;
  std::int16_t value;
};
/// The same of a sparse polynomial, into a plaintext of all primes, whatever it holds; terms of one position add up.
/// The time depends on the number of terms and their positions, not on their values.
void sparse_plaintext(const Context& context, std::span<const Term> terms, rlwe::Plaintext& plaintext);

/// Which coefficients of c0 a reply carries (ascending, distinct, < n), and how many low bits of c0 and c1 it
/// drops.
struct ReplyFormat {
  std::vector<std::uint32_t> positions;
  int c0_dropped_bits = 0, c1_dropped_bits = 0;
};
std::size_t reply_bytes(const Context& context, const ReplyFormat& format);

/// Approximate re-sharing of a sum with all primes. Subtracts R uniform in R_q from c0 (at the positions sent), adds a fresh
/// public-key encryption of zero to both parts and noise of the server's own to c0 (random/wide_noise.h, with
/// this step; 0 for none), writes round(p R / q) mod p to server_shares (one per position), and returns the
/// bit-packed reply of exactly reply_bytes(...) bytes. Positions that are not read are not sent.
Bytes reshare(const Context& context, const rlwe::PublicKey& key, rlwe::Ciphertext&& sum, int log2_p,
              const ReplyFormat& format, std::uint64_t noise_step, Prng& prng,
              std::span<std::uint64_t> server_shares, ErrorSource errors = ErrorSource::centred_binomial);

/// client_shares[i] = round(p/q (c0 + c1 s)[positions[i]]) mod p, constant time, never fails on a value.
/// @throws Error(peer) on a wrong size or a residue out of range (both visible to anyone on the wire).
void decrypt_reply(const Context& context, const rlwe::SecretKey& key, ByteView reply, int log2_p,
                   const ReplyFormat& format, std::span<std::uint64_t> client_shares);

}  // namespace ap::bfv
