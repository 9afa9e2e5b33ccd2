#include "ring/elementwise.h"

#include <gtest/gtest.h>

#include "base/cpu.h"
#include "random/prng.h"
#include "ring/primes.h"

namespace ap::ring {
namespace {

constexpr std::size_t kN = 2048;
using Values = AlignedVector<std::uint64_t>;

// Random values below `limit`, the extremes first.
Values values(std::uint64_t limit, Prng& prng) {
  Values x(kN);
  sample_uniform(prng, limit, x);
  for (std::size_t j = 0; j < 16; ++j) x[j] = limit - 1 - (j % 4 == 3 ? limit / 2 : j % 4);
  x[16] = 0;
  return x;
}

class Elementwise : public testing::TestWithParam<int> {
 protected:
  Prng prng{Seed{5}};
  Modulus q{ntt_primes(GetParam(), kN, 1).at(0)};
};

TEST_P(Elementwise, AgreeWithTheirDefinitions) {
  const std::uint64_t prime = q.value();
  std::vector<const ElementwiseKernels*> all{&plain_elementwise(), &elementwise(q)};
  const bool narrow = q.bits() <= kNarrowPrimeBits;
  const Values wide = values(narrow ? std::uint64_t{1} << 52 : ~std::uint64_t{0}, prng),
               x = values(prime, prng), y = values(prime, prng);
  for (const std::uint64_t w : {std::uint64_t{0}, std::uint64_t{1}, prime / 3, prime - 1}) {
    const FixedFactor factor(q, w);
    for (const ElementwiseKernels* kernels : all) {
      Values product(kN), sum(kN), difference(kN), total(kN);
      kernels->multiply(wide.data(), factor, q, product.data(), kN);
      kernels->multiply_add(wide.data(), factor, y.data(), q, sum.data(), kN);
      kernels->subtract(x.data(), y.data(), prime, difference.data(), kN);
      kernels->add(x.data(), y.data(), prime, total.data(), kN);
      for (std::size_t j = 0; j < kN; ++j) {
        const auto exact = static_cast<Uint128>(wide[j]) * w;
        ASSERT_EQ(product[j], static_cast<std::uint64_t>(exact % prime));
        ASSERT_EQ(sum[j], static_cast<std::uint64_t>((exact + y[j]) % prime));
        ASSERT_EQ(difference[j], (x[j] + prime - y[j]) % prime);
        ASSERT_EQ(total[j], (x[j] + y[j]) % prime);
      }
    }
  }
}

TEST_P(Elementwise, DotProductsOfManyExtremeTerms) {
  for (const std::size_t count : {1UL, 2UL, 16UL, 17UL, 33UL, 128UL}) {
    const std::uint64_t limit = std::uint64_t{1} << (q.bits() <= kNarrowPrimeBits ? 50 : 60);
    std::vector<Values> x;
    std::vector<const std::uint64_t*> terms;
    std::vector<std::uint64_t> weights(count, q.value() - 1);
    for (std::size_t k = 0; k < count; ++k) x.push_back(values(limit, prng));
    for (const Values& term : x) terms.push_back(term.data());
    for (const ElementwiseKernels* kernels : {&plain_elementwise(), &elementwise(q)}) {
      Values sum(kN);
      kernels->dot(terms.data(), weights.data(), count, q, sum.data(), kN);
      for (std::size_t j = 0; j < kN; ++j) {
        Uint128 exact = 0;
        for (std::size_t k = 0; k < count; ++k) exact += static_cast<Uint128>(x[k][j]) * weights[k];
        ASSERT_EQ(sum[j], static_cast<std::uint64_t>(exact % q.value())) << count;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Primes, Elementwise, testing::Values(14, 30, 44, 47, 50, 51, 55, 60));

TEST(ElementwiseKernels, QuotientsAreRoundedSumsOfFractions) {
  Prng prng(Seed{6});
  const std::vector<std::uint64_t> primes = ntt_primes(49, kN, 20);
  std::vector<Values> y;
  std::vector<const std::uint64_t*> terms;
  std::vector<std::uint64_t> reciprocals;
  std::vector<int> shifts;
  for (const std::uint64_t prime : primes) {
    y.push_back(values(prime, prng));
    reciprocals.push_back(static_cast<std::uint64_t>((static_cast<Uint128>(1) << 100) / prime));
    shifts.push_back(1);
  }
  for (const Values& term : y) terms.push_back(term.data());
  Values plain(kN), fast(kN);
  plain_elementwise().quotient(terms.data(), reciprocals.data(), shifts.data(), terms.size(), plain.data(),
                               kN);
  elementwise().quotient(terms.data(), reciprocals.data(), shifts.data(), terms.size(), fast.data(), kN);
  EXPECT_EQ(plain, fast);
  for (std::size_t j = 0; j < kN; ++j) {
    long double sum = 0;
    for (std::size_t k = 0; k < primes.size(); ++k) {
      sum += static_cast<long double>(y[k][j]) / static_cast<long double>(primes[k]);
    }
    EXPECT_NEAR(static_cast<double>(plain[j]), static_cast<double>(sum), 0.5 + 1e-9);
  }
}

}  // namespace
}  // namespace ap::ring
