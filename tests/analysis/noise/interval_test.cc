#include "analysis/noise/interval.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace ap::noise {
namespace {

double binomial_tail(int n, int from, double p) {
  double sum = 0;
  for (int k = from; k <= n; ++k) {
    sum += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) + k * std::log(p) +
                    (n - k) * std::log1p(-p));
  }
  return sum;
}

TEST(IncompleteBeta, IsTheBinomialTail) {
  for (const int n : {1, 10, 200}) {
    for (int k = 1; k <= n; k += 1 + n / 7) {
      for (const double p : {0.01, 0.3, 0.5, 0.97}) {
        EXPECT_NEAR(incomplete_beta(k, n - k + 1, p), binomial_tail(n, k, p), 1e-9)
            << n << ' ' << k << ' ' << p;
      }
    }
  }
}

// What the definition says: at its ends, a result as extreme as the observed one has probability 2.5 %.
TEST(ClopperPearson, LeavesHalfOfTheDoubtOnEachSide) {
  for (const int n : {10, 1000}) {
    for (const int k : {1, n / 3, n - 1}) {
      const Proportion p = clopper_pearson(k, n);
      EXPECT_NEAR(binomial_tail(n, k, p.low), 0.025, 1e-6);
      EXPECT_NEAR(1 - binomial_tail(n, k + 1, p.high), 0.025, 1e-6);
    }
  }
  EXPECT_EQ(clopper_pearson(0, 10).low, 0);
  EXPECT_NEAR(clopper_pearson(0, 10).high, 1 - std::pow(0.025, 0.1), 1e-9);
  EXPECT_EQ(clopper_pearson(10, 10).high, 1);
  EXPECT_THROW(clopper_pearson(11, 10), Error);
  EXPECT_THROW(clopper_pearson(0, 0), Error);
}

}  // namespace
}  // namespace ap::noise
