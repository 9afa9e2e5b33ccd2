#include "ring/ntt.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/cpu.h"
#include "base/error.h"
#include "random/prng.h"
#include "ring/primes.h"

namespace ap::ring {
namespace {

using Values = std::vector<std::uint64_t>;

Seed test_seed(std::uint8_t tag) {
  Seed seed{};
  seed[0] = tag;
  return seed;
}

Values random_values(std::size_t n, std::uint64_t q, Prng& prng) {
  Values values(n);
  sample_uniform(prng, q, values);
  return values;
}

std::vector<NttKernel> kernels_for(std::size_t n, std::uint64_t q) {
  std::vector<NttKernel> kernels;
  for (const NttKernel kernel :
       {NttKernel::scalar, NttKernel::avx2, NttKernel::avx512_32, NttKernel::avx512_64, NttKernel::ifma}) {
    if (suits(kernel, n, q)) kernels.push_back(kernel);
  }
  return kernels;
}

// The product in Z_q[X]/(X^n + 1) from its definition.
Values schoolbook(const Values& x, const Values& y, std::uint64_t q) {
  const std::size_t n = x.size();
  Values product(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      const auto term = static_cast<std::uint64_t>(static_cast<Uint128>(x[i]) * y[j] % q);
      std::uint64_t& to = product[(i + j) % n];
      to = i + j < n ? (to + term) % q : (to + q - term) % q;
    }
  }
  return product;
}

TEST(Ntt, ProductIsNegacyclicConvolution) {
  Prng prng(test_seed(1));
  for (const std::size_t n : {16, 32, 64, 128, 256, 512}) {
    for (const int bits : {20, 26, 30, 36, 45, 48, 49, 50, 54, 60}) {
      const std::uint64_t q = ntt_primes(bits, n, 1).at(0);
      const Values x = random_values(n, q, prng), y = random_values(n, q, prng);
      const Values expected = schoolbook(x, y, q);
      for (const NttKernel kernel : kernels_for(n, q)) {
        const NttTables tables(n, q, kernel);
        Values fx = x, fy = y, product(n);
        tables.forward(fx);
        tables.forward(fy);
        const std::uint64_t* const left[] = {fx.data()};
        const std::uint64_t* const right[] = {fy.data()};
        tables.multiply_add(left, right, product);
        tables.inverse(product);
        ASSERT_EQ(product, expected) << "n " << n << " bits " << bits << " kernel "
                                     << static_cast<int>(kernel);
      }
    }
  }
}

TEST(Ntt, ForwardEvaluatesAtOddPowersInBitReversedOrder) {
  const std::size_t n = 16;
  const std::uint64_t q = ntt_primes(40, n, 1).at(0);
  const Modulus modulus(q);
  const std::uint64_t psi = primitive_root(modulus, n);
  Prng prng(test_seed(2));
  const Values x = random_values(n, q, prng);
  Values values = x;
  NttTables(n, q).forward(values);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t reversed = ((i & 1) << 3) | ((i & 2) << 1) | ((i & 4) >> 1) | ((i & 8) >> 3);
    const std::uint64_t point = modulus.pow(psi, 2 * reversed + 1);
    std::uint64_t expected = 0;
    for (std::size_t j = n; j-- > 0;) expected = modulus.add(modulus.mul(expected, point), x[j]);
    EXPECT_EQ(values[i], expected) << i;
  }
}

// Inputs that reach the ends of the lazy ranges.
std::vector<Values> inputs(std::size_t n, std::uint64_t q, Prng& prng) {
  std::vector<Values> all{Values(n, 0), Values(n, q - 1), Values(n, 1), Values(n, q / 2)};
  Values one(n, 0), alternating(n), halves(n, 0);
  one[n - 1] = q - 1;
  for (std::size_t i = 0; i < n; ++i) alternating[i] = i % 2 ? q - 1 : 0;
  for (std::size_t i = 0; i < n / 2; ++i) halves[i] = q - 1;
  all.insert(all.end(), {one, alternating, halves});
  for (int i = 0; i < 4; ++i) all.push_back(random_values(n, q, prng));
  return all;
}

class NttKernels : public testing::TestWithParam<std::tuple<std::size_t, int>> {};

TEST_P(NttKernels, AgreeWithScalarAndInvert) {
  const auto [n, bits] = GetParam();
  const Values primes = ntt_primes(bits, n, 2);
  if (primes.empty()) GTEST_SKIP() << "no prime of " << bits << " bits for n = " << n;
  Prng prng(test_seed(3));
  for (const std::uint64_t q : primes) {
    const NttTables scalar(n, q, NttKernel::scalar);
    for (const Values& x : inputs(n, q, prng)) {
      Values forward = x, inverse = x;
      scalar.forward(forward);
      scalar.inverse(inverse);
      for (const std::uint64_t value : forward) ASSERT_LT(value, q);
      Values back = forward;
      scalar.inverse(back);
      ASSERT_EQ(back, x);
      for (const NttKernel kernel : kernels_for(n, q)) {
        if (kernel == NttKernel::scalar) continue;
        const NttTables fast(n, q, kernel);
        Values fast_forward = x, fast_inverse = x;
        fast.forward(fast_forward);
        fast.inverse(fast_inverse);
        ASSERT_EQ(fast_forward, forward) << static_cast<int>(kernel);
        ASSERT_EQ(fast_inverse, inverse) << static_cast<int>(kernel);
      }
    }
  }
}

