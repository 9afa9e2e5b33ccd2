// BFV with coefficient encoding, as the linear layers need it (Brakerski 2012; Fan-Vercauteren 2012/144). One
// context is an RLWE context (he/rlwe) without special primes, and what scaling needs; the plaintext modulus p = 2^k
// is an argument of each operation, because several layers with different p share one key per (N, q).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "he/rlwe/context.h"

namespace ap::bfv {

/// Ring degree and ciphertext modulus q = product of primes. Plain data.
struct Parameters {
  std::uint32_t n = 0;                ///< 1024, 2048, 4096 or 8192
  std::vector<std::uint64_t> primes;  ///< distinct primes of 20..60 bits, each = 1 mod 2N; log2 q <= 120
  double log2_q() const;
  friend bool operator==(const Parameters&, const Parameters&) = default;
};

/// The `count` largest primes below 2^bits that are 1 mod 2n. @throws Error(input) if there are not so many.
std::vector<std::uint64_t> ntt_primes(int bits, std::uint32_t n, std::size_t count);

class Context;
using ContextPtr = std::shared_ptr<const Context>;

/// @throws Error(input) that names the parameter that is wrong, and the limit.
ContextPtr make_context(const Parameters& parameters);
const Parameters& parameters(const Context& context);

}  // namespace ap::bfv
