#include "he/ckks/scale.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace ap::ckks {
namespace {

__extension__ typedef __int128 ring_int;
constexpr std::uint64_t kPrime = 1125899906826241, kOther = 1125899906629633;

TEST(Scale, IsTheProductOfItsFactors) {
  const Scale x = Scale::power_of_two(45) * Scale::integer(kPrime);
  EXPECT_EQ(x / Scale::integer(kPrime), Scale::power_of_two(45));
  EXPECT_EQ(x / x, Scale());
  EXPECT_EQ(Scale::integer(8), Scale::power_of_two(3));
  EXPECT_EQ(Scale::integer(12), Scale::integer(3) * Scale::power_of_two(2));
  EXPECT_EQ(x * Scale::integer(kOther), Scale::integer(kOther) * x);
  EXPECT_NE(x, x * Scale::integer(kOther) / Scale::integer(kPrime));
  EXPECT_NE(x, Scale::power_of_two(95));
  EXPECT_THROW(Scale::integer(0), Error);
}

TEST(Scale, ValuesAreRightToManyBits) {
  const DoubleDouble square = (Scale::integer(kPrime) * Scale::integer(kPrime)).value();
  // 1125899906826241^2, less its rounding to a double, exactly.
  const auto exact = static_cast<ring_int>(kPrime) * kPrime;
  EXPECT_EQ(static_cast<ring_int>(square.high) + static_cast<ring_int>(square.low), exact);
  const Scale third = Scale() / Scale::integer(3);
  const DoubleDouble one = third.value() * DoubleDouble(3.0) - DoubleDouble(1.0);
  EXPECT_LT(std::abs(one.high), 0x1p-100);
  EXPECT_NEAR((Scale::power_of_two(-7) * third).log2(), -7 - std::log2(3.0), 1e-12);
  EXPECT_EQ(Scale::power_of_two(45).text(), "2^45");
  EXPECT_EQ(Scale::power_of_two(900).value().high, 0x1p900);
  EXPECT_THROW(Scale::power_of_two(1001).value(), Error);
}

// Forty levels of squaring and rescaling: exponents beyond 2^40, a value still right beyond a double.
TEST(Scale, StaysExactThroughManySquarings) {
  Scale scale = Scale::power_of_two(50);
  for (int level = 0; level < 40; ++level) scale = scale * scale / Scale::integer(kPrime);
  // s = 2^50 (2^50 / p)^(2^40 - 1)
  const long double ratio = std::log2(0x1p50L / static_cast<long double>(kPrime));
  EXPECT_NEAR(scale.log2(), static_cast<double>(50 + ratio * (0x1p40L - 1)), 1e-6);
  Scale endless = Scale::integer(kPrime);
  EXPECT_THROW(for (int i = 0; i < 64; ++i) endless = endless * endless, Error);
}

}  // namespace
}  // namespace ap::ckks
