// The exact noise of a ciphertext, for the checks of the noise model. Needs the secret key and the true
// message: nothing on the protocol's path calls it.
#pragma once

#include <span>
#include <vector>

#include "he/bfv/scheme.h"

namespace ap::bfv {

/// For each coefficient, c0 + c1 s - q m / p modulo q in (-q/2, q/2), with m taken mod p = 2^log2_p. x in NTT
/// form with all primes; message has n values. The fraction is kept: multiples of
/// 1/p.
std::vector<double> phase_error(const Context& context, const rlwe::SecretKey& key, const rlwe::Ciphertext& x,
                                std::span<const std::uint64_t> message, int log2_p);

}  // namespace ap::bfv
