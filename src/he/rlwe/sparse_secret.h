// Ternary secrets with few coefficients other than zero. They make moduli larger for what is computed under them, and
// attacks cheaper: no ciphertext of a client is under one, only a switching key of a small modulus (he/rlwe/mod_raise.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/memory.h"
#include "random/prng.h"

namespace ap::rlwe {

/// n coefficients, `weight` of them 1 or -1 and the others 0: uniform among all such, up to weight n / 2^64. Constant
/// time: every draw passes over all coefficients. 1 <= weight <= n. @throws Error(internal) otherwise.
SecretVector<std::int8_t> sample_sparse_ternary(std::size_t n, std::size_t weight, Prng& prng);

/// log2 of the number of such secrets: 2^weight times n over weight.
double log2_sparse_secrets(std::size_t n, std::size_t weight);

}  // namespace ap::rlwe
