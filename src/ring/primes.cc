#include "ring/primes.h"

#include <bit>

#include "base/error.h"

namespace ap::ring {

bool is_prime(std::uint64_t x) {
  constexpr std::uint64_t kBases[] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37};
  if (x < 2) return false;
  for (const std::uint64_t base : kBases) {
    if (x % base == 0) return x == base;
  }
  const Modulus modulus(x);
  const int twos = std::countr_zero(x - 1);
  for (const std::uint64_t base : kBases) {
    std::uint64_t power = modulus.pow(base, (x - 1) >> twos);
    if (power == 1 || power == x - 1) continue;
    bool composite = true;
    for (int i = 1; i < twos && composite; ++i) {
      power = modulus.mul(power, power);
      composite = power != x - 1;
    }
    if (composite) return false;
  }
  return true;
}

std::vector<std::uint64_t> ntt_primes(int bits, std::uint64_t n, std::size_t count) {
  AP_ASSERT(bits >= 2 && bits <= 60 && std::has_single_bit(n));
  const std::uint64_t top = std::uint64_t{1} << bits;
  std::vector<std::uint64_t> primes;
  if (2 * n >= top) return primes;
  for (std::uint64_t x = top - 2 * n + 1; x > top / 2 && primes.size() < count; x -= 2 * n) {
    if (is_prime(x)) primes.push_back(x);
    if (x <= 2 * n) break;
  }
  return primes;
}

std::uint64_t primitive_root(const Modulus& q, std::uint64_t n) {
  AP_ASSERT(std::has_single_bit(n) && (q.value() - 1) % (2 * n) == 0);
  for (std::uint64_t x = 2; x < q.value(); ++x) {
    const std::uint64_t root = q.pow(x, (q.value() - 1) / (2 * n));
    if (q.pow(root, n) == q.value() - 1) return root;
  }
  fail(ErrorCode::internal, "{} has no primitive root of order {}: it is not a prime", q.value(), 2 * n);
}

}  // namespace ap::ring