std::string case_name(const testing::TestParamInfo<std::tuple<std::size_t, int>>& info) {
  return "n" + std::to_string(std::get<0>(info.param)) + "_bits" + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, NttKernels,
    testing::Combine(testing::Values<std::size_t>(16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192),
                     testing::Values(20, 26, 27, 28, 30, 36, 45, 47, 48, 49, 50, 51, 60)),
    case_name);
INSTANTIATE_TEST_SUITE_P(Large, NttKernels,
                         testing::Combine(testing::Values<std::size_t>(16384, 32768, 65536),
                                          testing::Values(26, 27, 30, 47, 50, 58, 60)),
                         case_name);

TEST(Ntt, MultiplyAddOfManyTermsMatchesWideArithmetic) {
  const std::size_t n = 512;
  Prng prng(test_seed(4));
  for (const int bits : {20, 30, 47, 50, 60}) {
    const std::uint64_t q = ntt_primes(bits, n, 1).at(0);
    for (const std::size_t count : {0, 1, 2, 15, 16, 17, 40}) {
      for (const bool extreme : {false, true}) {
        std::vector<Values> x, y;
        std::vector<const std::uint64_t*> left, right;
        for (std::size_t k = 0; k < count; ++k) {
          x.push_back(extreme ? Values(n, q - 1) : random_values(n, q, prng));
          y.push_back(extreme ? Values(n, q - 1) : random_values(n, q, prng));
        }
        for (std::size_t k = 0; k < count; ++k) {
          left.push_back(x[k].data());
          right.push_back(y[k].data());
        }
        const Values start = extreme ? Values(n, q - 1) : random_values(n, q, prng);
        Values expected = start;
        for (std::size_t j = 0; j < n; ++j) {
          for (std::size_t k = 0; k < count; ++k) {
            expected[j] =
                static_cast<std::uint64_t>((static_cast<Uint128>(x[k][j]) * y[k][j] + expected[j]) % q);
          }
        }
        for (const NttKernel kernel : kernels_for(n, q)) {
          Values sum = start;
          NttTables(n, q, kernel).multiply_add(left, right, sum);
          ASSERT_EQ(sum, expected) << bits << " bits, " << count << " terms, kernel "
                                   << static_cast<int>(kernel);
        }
      }
    }
  }
}

TEST(Ntt, RefusesWrongTables) {
  EXPECT_THROW(NttTables(100, 12289), Error);
  EXPECT_THROW(NttTables(8192, 12289), Error);
  EXPECT_THROW(NttTables(64, 129 * 257), Error);
}

TEST(Ntt, FirstHalfOfTheValuesByHalfATransform) {
  Prng prng(test_seed(9));
  for (const std::size_t n : {32, 64, 1024, 8192}) {
    for (const int bits : {28, 45, 50, 60}) {
      const std::uint64_t q = ntt_primes(bits, n, 1).at(0);
      const Modulus modulus(q);
      const NttTables whole(n, q), half(n, q, NttTables::FirstHalf());
      EXPECT_EQ(half.n(), n / 2);
      const Values x = random_values(n, q, prng);
      Values all = x, first(n / 2);
      whole.forward(all);
      for (std::size_t j = 0; j < n / 2; ++j) {
        first[j] = modulus.add(x[j], modulus.mul(half.first_root(), x[j + n / 2]));
      }
      half.forward(first);
      EXPECT_TRUE(std::equal(first.begin(), first.end(), all.begin())) << n << " " << bits;
      EXPECT_THROW(half.inverse(first), Error);
    }
  }
}

// A polynomial that X -> 1/X leaves as it is has the first half of its values backwards in the second.
TEST(Ntt, ValuesOfMirroredPolynomialsAreMirrored) {
  Prng prng(test_seed(10));
  constexpr std::size_t kSize = 256;
  const std::uint64_t q = ntt_primes(45, kSize, 1).at(0);
  Values x = random_values(kSize, q, prng);
  x[kSize / 2] = 0;
  for (std::size_t j = 1; j < kSize / 2; ++j) x[kSize - j] = q - x[j];
  NttTables(kSize, q).forward(x);
  for (std::size_t j = 0; j < kSize / 2; ++j) EXPECT_EQ(x[j], x[kSize - 1 - j]);
}

}  // namespace
}  // namespace ap::ring
