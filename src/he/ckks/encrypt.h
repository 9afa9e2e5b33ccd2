// Encryption and decryption of slots, and the wire form. What crosses the wire are the bytes of he/rlwe/wire.h: neither
// scale nor level is among them, since both ends have them from the plan. Constant time in slots and secrets.
#pragma once

#include <complex>
#include <span>

#include "base/bytes.h"
#include "he/ckks/encoder.h"
#include "he/ckks/plaintext.h"
#include "he/rlwe/keys.h"
#include "random/prng.h"

namespace ap::ckks {

/// Symmetric encryption at the highest level: rlwe::seeded_bytes(context) bytes for load_seeded.
/// @throws Error(input) as Encoder::coefficients.
Bytes encrypt_seeded(const Encoder& encoder, const rlwe::SecretKey& key,
                     std::span<const std::complex<double>> slots, const Scale& scale, Prng& prng);
/// @throws Error(peer) unless the size is exact and every residue is below its prime.
Ciphertext load_seeded(const rlwe::ContextPtr& context, const Scale& scale, ByteView bytes);
/// Of any level and degree: rlwe::ciphertext_bytes(context, level, degree) bytes.
Bytes serialise(const Ciphertext& x);
/// @throws Error(peer) unless `bytes` is a ciphertext of exactly that level and degree.
Ciphertext load_ciphertext(const rlwe::ContextPtr& context, std::size_t level, const Scale& scale,
                           ByteView bytes, std::size_t degree = 1);

/// Public-key encryption at the level of the plaintext.
Ciphertext encrypt(const rlwe::PublicKey& key, const Plaintext& plaintext, Prng& prng);

/// `slots` slots. Slots times scale, with noise, must stay below half of the product of the level's first primes that
/// fit 120 bits together. What decrypts shows the noise: give no one but the key's owner these values
/// (docs/threat-model.md, "Approximate decryption").
Slots decrypt(const Encoder& encoder, const rlwe::SecretKey& key, const Ciphertext& x, std::size_t slots);

/// Hides what computed x from the key's owner, for good before x is sent: rlwe::flood with as many bits as put noise of
/// coefficients up to 2^noise_bits within statistical distance 2^-statistical_bits of noise that depends on nothing. All
/// noise that depends on secrets of the evaluator must be below that bound; the slots themselves are not hidden. Costs
/// precision: the slots' error is uniform noise of flood_bits(...) bits over the scale.
/// @throws Error(input) if that leaves no room for the scale's own bits in the level.
void flood(Ciphertext& x, const rlwe::PublicKey& key, double noise_bits, double statistical_bits, Prng& prng);
int flood_bits(std::size_t n, double noise_bits, double statistical_bits);

}  // namespace ap::ckks
