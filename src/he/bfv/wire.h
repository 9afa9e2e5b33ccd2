// How polynomials lie on the wire: bit-packed at the width of their modulus, so that sizes depend on public
// parameters only.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/memory.h"
#include "he/bfv/context_tables.h"
#include "random/prng.h"

namespace ap::bfv {

/// Bytes of a polynomial in NTT form: for each prime, n residues of as many bits as the prime has.
std::size_t residue_bytes(const Context& context);
void pack_residues(const Context& context, std::span<const std::uint64_t> polynomial,
                   std::span<std::uint8_t> out);
/// `in` must have residue_bytes. @throws Error(peer) that names `what` if a residue is not below its prime.
void unpack_residues(const Context& context, std::span<const std::uint8_t> in, std::string_view what,
                     std::span<std::uint64_t> polynomial);

/// Values of up to 120 bits: above 64 bits the low words come first, then the packed high parts. The
/// overloads for single words take up to 64 bits and give the same bytes.
std::size_t wide_bytes(std::size_t count, int bits);
void pack_wide(std::span<const ring::Uint128> values, int bits, std::span<std::uint8_t> out);
void unpack_wide(std::span<const std::uint8_t> in, int bits, std::span<ring::Uint128> values);
void pack_wide(std::span<const std::uint64_t> values, int bits, std::span<std::uint8_t> out);
void unpack_wide(std::span<const std::uint8_t> in, int bits, std::span<std::uint64_t> values);

/// The uniform polynomial in NTT form that a seed stands for: stream i of the seed gives the residues of
/// prime i.
void expand_uniform(const Context& context, const Seed& seed, std::span<std::uint64_t> polynomial);

}  // namespace ap::bfv
