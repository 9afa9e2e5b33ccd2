// What BFV with batching adds to RLWE (he/rlwe): N slots modulo p in a ciphertext, their scale q/p, products of
// ciphertexts, and flooding. Keys, sums, products with plaintexts, key switching and the wire form are those of
// he/rlwe. Ciphertexts are in NTT form throughout; their level is the number of data primes left. Numbers of
// operations depend on public parameters only, never on values.
//
// Client                                                     Server
//   rlwe::SecretKey, GaloisKeys, PublicKey     -->             keys
//   batch_encrypt(slots)              -- bytes -->             rlwe::load_seeded
//                                                              rotate, multiply, add ...; switch_level; flood
//   batch_decrypt                     <-- bytes --             rlwe::serialise
//
// Every function takes the context of its operands where it needs p; another one is refused with Error(internal).
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "he/bfv/batch_tables.h"
#include "he/rlwe/ciphertext.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/keys.h"

namespace ap::bfv {

// --- slots ------------------------------------------------------------------------------------------------

/// N slots (two rows of N/2, values below p) to the coefficients of the polynomial that holds them, and back.
/// Products of polynomials are products of slots.
void encode_slots(const BatchContext& context, std::span<const std::uint64_t> slots,
                  std::span<std::uint64_t> coefficients);
void decode_slots(const BatchContext& context, std::span<const std::uint64_t> coefficients,
                  std::span<std::uint64_t> slots);

/// N slots prepared to multiply ciphertexts of up to `level` data primes: the polynomial with coefficients in
/// (-p/2, p/2].
rlwe::Plaintext batch_plaintext(const BatchContext& context, std::span<const std::uint64_t> slots,
                                std::size_t level);

// --- encryption -------------------------------------------------------------------------------------------

/// Symmetric encryption of N slots below p at the highest level, c_0 = -a s + e + round(q m / p): exactly
/// rlwe::seeded_bytes(context) bytes for rlwe::load_seeded.
Bytes batch_encrypt(const BatchContext& context, const rlwe::SecretKey& key,
                    std::span<const std::uint64_t> slots, Prng& prng);

/// Decrypts to slots: round(p/q (c0 + c1 s)), right while the noise is below q/(2p) (1 - 2^-8). Constant
/// time, never fails on a value.
void batch_decrypt(const BatchContext& context, const rlwe::SecretKey& key, const rlwe::Ciphertext& x,
                   std::span<std::uint64_t> slots);

/// x += slots, exact up to the rounding of q m / p; adds no other noise.
void add_plain(const BatchContext& context, rlwe::Ciphertext& x, std::span<const std::uint64_t> slots);

/// Modulus switching: x with the same slots and only the first `level` data primes; smaller, its noise
/// divided alike. @throws Error(input) if there are not `level` primes or they are too few for p.
rlwe::Ciphertext switch_level(const BatchContext& context, const rlwe::Ciphertext& x, std::size_t level);

/// Hides what computed x: adds a fresh public-key encryption of zero and, to c0, noise uniform in
/// [-2^flood_bits, 2^flood_bits) for each coefficient. Against noise bounded by B the statistical distance is
/// at most N B / 2^flood_bits for one ciphertext. @throws Error(input) if flooding alone would destroy the
/// message.
void flood(const BatchContext& context, const rlwe::PublicKey& key, int flood_bits, Prng& prng,
           rlwe::Ciphertext& x);

// --- rotations --------------------------------------------------------------------------------------------

/// The automorphism that moves column i + step to column i of both rows; step modulo N/2.
std::uint32_t rotation_element(const rlwe::Context& context, int step);
/// The automorphism that swaps the rows (all columns of row 0 with those of row 1).
std::uint32_t swap_element(const rlwe::Context& context);
/// Rotates both rows to the left by `step` columns (to the right if negative).
rlwe::Ciphertext rotate_rows(const rlwe::Ciphertext& x, int step, const rlwe::GaloisKeys& keys);
rlwe::Ciphertext swap_rows(const rlwe::Ciphertext& x, const rlwe::GaloisKeys& keys);

// --- products of ciphertexts ------------------------------------------------------------------------------

/// An encryption of degree 2 of the products of slots; sums of them are relinearised once (rlwe::relinearise).
/// Needs BatchParameters::products; equal levels. Scaling by p/q as Halevi, Polyakov and Shoup (2018/117).
rlwe::Ciphertext multiply(const BatchContext& context, const rlwe::Ciphertext& x, const rlwe::Ciphertext& y);

}  // namespace ap::bfv
