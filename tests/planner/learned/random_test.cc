#include "planner/learned/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace ap::ddpg {
namespace {

constexpr int kDraws = 200'000;

double density(double x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi); }
double cumulative(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

TEST(Random, UniformNumbersFillTheUnitIntervalEvenly) {
  Random random(3);
  std::vector<int> bins(16);
  for (int i = 0; i < kDraws; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    ++bins[static_cast<std::size_t>(x * 16)];
  }
  const double expected = kDraws / 16.0;
  double chi_square = 0;
  for (const int count : bins) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_square, 40);  // 15 degrees of freedom: exceeded once in 2000 seeds
}

TEST(Random, IndicesStayInRange) {
  Random random(4);
  std::vector<int> seen(5);
  for (int i = 0; i < 1000; ++i) ++seen.at(random.index(5));
  for (const int count : seen) EXPECT_GT(count, 100);
}

TEST(Random, TruncatedNormalHasTheMomentsOfItsDensity) {
  for (const double mean : {0.0, 0.3, 1.0}) {
    for (const double std : {0.5, 0.1}) {
      Random random(5);
      double sum = 0, squares = 0;
      for (int i = 0; i < kDraws; ++i) {
        const double x = random.truncated_normal(mean, std);
        ASSERT_GE(x, 0);
        ASSERT_LE(x, 1);
        sum += x;
        squares += x * x;
      }
      // The closed form of the moments of a normal variable between two bounds.
      const double a = (0 - mean) / std, b = (1 - mean) / std;
      const double mass = cumulative(b) - cumulative(a);
      const double shift = (density(a) - density(b)) / mass;
      const double variance = std * std * (1 + (a * density(a) - b * density(b)) / mass - shift * shift);
      const double got_mean = sum / kDraws, got_variance = squares / kDraws - got_mean * got_mean;
      EXPECT_NEAR(got_mean, mean + std * shift, 5 * std::sqrt(variance / kDraws)) << mean << " " << std;
      EXPECT_NEAR(got_variance, variance, 0.02 * variance) << mean << " " << std;
    }
  }
}

TEST(Random, NoDeviationGivesTheMean) { EXPECT_EQ(Random(1).truncated_normal(0.25, 0), 0.25); }

TEST(Random, ContinuesFromAStoredState) {
  Random random(6), other(7);
  random.normal();
  other.restore(random.state());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.bits(), other.bits());
}

}  // namespace
}  // namespace ap::ddpg
