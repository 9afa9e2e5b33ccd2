// The kernels behind NttTables. Each takes tables prepared for it: `quotient` is floor(root 2^B / q) with B =
// 64 (scalar), 32 (avx2) or 52 (ifma).
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

/// q < 2^50, n >= 16. The roots of the last stage (indices n/2 and up) lie in the order of ifma_order().
void forward_ifma(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void inverse_ifma(std::uint64_t* x, std::size_t n, const Modulus& q, const Roots& roots);
void multiply_add_ifma(const std::uint64_t* const* x, const std::uint64_t* const* y, std::size_t count,
                       std::uint64_t* sum, std::size_t n, const Modulus& q);
/// Where the root of group i (i >= n/2) of the last stage lies: blocks of eight hold groups 0 1 4 5 2 3 6 7.
std::size_t ifma_order(std::size_t i, std::size_t n);

/// At most this many products between two reductions, in every multiply_add kernel.
inline constexpr std::size_t kLazyProducts = 16;

}  // namespace ap::ring::kernels
