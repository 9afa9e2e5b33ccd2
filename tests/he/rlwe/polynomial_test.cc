#include "he/rlwe/polynomial.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/he/rlwe/small_context.h"

namespace ap::rlwe {
namespace {

TEST(Small, ResiduesOfSignedValues) {
  const std::uint64_t q = (1ULL << 50) - 27;
  for (int x = -128; x <= 127; ++x) {
    EXPECT_EQ(small_residue(static_cast<std::int8_t>(x), q),
              x < 0 ? q - static_cast<std::uint64_t>(-x) : static_cast<std::uint64_t>(x));
  }
}

TEST(Small, ErrorsAreDrawnOrLeftOut) {
  Prng prng(oracle::seed(1));
  const auto drawn = draw_errors(1000, prng, ErrorSource::centred_binomial);
  const auto none = draw_errors(1000, prng, ErrorSource::none_for_tests);
  EXPECT_GT(std::count_if(drawn.begin(), drawn.end(), [](int e) { return e != 0; }), 800);
  EXPECT_EQ(std::count(none.begin(), none.end(), 0), 1000);
}

TEST(Small, SubtractProductIsPointwise) {
  Prng prng(oracle::seed(2));
  const ContextPtr context = oracle::context({.n = 1024, .data = {30, 60}});
  std::vector<std::uint64_t> x(1024), y(1024), z(1024);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint64_t q = context->tables(i).modulus().value();
    for (auto* values : {&x, &y, &z}) sample_uniform(prng, q, *values);
    std::vector<std::uint64_t> result = z;
    subtract_product(*context, i, x, y, result);
    for (std::size_t j = 0; j < 1024; ++j) {
      const auto product = static_cast<std::uint64_t>(static_cast<ring::Uint128>(x[j]) * y[j] % q);
      ASSERT_EQ(result[j], (z[j] + q - product) % q);
    }
  }
}

}  // namespace
}  // namespace ap::rlwe
