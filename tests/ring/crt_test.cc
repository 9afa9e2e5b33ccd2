#include "ring/crt.h"

#include <gtest/gtest.h>

#include <array>

#include "base/error.h"
#include "random/prng.h"
#include "ring/primes.h"

namespace ap::ring {
namespace {

TEST(Crt, ComposeInvertsResidues) {
  Prng prng(Seed{7});
  for (const std::vector<int>& shape :
       std::vector<std::vector<int>>{{26}, {50, 50}, {60, 59}, {40, 40, 38}, {20, 21, 22, 23}}) {
    std::vector<std::uint64_t> primes;
    for (const int bits : shape) primes.push_back(ntt_primes(bits, 4096, 2).at(primes.size() % 2));
    const Crt crt(primes);
    Uint128 product = 1;
    for (const std::uint64_t prime : primes) product *= prime;
    ASSERT_TRUE(crt.product() == product);
    std::vector<Uint128> values{0, 1, product - 1, product / 2, product / 2 + 1};
    for (int i = 0; i < 2000; ++i) {
      values.push_back((static_cast<Uint128>(prng.next64()) << 64 | prng.next64()) % product);
    }
    for (const Uint128 x : values) {
      std::array<std::uint64_t, 12> residues{};
      for (std::size_t i = 0; i < primes.size(); ++i) {
        residues[3 * i] = static_cast<std::uint64_t>(x % primes[i]);
        ASSERT_EQ(crt.residue(x, i), residues[3 * i]);
      }
      ASSERT_TRUE(crt.compose(residues.data(), 3) == x);
    }
  }
}

TEST(Crt, RefusesProductsOf120BitsAndRepeatedPrimes) {
  const std::vector<std::uint64_t> primes = ntt_primes(60, 4096, 3);
  EXPECT_THROW(Crt(std::vector{primes[0], primes[1], primes[2]}), Error);
  EXPECT_THROW(Crt(std::vector{primes[0] >> 1 | 1, primes[0] >> 1 | 1}), Error);
}

}  // namespace
}  // namespace ap::ring
