#include "analysis/noise/counter_random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace ap::noise {
namespace {

TEST(CounterRandom, DependsOnEveryPartOfTheKeyAndOnNothingElse) {
  EXPECT_EQ(counter_key(1, 2, 3, 4), counter_key(1, 2, 3, 4));
  EXPECT_NE(counter_key(1, 2, 3, 4), counter_key(2, 1, 3, 4));
  EXPECT_NE(counter_key(1, 2, 3, 4), counter_key(1, 3, 2, 4));
  EXPECT_NE(counter_key(1, 2, 3, 4), counter_key(1, 2, 4, 3));
  EXPECT_NE(counter_bits(7, 0), counter_bits(7, 1));
}

TEST(NormalQuantile, InvertsTheTailProbability) {
  const NormalQuantile& normal = NormalQuantile::instance();
  for (const double z : {0.001, 0.1, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0}) {
    const double tail = std::erfc(z / std::numbers::sqrt2);
    const auto bits = static_cast<std::uint64_t>(std::ldexp(tail, 40)) & ~std::uint64_t{1};
    EXPECT_NEAR(normal(bits), z, 1e-3) << z;
    EXPECT_EQ(normal(bits | 1), -normal(bits));
  }
  EXPECT_NEAR(normal(0), 7.1, 0.1);
}

TEST(NormalQuantile, HasTheMomentsAndTailsOfTheNormalDistribution) {
  const NormalQuantile& normal = NormalQuantile::instance();
  const int count = 4'000'000;
  double sum = 0, squares = 0, fourths = 0, beyond3 = 0, products = 0, last = 0;
  const std::uint64_t key = counter_key(5, 0, 0, 0);
  for (int i = 0; i < count; ++i) {
    const double z = normal(counter_bits(key, static_cast<std::uint64_t>(i)));
    sum += z;
    squares += z * z;
    fourths += z * z * z * z;
    beyond3 += std::abs(z) > 3;
    products += z * last;
    last = z;
  }
  EXPECT_NEAR(sum / count, 0, 0.0025);
  EXPECT_NEAR(squares / count, 1, 0.004);
  EXPECT_NEAR(fourths / count, 3, 0.03);
  EXPECT_NEAR(beyond3 / count, 0.0026998, 0.00013);
  EXPECT_NEAR(products / count, 0, 0.0025);
}

}  // namespace
}  // namespace ap::noise
