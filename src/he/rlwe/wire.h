// How keys and ciphertexts lie on the wire and what is accepted from it. Residues are bit-packed at the width of
// their prime, so sizes depend on public parameters only; uniform halves that their sender chose freely are sent as
// the 32-byte seed that they are expanded from. Nothing is allocated before the size of the bytes has been compared
// with the one exact size, and every residue must be below its prime.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.h"
#include "he/rlwe/ciphertext.h"
#include "random/prng.h"

namespace ap::rlwe {

// --- polynomials --------------------------------------------------------------------------------------------

/// Bytes of a polynomial with residues modulo the first `primes` primes of the context.
std::size_t packed_polynomial_bytes(const Context& context, std::size_t primes);
/// Takes its share off the front of `out`. For one prime, and for the first `primes` of a context.
void pack_residues(const ring::Modulus& q, std::span<const std::uint64_t> values,
                   std::span<std::uint8_t>& out);
void pack_polynomial(const Context& context, std::size_t primes, std::span<const std::uint64_t> values,
                     std::span<std::uint8_t>& out);
/// Takes its share, which must be there, off the front of `in`.
/// @throws Error(peer) that names `what` if a residue is not below its prime.
void unpack_polynomial(const Context& context, std::size_t primes, std::string_view what,
                       std::span<std::uint64_t> values, ByteView& in);

/// Uniform residues in NTT form modulo the first `count` primes of the context: stream `stream` + i of the
/// seed gives those of prime i.
void expand_uniform(const Context& context, const Seed& seed, std::uint64_t stream, std::size_t count,
                    std::span<std::uint64_t> out);

// --- ciphertexts --------------------------------------------------------------------------------------------

/// Bytes of a fresh symmetric encryption (he/rlwe/encrypt.h) or a public key: seed and c_0 with all data primes.
std::size_t seeded_bytes(const Context& context);
/// A ciphertext of degree 1 at the highest level, in NTT form.
/// @throws Error(peer) unless the size is exact and every residue is below its prime.
Ciphertext load_seeded(const ContextPtr& context, ByteView bytes);

/// Bytes of a ciphertext in NTT form: all its polynomials at its level.
Bytes serialise(const Ciphertext& x);
std::size_t ciphertext_bytes(const Context& context, std::size_t level, std::size_t degree = 1);
/// @throws Error(peer) unless `bytes` is a ciphertext of exactly that level and degree.
Ciphertext load_ciphertext(const ContextPtr& context, std::size_t level, ByteView bytes,
                           std::size_t degree = 1);

}  // namespace ap::rlwe
