#include "ring/primes.h"

#include <gtest/gtest.h>

namespace ap::ring {
namespace {

bool prime_by_division(std::uint64_t x) {
  if (x < 2) return false;
  for (std::uint64_t d = 2; d * d <= x; ++d) {
    if (x % d == 0) return false;
  }
  return true;
}

TEST(Primes, MatchTrialDivision) {
  for (std::uint64_t x = 0; x < 20000; ++x) ASSERT_EQ(is_prime(x), prime_by_division(x)) << x;
  for (std::uint64_t x = (1ULL << 32) - 200; x < (1ULL << 32) + 200; ++x) {
    ASSERT_EQ(is_prime(x), prime_by_division(x)) << x;
  }
}

TEST(Primes, KnownLargeOnes) {
  EXPECT_TRUE(is_prime((1ULL << 61) - 1));
  EXPECT_FALSE(is_prime(3215031751ULL));       // strong pseudoprime to bases 2, 3, 5, 7
  EXPECT_FALSE(is_prime(341550071728321ULL));  // to bases 2 .. 17
  EXPECT_FALSE(is_prime(((1ULL << 30) - 35) * ((1ULL << 30) - 35)));
}

TEST(Primes, NttPrimesAreTheLargest) {
  const std::vector<std::uint64_t> primes = ntt_primes(26, 1024, 3);
  ASSERT_EQ(primes.size(), 3u);
  std::size_t found = 0;
  for (std::uint64_t x = (1ULL << 26) - 1; found < 3; --x) {
    if (x % 2048 != 1 || !prime_by_division(x)) continue;
    EXPECT_EQ(primes[found++], x);
  }
  EXPECT_LT(ntt_primes(16, 4096, 100).size(), 100u);
  EXPECT_TRUE(ntt_primes(12, 8192, 1).empty());
}

TEST(Primes, RootsArePrimitive) {
  for (const int bits : {20, 40, 60}) {
    const Modulus q(ntt_primes(bits, 4096, 1).at(0));
    const std::uint64_t root = primitive_root(q, 4096);
    EXPECT_EQ(q.pow(root, 4096), q.value() - 1);
  }
}

}  // namespace
}  // namespace ap::ring
