// Linear operations on ciphertexts and changes of level, for every scheme. Numbers of operations depend on public
// parameters only, never on values. Operands have one context, level, degree and form; what differs is refused with
// Error(internal).
#pragma once

#include <span>

#include "he/rlwe/ciphertext.h"

namespace ap::rlwe {

/// x += y and x -= y.
void add(Ciphertext& x, const Ciphertext& y);
void subtract(Ciphertext& x, const Ciphertext& y);

/// sum += sum_k x[k] w[k], one reduction for up to sixteen products. Plaintexts may have been prepared for a higher
/// level. In NTT form, degree 1.
void multiply_plain_add(std::span<const Ciphertext* const> x, std::span<const Plaintext* const> w,
                        Ciphertext& sum);
void multiply_plain_add(const Ciphertext& x, const Plaintext& w, Ciphertext& sum);
Ciphertext multiply_plain(const Ciphertext& x, const Plaintext& w);

/// The tensor product, of degree 2. In NTT form, degree 1.
Ciphertext multiply(const Ciphertext& x, const Ciphertext& y);

/// Drops the primes above `level` and divides by their product D, rounding to nearest: with x = Q' m the result is of
/// Q'/D m. Modulus switching of BFV, rescaling of CKKS; noise is divided alike, and rounding adds
/// rounding_variance (he/rlwe/noise.h). Any form, which the result has too.
/// @throws Error(input) unless 1 <= level <= x.level().
Ciphertext rescale(const Ciphertext& x, std::size_t level);
/// Drops the primes above `level` and leaves the other residues: the same phase, reduced modulo the primes left.
/// @throws Error(input) unless 1 <= level <= x.level().
Ciphertext drop_level(const Ciphertext& x, std::size_t level);
/// The same ciphertext in another context, whose first primes are those of x's level: for computation that ends there with
/// keys of fewer and smaller digits. @throws Error(internal) otherwise.
Ciphertext moved(const Ciphertext& x, ContextPtr context);

}  // namespace ap::rlwe
