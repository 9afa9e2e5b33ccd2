// Primes for number-theoretic transforms: q = 1 mod 2n, so that Z_q holds primitive 2n-th roots of one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ring/modulus.h"

namespace ap::ring {

/// Deterministic for every 64-bit x below 2^62 (Miller-Rabin with the first twelve primes as bases).
bool is_prime(std::uint64_t x);

/// The `count` largest primes below 2^bits (bits <= 60) that are 1 mod 2n, largest first; fewer if there are
/// not so many above 2^(bits-1).
std::vector<std::uint64_t> ntt_primes(int bits, std::uint64_t n, std::size_t count);

/// The 2n-th root of one that every machine agrees on: x^((q-1)/2n) for the smallest x >= 2 that makes it
/// primitive. n a power of two, q a prime that is 1 mod 2n.
std::uint64_t primitive_root(const Modulus& q, std::uint64_t n);

}  // namespace ap::ring
