// BFV with batching: N slots modulo p in one ciphertext (Smart and Vercauteren 2011/133; Fan and Vercauteren
// 2012/144), for the layers and baselines that pack for SIMD. The ring, its keys and its ciphertexts are those of
// he/rlwe; here is the plaintext space. Unlike he/bfv/context.h there is one plaintext modulus for all of a context,
// any number of ciphertext primes, and a gadget for key switching that is chosen apart from them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "he/rlwe/context.h"

namespace ap::bfv {

/// The automorphism that rotates rows by one column; the order of slots goes by its powers.
inline constexpr std::uint32_t kRotation = 3;

/// Plain data; primes, those of p too, of 13 to 50 bits and n from 2048 on. Q is called q here.
struct BatchParameters : rlwe::Parameters {
  std::vector<std::uint64_t> plain_primes;  ///< p is their product (AutoPrivacy eq. 3-6), below 2^60
  bool products = false;                    ///< prepare for products of two ciphertexts

  double log2_p() const;
  std::uint64_t p() const;
  friend bool operator==(const BatchParameters&, const BatchParameters&) = default;
};

/// The `count` largest primes below 2^bits that are 1 mod 2n and not in `taken`. @throws Error(input) if
/// there are not so many.
std::vector<std::uint64_t> batch_primes(int bits, std::uint32_t n, std::size_t count,
                                        const std::vector<std::uint64_t>& taken = {});

/// As many of them as there are, at most `count`. @throws Error(input) if an argument is out of range.
std::vector<std::uint64_t> free_batch_primes(int bits, std::uint32_t n, std::size_t count,
                                             const std::vector<std::uint64_t>& taken = {});

class BatchContext;
using BatchContextPtr = std::shared_ptr<const BatchContext>;

/// @throws Error(input) that names the parameter that is wrong, and the limit. Security is the caller's to
/// ask.
BatchContextPtr make_batch_context(const BatchParameters& parameters);
const BatchParameters& parameters(const BatchContext& context);

}  // namespace ap::bfv
