// Encryptions of what a scheme adds to encryptions of zero, and the phase that it decodes. Constant time in secrets.
#pragma once

#include <functional>
#include <span>

#include "he/rlwe/ciphertext.h"
#include "he/rlwe/keys.h"

namespace ap::rlwe {

/// (i, values): adds a polynomial's N coefficients modulo prime i to `values`, residues below that prime.
using AddCoefficients = std::function<void(std::size_t i, std::span<std::uint64_t> values)>;

/// Symmetric encryption at the highest level: c_0 = -a s + e + message bit-packed, and the 32-byte seed of c_1 = a.
/// Exactly seeded_bytes(context) bytes for load_seeded (he/rlwe/wire.h); a fresh seed for each call.
Bytes encrypt_seeded(const SecretKey& key, const AddCoefficients& message, Prng& prng,
                     ErrorSource errors = ErrorSource::centred_binomial);

/// What a public-key encryption draws: u ternary, e_0 and e_1 small.
struct EncryptionRandomness {
  EncryptionRandomness(std::size_t n, Prng& prng, ErrorSource errors = ErrorSource::centred_binomial);
  SecretVector<std::int8_t> u, e0, e1;
};
/// x += (b u + e_0 + more, a u + e_1): the encryption of zero that `drawn` stands for under `key`, with `more` in its
/// c_0 (a message, noise that floods). x in NTT form at any level, degree 1.
void add_encryption_of_zero(const PublicKey& key, const EncryptionRandomness& drawn,
                            const AddCoefficients& more, Ciphertext& x);

/// Hides what computed x: adds a fresh public-key encryption of zero and, to c_0, noise uniform in
/// [-2^flood_bits, 2^flood_bits) for each coefficient. Against noise bounded by B the statistical distance is at most
/// N B / 2^(flood_bits + 1) for one ciphertext. flood_bits >= 1; whether the message survives is the scheme's to check.
void flood(const PublicKey& key, int flood_bits, Prng& prng, Ciphertext& x);

/// The coefficients of sum_k c_k s^k: level * N residues. x in NTT form.
SecretVector<std::uint64_t> phase(const SecretKey& key, const Ciphertext& x);

}  // namespace ap::rlwe
