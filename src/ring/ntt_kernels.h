// The kernels behind NttTables. Each takes tables prepared for it: `quotient` is floor(root 2^B / q) with B =
// 64 (scalar, avx512_64), 32 (avx2, avx512_32) or 52 (ifma).
#pragma once

#include "ring/ntt.h"

namespace ap::ring::kernels {

using Roots = NttTables::Roots;

void forward_scalar(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void inverse_scalar(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void multiply_add_scalar(const std::uint64_t* const* x, const std::uint64_t* const* y, std::size_t count,
                         std::uint64_t* sum, std::size_t n, const Modulus& q);

/// Four values a register, products of their low 32 bits; q < 2^30, n >= 16.
void forward_avx2(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void inverse_avx2(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);

/// Sixteen 32-bit lanes; q < 2^30, n >= 512. Takes the narrow tables, those of the last stage (indices n/2
/// and up) in the order of avx512_32_order().
void forward_avx512_32(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void inverse_avx512_32(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void multiply_add_avx512_32(const std::uint64_t* const* x, const std::uint64_t* const* y, std::size_t count,
                            std::uint64_t* sum, std::size_t n, const Modulus& q);
/// Where the root of group i lies in the narrow tables.
std::size_t avx512_32_order(std::size_t i, std::size_t n);

/// Eight 64-bit lanes; q < 2^60, n >= 16. Roots in the order of lanes8_order().
void forward_avx512_64(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void inverse_avx512_64(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void multiply_add_avx512_64(const std::uint64_t* const* x, const std::uint64_t* const* y, std::size_t count,
                            std::uint64_t* sum, std::size_t n, const Modulus& q);

/// Eight 52-bit products an instruction; q < 2^50, n >= 16. Roots in the order of lanes8_order().
void forward_ifma(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void inverse_ifma(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void multiply_add_ifma(const std::uint64_t* const* x, const std::uint64_t* const* y, std::size_t count,
                       std::uint64_t* sum, std::size_t n, const Modulus& q);
/// Where the root of group i lies: in the last stage (i >= n/2) blocks of eight hold groups 0 1 4 5 2 3 6 7.
std::size_t lanes8_order(std::size_t i, std::size_t n);

/// At most this many products between two reductions, in every multiply_add kernel.
inline constexpr std::size_t kLazyProducts = 16;

}  // namespace ap::ring::kernels
