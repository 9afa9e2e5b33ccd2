// Arithmetic on ciphertexts of slots. Operands of one context; their scales and levels must be equal where they are
// added, exactly: what differs is refused with Error(input), which names both and what to do. Numbers of operations depend
// on public parameters only.
#pragma once

#include <span>
#include <vector>

#include "he/ckks/plaintext.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/key_switch.h"

namespace ap::ckks {

// --- sums ---------------------------------------------------------------------------------------------------

/// Equal levels, scales and degrees.
void add(Ciphertext& x, const Ciphertext& y);
void subtract(Ciphertext& x, const Ciphertext& y);
void negate(Ciphertext& x);
/// Equal scales; the plaintext of the same or a higher level.
void add_plain(Ciphertext& x, const Plaintext& y);
void subtract_plain(Ciphertext& x, const Plaintext& y);
/// Every slot += value, rounded to a multiple of 1 / scale. @throws Error(input) if value times scale is not below 2^62.
void add_constant(Ciphertext& x, double value);

// --- products -----------------------------------------------------------------------------------------------

/// Scales multiply; rescale afterwards. The plaintext of the same or a higher level; x of degree 1.
Ciphertext multiply_plain(const Ciphertext& x, const Plaintext& y);
/// sum_k x[k] y[k]: at least one term, all of one level, all products of one scale.
Ciphertext multiply_plain_sum(std::span<const Ciphertext* const> x, std::span<const Plaintext* const> y);
/// Every slot times round(value scale) / scale, at the product of the scales.
/// @throws Error(input) if value times scale is not below 2^62.
Ciphertext multiply_constant(const Ciphertext& x, double value, const Scale& scale);
/// Every slot times i, exactly, at no cost of scale or level.
Ciphertext multiply_by_i(const Ciphertext& x);

/// The product, of degree 2. Sums of such are relinearised and rescaled once (lazy relinearisation). Equal levels.
Ciphertext multiply(const Ciphertext& x, const Ciphertext& y);
Ciphertext relinearise(const Ciphertext& x, const rlwe::RelinearisationKey& key);
/// The product relinearised and rescaled by one prime with one division for both: faster and less noisy than one after
/// the other. @throws Error(input) at level 1.
Ciphertext multiply_rescale(const Ciphertext& x, const Ciphertext& y, const rlwe::RelinearisationKey& key);

/// The scale of multiply_rescale, and of every product that is rescaled by the last prime of `level`.
Scale product_scale(const rlwe::Context& context, std::size_t level, const Scale& x, const Scale& y);
/// What a plaintext must be encoded at so that its product with something of scale `from` and `level` primes has scale
/// `to` after rescaling by one prime.
Scale factor_scale(const rlwe::Context& context, std::size_t level, const Scale& from, const Scale& to);

// --- levels -------------------------------------------------------------------------------------------------

/// Divides by the last `primes` primes of the level, with rounding; the scale too.
/// @throws Error(input) unless primes < x.level().
Ciphertext rescale(const Ciphertext& x, std::size_t primes = 1);
/// Drops primes; the same slots at the same scale. @throws Error(input) unless 1 <= level <= x.level().
Ciphertext drop_level(const Ciphertext& x, std::size_t level);

// --- rotations ----------------------------------------------------------------------------------------------

/// The automorphism that moves slot i + step to slot i, modulo N/2 (and so modulo any number of slots); keys are
/// made for such elements. The other one takes complex conjugates.
std::uint32_t rotation_element(const rlwe::Context& context, std::int64_t step);
std::uint32_t conjugation_element(const rlwe::Context& context);

/// @throws Error(input) if `keys` lacks the key.
Ciphertext rotate(const Ciphertext& x, std::int64_t step, const rlwe::GaloisKeys& keys);
/// The rotations of one ciphertext, decomposed once (single hoisting). The same results bit for bit.
std::vector<Ciphertext> rotate(const Ciphertext& x, std::span<const std::int64_t> steps,
                               const rlwe::GaloisKeys& keys);
Ciphertext conjugate(const Ciphertext& x, const rlwe::GaloisKeys& keys);

}  // namespace ap::ckks
