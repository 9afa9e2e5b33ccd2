#include "ring/crt.h"

#include "base/error.h"

namespace ap::ring {

Crt::Crt(std::span<const std::uint64_t> primes) {
  AP_ASSERT(!primes.empty());
  constexpr Uint128 kLimit = static_cast<Uint128>(1) << 120;
  for (const std::uint64_t prime : primes) {
    AP_ASSERT(prime < (std::uint64_t{1} << 62) && product_ < kLimit / prime);
    product_ *= prime;
  }
  for (const std::uint64_t prime : primes) {
    const Modulus modulus(prime);
    const Uint128 cofactor = product_ / prime;
    const std::uint64_t reduced = modulus.reduce(cofactor);
    AP_ASSERT(reduced != 0);
    const std::uint64_t inverse = modulus.inverse(reduced);
    parts_.push_back({modulus, cofactor, inverse, modulus.shoup(inverse)});
  }
}

}  // namespace ap::ring
