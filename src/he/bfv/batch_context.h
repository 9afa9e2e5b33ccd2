// BFV with batching: N slots modulo p in one ciphertext (Smart and Vercauteren 2011/133; Fan and Vercauteren
// 2012/144), for the layers and baselines that pack for SIMD. A context holds everything precomputed for one
// parameter set; unlike he/bfv/context.h it has one plaintext modulus, any number of ciphertext primes, and a
// gadget for key switching that is chosen apart from them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace ap::bfv {

/// Plain data. All primes are distinct, of 13 to 50 bits, and 1 modulo 2N.
struct BatchParameters {
  std::uint32_t n = 0;                      ///< ring degree: 2048, 4096, 8192, 16384 or 32768
  std::vector<std::uint64_t> plain_primes;  ///< p is their product (AutoPrivacy eq. 3-6), below 2^60
  std::vector<std::uint64_t> data_primes;   ///< q is their product; modulus switching drops the last ones
  std::vector<std::uint64_t>
      special_primes;  ///< P, only in keys; may be empty, then the gadget is digits alone
  std::uint32_t digits =
      0;                  ///< key switching takes the data primes in this many groups; 0: one prime a group
  bool products = false;  ///< prepare for products of two ciphertexts

  double log2_p() const;
  double log2_q() const;
  /// Bits of q P: what security::require_secure must be asked about if key-switching keys are published.
  double log2_qp() const;
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
