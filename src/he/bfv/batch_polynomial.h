// Polynomials of batching that several files share: small ones, scaled messages, bytes.
#pragma once

#include <span>
#include <string_view>

#include "he/bfv/batch_scheme.h"

namespace ap::bfv {

/// out = residues of `count` primes (tables from index `first` on) of a small signed polynomial, in NTT form.
void small_to_ntt(const BatchContext& context, std::span<const std::int8_t> small, std::size_t prime,
                  std::span<std::uint64_t> out);

/// `sum` (n values modulo prime i of the context) -= x y.
void subtract_product(const BatchContext& context, std::size_t prime, const std::uint64_t* x,
                      const std::uint64_t* y, std::span<std::uint64_t> sum);

/// r = (q m + half) mod p for each coefficient m < p; then round(q m / p) = offset - r / p modulo each prime.
void scale_up_remainder(const BatchContext& context, const BatchLevel& level,
                        std::span<const std::uint64_t> coefficients, std::span<std::uint64_t> remainder);
/// values += round(q m / p) modulo prime i, from the remainder; values below the prime.
void add_scaled(const BatchContext& context, const BatchLevel& level, std::size_t prime,
                std::span<const std::uint64_t> remainder, std::span<std::uint64_t> values);

/// Pointers, for reading, to `count` consecutive polynomials of n values.
std::vector<const std::uint64_t*> parts(const BatchContext& context,
                                        std::span<const std::uint64_t> polynomial, std::size_t first,
                                        std::size_t count);

/// Bytes of residues modulo `count` primes from table index `first` on, packed at the width of each prime.
std::size_t packed_residue_bytes(const BatchContext& context, std::size_t first, std::size_t count);
/// Takes its share off the front of `out` (`in`).
void pack_part(const ring::Modulus& q, std::span<const std::uint64_t> values, std::span<std::uint8_t>& out);
/// @throws Error(peer) that names `what` if a value is not below q.
void unpack_part(const ring::Modulus& q, std::string_view what, std::span<std::uint64_t> values,
                 ByteView& in);

/// Uniform residues in NTT form modulo the first `count` primes of the context: stream `stream` + i of the
/// seed gives those of prime i.
void expand_seed(const BatchContext& context, const Seed& seed, std::uint64_t stream, std::size_t count,
                 std::span<std::uint64_t> out);

}  // namespace ap::bfv
