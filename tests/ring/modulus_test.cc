#include "ring/modulus.h"

#include <gtest/gtest.h>

#include "random/prng.h"
#include "ring/primes.h"

namespace ap::ring {
namespace {

std::vector<std::uint64_t> moduli() {
  std::vector<std::uint64_t> all{2, 3, 12289, (1ULL << 61) - 1};
  for (const int bits : {20, 26, 31, 32, 33, 45, 50, 60}) all.push_back(ntt_primes(bits, 1024, 1).at(0));
  return all;
}

TEST(Modulus, ReductionsMatchDivision) {
  Prng prng(Seed{5});
  for (const std::uint64_t q : moduli()) {
    const Modulus modulus(q);
    std::vector<std::uint64_t> words{0,         1,     q - 1,     q,          q + 1,
                                     2 * q - 1, ~0ULL, ~0ULL - 1, 1ULL << 63, (1ULL << 63) - 1};
    for (int i = 0; i < 200; ++i) words.push_back(prng.next64());
    for (const std::uint64_t x : words) {
      ASSERT_EQ(modulus.reduce(x), x % q);
      for (const std::uint64_t y : words) {
        const Uint128 z = static_cast<Uint128>(x) << 64 | y;
        ASSERT_EQ(modulus.reduce(z), static_cast<std::uint64_t>(z % q));
        const std::uint64_t w = y % q;
        const std::uint64_t product = static_cast<std::uint64_t>(static_cast<Uint128>(x) * w % q);
        ASSERT_EQ(modulus.mul_shoup(x, w, modulus.shoup(w)), product);
      }
    }
  }
}

TEST(Modulus, FieldOperations) {
  Prng prng(Seed{6});
  for (const std::uint64_t q : moduli()) {
    const Modulus modulus(q);
    EXPECT_EQ(modulus.negate(0), 0u);
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t x = prng.next64() % q, y = prng.next64() % q;
      ASSERT_EQ(modulus.add(x, y), (x + y) % q);
      ASSERT_EQ(modulus.sub(x, y), (x + q - y) % q);
      ASSERT_EQ(modulus.add(x, modulus.negate(x)), 0u);
      ASSERT_EQ(modulus.mul(x, modulus.inverse(x)), x == 0 ? 0u : 1u);
    }
    for (const std::int64_t x :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, (std::int64_t{1} << 31) - 1,
          -(std::int64_t{1} << 31), std::int64_t{-12345}}) {
      const auto wide = static_cast<Int128>(q);
      ASSERT_EQ(modulus.reduce_signed(x), static_cast<std::uint64_t>((x % wide + wide) % wide));
    }
  }
}

}  // namespace
}  // namespace ap::ring
