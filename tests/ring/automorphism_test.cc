#include "ring/automorphism.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/memory.h"
#include "random/prng.h"
#include "ring/elementwise.h"
#include "ring/ntt.h"
#include "ring/primes.h"

namespace ap::ring {
namespace {

using Values = AlignedVector<std::uint64_t>;

// f(X^g) mod X^n + 1 from the definition, one monomial after another.
Values by_definition(const Values& f, std::uint64_t element, const Modulus& q) {
  const std::size_t n = f.size();
  Values image(n);
  for (std::size_t j = 0; j < n; ++j) {
    const std::size_t at = j * element % (2 * n);
    image[at % n] = at < n ? f[j] : q.negate(f[j]);
  }
  return image;
}

class Automorphisms : public testing::TestWithParam<std::tuple<std::size_t, int>> {
 protected:
  std::size_t n = std::get<0>(GetParam());
  NttTables tables{n, ntt_primes(std::get<1>(GetParam()), n, 1).at(0)};
  Prng prng{Seed{7}};
  Values f = random();

  Values random() {
    Values values(n);
    sample_uniform(prng, tables.modulus().value(), values);
    values[1] = 0;
    return values;
  }
  Values apply(const Values& values, std::uint32_t element) const {
    Values image(n);
    apply_to_coefficients(values, element, tables.modulus(), image);
    return image;
  }
  std::vector<std::uint32_t> elements() const {
    std::vector<std::uint32_t> result;
    if (n <= 32) {
      for (std::uint32_t g = 1; g < 2 * n; g += 2) result.push_back(g);
    } else {
      const auto m = static_cast<std::uint32_t>(2 * n);
      result = {1, 3, 5, 27, m / 2 - 1, m / 2 + 1, m - 3, m - 1};
    }
    return result;
  }
};

TEST_P(Automorphisms, MoveCoefficientsByTheDefinition) {
  for (const std::uint32_t g : elements()) ASSERT_EQ(apply(f, g), by_definition(f, g, tables.modulus())) << g;
}

// The transform of f(X^g) is the permuted transform of f.
TEST_P(Automorphisms, PermuteTransforms) {
  Values values = f;
  tables.forward(values);
  for (const std::uint32_t g : elements()) {
    Values image = apply(f, g);
    tables.forward(image);
    const Automorphism map(n, g);
    for (const ElementwiseKernels* kernels : {&plain_elementwise(), &elementwise(tables.modulus())}) {
      Values permuted(n);
      kernels->permute(values.data(), map, permuted.data(), n);
      ASSERT_EQ(permuted, image) << g;
    }
  }
}

TEST_P(Automorphisms, AreAGroup) {
  const auto order = static_cast<std::uint32_t>(2 * n);
  for (const std::uint32_t g : elements()) {
    for (const std::uint32_t h : {3U, 5U, order - 1}) {
      const auto both = static_cast<std::uint32_t>(std::uint64_t{g} * h % order);
      ASSERT_EQ(apply(apply(f, g), h), apply(f, both));
      ASSERT_EQ(apply(apply(f, h), g), apply(f, both));
    }
    const std::uint32_t inverse = inverse_element(g, n);
    EXPECT_EQ(std::uint64_t{g} * inverse % order, 1U);
    ASSERT_EQ(apply(apply(f, g), inverse), f);
    // Powers by counting.
    std::uint64_t power = 1;
    for (std::uint64_t exponent = 0; exponent < 40; ++exponent, power = power * g % order) {
      ASSERT_EQ(element_power(g, exponent, n), power);
    }
  }
  EXPECT_EQ(apply(f, 1), f);
}

// Additive and multiplicative: f g with g = X^3 + 2 becomes the product of the images.
TEST_P(Automorphisms, RespectSumsAndProducts) {
  const Modulus& q = tables.modulus();
  const auto times = [&](const Values& x, const Values& y) {
    Values a = x, b = y, product(n);
    tables.forward(a);
    tables.forward(b);
    const std::uint64_t* const left[] = {a.data()};
    const std::uint64_t* const right[] = {b.data()};
    tables.multiply_add(left, right, product);
    tables.inverse(product);
    return product;
  };
  const Values g = random();
  Values sum(n), image_sum(n);
  for (const std::uint32_t element : elements()) {
    const Values f_image = apply(f, element), g_image = apply(g, element);
    for (std::size_t j = 0; j < n; ++j) {
      sum[j] = q.add(f[j], g[j]);
      image_sum[j] = q.add(f_image[j], g_image[j]);
    }
    ASSERT_EQ(apply(sum, element), image_sum);
    ASSERT_EQ(apply(times(f, g), element), times(f_image, g_image));
  }
}

INSTANTIATE_TEST_SUITE_P(Rings, Automorphisms,
                         testing::Combine(testing::Values<std::size_t>(16, 32, 2048, 65536),
                                          testing::Values(45, 60)));

TEST(AutomorphismElements, AreOddAndBelowTwiceTheDegree) {
  for (const std::uint32_t wrong : {0U, 2U, 32U, 33U}) EXPECT_THROW(Automorphism(16, wrong), Error) << wrong;
  EXPECT_THROW(Automorphism(8, 3), Error);
  EXPECT_THROW(Automorphism(24, 3), Error);
}

}  // namespace
}  // namespace ap::ring
