#include "ring/products.h"

#include <gtest/gtest.h>

#include "base/cpu.h"
#include "random/prng.h"
#include "ring/primes.h"

namespace ap::ring {
namespace {

constexpr std::size_t kN = 1024;
using Values = AlignedVector<std::uint64_t>;

// Random values below `limit`, the extremes first.
Values values(std::size_t count, std::uint64_t limit, Prng& prng) {
  Values x(count);
  sample_uniform(prng, limit, x);
  for (std::size_t j = 0; j < std::min<std::size_t>(16, count); ++j)
    x[j] = limit - 1 - (j % 4 == 3 ? limit / 2 : 0);
  return x;
}

class Products : public testing::TestWithParam<int> {
 protected:
  std::vector<const ProductKernels*> all() const { return {&plain_products(), &products(q)}; }
  std::uint64_t product(std::uint64_t x, std::uint64_t y) const {
    return static_cast<std::uint64_t>(static_cast<Uint128>(x) * y % q.value());
  }
  Prng prng{Seed{7}};
  Modulus q{ntt_primes(GetParam(), kN, 1).at(0)};
};

TEST_P(Products, PairsAreTwoSumsWithOneFactorInCommon) {
  for (const std::size_t count : {0UL, 1UL, 3UL, 15UL}) {
    std::vector<Values> held;
    std::vector<const std::uint64_t*> x, y0, y1;
    for (auto* list : {&x, &y0, &y1}) {
      for (std::size_t t = 0; t < count; ++t) held.push_back(values(kN, q.value(), prng));
      for (std::size_t t = 0; t < count; ++t) list->push_back(held[held.size() - count + t].data());
    }
    // Vectors of vectors keep their values in place.
    const Values start = values(kN, q.value(), prng);
    const std::uint64_t factor = q.value() - 1;
    for (const ProductKernels* kernels : all()) {
      Values out0(kN, 1), out1 = start;
      kernels->pair(x.data(), y0.data(), y1.data(), count, nullptr, out1.data(), factor, q, out0.data(),
                    out1.data(), kN);
      for (std::size_t j = 0; j < kN; ++j) {
        std::uint64_t sum0 = 0, sum1 = product(start[j], factor);
        for (std::size_t t = 0; t < count; ++t) {
          sum0 = (sum0 + product(x[t][j], y0[t][j])) % q.value();
          sum1 = (sum1 + product(x[t][j], y1[t][j])) % q.value();
        }
        ASSERT_EQ(out0[j], sum0) << count << " " << j;
        ASSERT_EQ(out1[j], sum1) << count << " " << j;
      }
    }
  }
}

TEST_P(Products, WeightedSumsOfPolynomialsSideBySide) {
  constexpr std::size_t kTerms = 35, kCount = 2 * kTerms;
  const Values x = values(kCount * kN, q.value(), prng);
  for (const WeightShape shape :
       {WeightShape{0, false}, WeightShape{0, true}, WeightShape{1, false}, WeightShape{2, true},
        WeightShape{3, true}, WeightShape{5, false}, WeightShape{6, true}}) {
    std::vector<Values> weights;
    for (std::size_t t = 0; t < kTerms; ++t) {
      weights.push_back(values(shape.words(kN) + kWeightPadding, q.value(), prng));
    }
    for (const std::size_t used : {0UL, 1UL, 16UL, 34UL}) {
      std::vector<WeightedTerm> terms;
      for (std::size_t t = 0; t < used; ++t) terms.push_back({kTerms - 1 - t, weights[t].data()});
      for (const ProductKernels* kernels : all()) {
        Values out[2] = {Values(kN, 1), Values(kN, 1)};
        kernels->weighted(x.data(), kCount, terms, shape, q, out[0].data(), out[1].data(), kN);
        for (std::size_t j = 0; j < kN; ++j) {
          const std::size_t back = shape.mirrored && j >= kN / 2 ? kN - 1 - j : j;
          for (std::size_t k = 0; k < 2; ++k) {
            std::uint64_t sum = 0;
            for (const WeightedTerm& term : terms) {
              const std::uint64_t value = x[(j / kRun * kCount + 2 * term.term + k) * kRun + j % kRun];
              sum = (sum + product(value, term.weight[back >> shape.log2_gap])) % q.value();
            }
            ASSERT_EQ(out[k][j], sum) << used << " " << shape.log2_gap << shape.mirrored << " " << j;
          }
        }
      }
    }
  }
}

TEST_P(Products, PermuteAsideAndAdd) {
  const Automorphism map(kN, 25);
  const Values x = values(kN, q.value(), prng), start = values(kN, q.value(), prng);
  Values image(kN);
  plain_elementwise().permute(x.data(), map, image.data(), kN);
  for (const ProductKernels* kernels : all()) {
    Values aside(3 * kN), sum = start;
    kernels->permute_aside(x.data(), map, aside.data() + 2 * kRun, 3, kN);
    kernels->permute_add(x.data(), map, q.value(), sum.data(), kN);
    for (std::size_t j = 0; j < kN; ++j) {
      ASSERT_EQ(aside[(j / kRun * 3 + 2) * kRun + j % kRun], image[j]);
      ASSERT_EQ(aside[(j / kRun * 3 + 1) * kRun + j % kRun], 0U);
      ASSERT_EQ(sum[j], (start[j] + image[j]) % q.value());
    }
  }
}

TEST_P(Products, ResiduesOfSignedNumbersAndOfTheirMirrorImages) {
  constexpr std::int64_t kMost = (std::int64_t{1} << 51) - 1;
  for (const std::size_t n : {8UL, 16UL, 256UL}) {
    const Values unsigned_values = values(n, std::uint64_t{1} << 52, prng);
    std::vector<std::int64_t> x(n);
    for (std::size_t j = 0; j < n; ++j) x[j] = static_cast<std::int64_t>(unsigned_values[j]) - kMost - 1;
    x[0] = -kMost;
    x[1] = kMost;
    x[n - 1] = -1;
    const auto residue = [&](std::int64_t value) {
      const auto prime = static_cast<Int128>(q.value());
      return static_cast<std::uint64_t>((value % prime + prime) % prime);
    };
    const FixedFactor factor(q, q.value() / 3 + 1);
    for (const ProductKernels* kernels : all()) {
      Values out(n), mirrored(n);
      kernels->residues(x.data(), q, out.data(), n);
      kernels->mirrored_residues(x.data(), factor, q, mirrored.data(), n);
      for (std::size_t j = 0; j < n; ++j) {
        ASSERT_EQ(out[j], residue(x[j]));
        const std::uint64_t mirror = j == 0 ? 0 : product(residue(x[n - j]), factor.value);
        ASSERT_EQ(mirrored[j], (residue(x[j]) + q.value() - mirror) % q.value()) << n << " " << j;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Primes, Products, testing::Values(14, 28, 36, 45, 49, 50, 51, 60));

}  // namespace
}  // namespace ap::ring
