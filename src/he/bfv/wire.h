// How coefficients modulo q lie in replies: bit-packed, so that sizes depend on public parameters only.
#pragma once

#include <span>

#include "ring/modulus.h"

namespace ap::bfv {

/// Values of up to 120 bits: above 64 bits the low words come first, then the packed high parts. The
/// overloads for single words take up to 64 bits and give the same bytes.
std::size_t wide_bytes(std::size_t count, int bits);
void pack_wide(std::span<const ring::Uint128> values, int bits, std::span<std::uint8_t> out);
void unpack_wide(std::span<const std::uint8_t> in, int bits, std::span<ring::Uint128> values);
void pack_wide(std::span<const std::uint64_t> values, int bits, std::span<std::uint8_t> out);
void unpack_wide(std::span<const std::uint8_t> in, int bits, std::span<std::uint64_t> values);

}  // namespace ap::bfv
