#include "protocol/hybrid/share.h"

#include <gtest/gtest.h>

#include "random/prng.h"

namespace ap::protocol {
namespace {

__extension__ typedef __int128 Wide;

// Every operation against integers, for powers of two and primes from the smallest to the widest.
TEST(ShareModulus, EqualsIntegersModuloIt) {
  Prng prng(Seed{5});
  for (const std::uint64_t m :
       {std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1} << 17, std::uint64_t{12289},
        (std::uint64_t{1} << 40) - 87, std::uint64_t{1} << 40, (std::uint64_t{1} << 61) - 1}) {
    const ShareModulus modulus(m);
    const auto wide = static_cast<Wide>(m);
    EXPECT_EQ(std::uint64_t{1} << modulus.bits() >= m, true);
    EXPECT_EQ(std::uint64_t{1} << (modulus.bits() - 1) >= m, false);
    for (int round = 0; round < 2000; ++round) {
      const std::uint64_t any = round == 0   ? ~std::uint64_t{0}
                                : round == 1 ? 0
                                             : prng.next64() >> (round % 64);
      const std::uint64_t x = any % m, y = round < 4 ? m - 1 : prng.next64() % m;
      EXPECT_EQ(modulus.reduce(any), any % m);
      EXPECT_EQ(modulus.add(x, y), static_cast<std::uint64_t>((static_cast<Wide>(x) + y) % wide));
      EXPECT_EQ(modulus.subtract(x, y), static_cast<std::uint64_t>((static_cast<Wide>(x) + wide - y) % wide));
      EXPECT_EQ(modulus.multiply(x, y), static_cast<std::uint64_t>(static_cast<Wide>(x) * y % wide));
      const auto integer = static_cast<std::int64_t>(any);
      EXPECT_EQ(modulus.from_signed(integer), static_cast<std::uint64_t>((integer % wide + wide) % wide))
          << integer;
      const std::int64_t centred = modulus.to_signed(x);
      EXPECT_EQ(modulus.from_signed(centred), x);
      EXPECT_GE(2 * static_cast<Wide>(centred), -wide);
      EXPECT_LT(2 * static_cast<Wide>(centred), wide);
    }
  }
}

TEST(ShareModulus, TakesTheCentredRepresentative) {
  const auto five = ShareModulus::power_of_two(5);
  EXPECT_EQ(five.to_signed(15), 15);
  EXPECT_EQ(five.to_signed(16), -16);
  EXPECT_EQ(five.to_signed(31), -1);
  const ShareModulus seven(7);
  EXPECT_EQ(seven.to_signed(3), 3);
  EXPECT_EQ(seven.to_signed(4), -3);
}

}  // namespace
}  // namespace ap::protocol
