#include "he/circuits/composite_sign.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tests/he/ckks/world.h"

namespace ap::circuits {
namespace {

double largest_relu_error(const CompositeSign& sign, double range) {
  double most = 0;
  for (int i = -40000; i <= 40000; ++i) {
    const double x = range * i / 40000;
    most = std::max(most, std::abs(relu(sign, range, x) - std::max(x, 0.0)));
  }
  return most;
}

TEST(CompositeSign, IsWithinItsErrorOfTheSign) {
  const CompositeSign sign = composite_sign(0x1p-6, 0x1p-10);
  EXPECT_LE(sign.error, 0x1p-10);
  for (int i = 0; i <= 20000; ++i) {
    const double x = 0x1p-6 + (1 - 0x1p-6) * i / 20000;
    ASSERT_LE(std::abs(sign(x) - 1), sign.error * 1.0001) << x;
    ASSERT_LE(std::abs(sign(-x) + 1), sign.error * 1.0001) << x;
  }
}

TEST(CompositeSign, ReluWithinTwoToTheMinusBits) {
  for (const int bits : {4, 7, 10, 13}) {
    const CompositeSign sign = sign_for_relu(bits);
    EXPECT_LE(largest_relu_error(sign, 1), std::ldexp(1, -bits)) << bits;
    EXPECT_LE(largest_relu_error(sign, 40), 40 * std::ldexp(1, -bits)) << bits;
  }
}

std::vector<int> degrees(const CompositeSign& sign) {
  std::vector<int> all;
  for (const ChebyshevSeries& stage : sign.stages) all.push_back(stage.degree());
  return all;
}

// Those published for these accuracies (2105.10879).
TEST(CompositeSign, DegreesOfTheLeastDepth) {
  const CompositeSign ten = sign_for_relu(10), thirteen = sign_for_relu(13);
  EXPECT_EQ(degrees(ten), (std::vector<int>{7, 7, 13}));
  EXPECT_EQ(ten.depth(), 10);
  EXPECT_EQ(ten.products(), 17);
  EXPECT_EQ(degrees(thirteen), (std::vector<int>{15, 15, 27}));
  EXPECT_EQ(thirteen.depth(), 13);
  EXPECT_EQ(thirteen.products(), 26);
  // One step that can do it alone.
  const CompositeSign one = composite_sign(0.5, 0.1);
  EXPECT_EQ(degrees(one), (std::vector<int>{3}));
  EXPECT_THROW(composite_sign(0, 0.1), Error);
  EXPECT_THROW(composite_sign(0.5, 1), Error);
  EXPECT_THROW(sign_for_relu(17), Error);
}

class EncryptedRelu : public testing::TestWithParam<std::pair<int, double>> {};  // bits, range

TEST_P(EncryptedRelu, IsWithinTheBound) {
  const auto [bits, range] = GetParam();
  ckks::oracle::World world{{.n = 1024,
                             .data = {55, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46, 46},
                             .special = {55, 55, 55, 55},
                             .digits = 4}};
  const rlwe::RelinearisationKey key(world.key, world.prng);
  const CompositeSign sign = sign_for_relu(bits);
  const std::size_t count = world.encoder.max_slots();
  ckks::oracle::Vector slots(count), expected(count);
  for (std::size_t j = 0; j < count; ++j) {
    const double x = range * (2 * static_cast<double>(j) / static_cast<double>(count - 1) - 1);
    slots[j] = x;
    expected[j] = std::max(x, 0.0);
  }
  const ckks::Scale scale = ckks::Scale::power_of_two(range == 32 ? 41 : 45);
  const ckks::Ciphertext x = world.encrypt(slots, scale);
  const int depth = relu_depth(x, sign, range);
  // 2^41 times 32 is near the primes; 2^45 times 40 is not.
  EXPECT_EQ(depth, sign.depth() + (range == 40 ? 2 : 1));
  ASSERT_LT(static_cast<std::size_t>(depth), x.level());
  const std::size_t level = x.level() - static_cast<std::size_t>(depth);
  const ckks::Ciphertext y = evaluate_relu(x, sign, range, {level, scale}, key);
  EXPECT_EQ(y.level(), level);
  EXPECT_TRUE(y.scale() == scale);
  const double worst = ckks::oracle::largest(ckks::oracle::difference(world.decrypt(y), expected));
  // The noise is below a hundredth of the bound.
  EXPECT_LE(worst, 1.01 * range * std::ldexp(1, -bits));
  EXPECT_THROW(evaluate_relu(x, sign, range, {level + 1, scale}, key), Error);
}
INSTANTIATE_TEST_SUITE_P(BitsAndRanges, EncryptedRelu,
                         testing::Values(std::pair{10, 1.0}, std::pair{10, 40.0}, std::pair{10, 32.0},
                                         std::pair{13, 1.0}));

}  // namespace
}  // namespace ap::circuits
