#include <gtest/gtest.h>

#include <cmath>

#include "he/bfv/batch_noise.h"
#include "tests/he/bfv/batch_oracle.h"

namespace ap::bfv {
namespace {

using oracle::Slots;

class Multiply : public testing::TestWithParam<oracle::BatchShape> {
 protected:
  Prng prng{Seed{41}};
  BatchContextPtr context = oracle::batch_context(GetParam());
  rlwe::SecretKey key{context, prng};
  rlwe::RelinearisationKey relinearisation{key, prng};
  std::uint64_t p = context->p().value();
  Slots x_slots = oracle::random_slots(*context, prng), y_slots = oracle::random_slots(*context, prng);
  rlwe::Ciphertext x = oracle::encrypt(context, key, x_slots, prng),
                   y = oracle::encrypt(context, key, y_slots, prng);

  Slots product(std::uint64_t factor = 1) const {
    Slots result(x_slots.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = oracle::times(oracle::times(x_slots[i], y_slots[i], p), factor, p);
    }
    return result;
  }
};

TEST_P(Multiply, SlotsMultiplyWithTheNoiseOfTheModel) {
  for (std::size_t level = context->data(); level >= 1; --level) {
    const double before =
        rlwe::rescaled_variance(context->parameters(), fresh_variance(), context->data(), level);
    const double after =
        product_variance(*context, before, before) + rlwe::key_switch_variance(context->parameters(), level);
    if (std::log2(after) / 2 + 4 > context->level(level).log2_q - std::log2(p) - 1) break;
    const rlwe::Ciphertext z =
        relinearise(multiply(*context, switch_level(*context, x, level), switch_level(*context, y, level)),
                    relinearisation);
    EXPECT_EQ(oracle::decrypt(*context, key, z), product()) << level;
    const double measured = oracle::variance_of(measure_noise(*context, key, z, product()));
    EXPECT_LT(measured, 1.4 * after) << level;
    EXPECT_GT(measured, 0.35 * after) << level;
  }
}

TEST_P(Multiply, SumsOfProductsAreRelinearisedOnce) {
  rlwe::Ciphertext sum = multiply(*context, x, y);
  add(sum, multiply(*context, y, x));
  EXPECT_EQ(oracle::decrypt(*context, key, relinearise(sum, relinearisation)), product(2));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Multiply,
    testing::Values(
        oracle::BatchShape{.n = 2048, .plain = {14}, .data = {40, 40, 40}, .special = {40}, .products = true},
        oracle::BatchShape{
            .n = 4096, .plain = {16, 17}, .data = {40, 40, 50, 50}, .special = {50}, .products = true},
        oracle::BatchShape{.n = 4096,
                           .plain = {50},
                           .data = {50, 50, 50, 50, 50},
                           .special = {50, 50},
                           .digits = 3,
                           .products = true},
        oracle::BatchShape{
            .n = 8192, .plain = {20}, .data = {43, 43, 44, 44}, .special = {44}, .products = true}));

TEST(BatchMultiply, DeepCircuitsAndRefusals) {
  Prng prng(Seed{42});
  const BatchContextPtr context = oracle::batch_context(
      {.n = 16384, .plain = {20}, .data = std::vector<int>(8, 47), .special = {47}, .products = true});
  const rlwe::SecretKey key(context, prng);
  const rlwe::RelinearisationKey relinearisation{key, prng};
  const Slots slots = oracle::random_slots(*context, prng);
  rlwe::Ciphertext x = oracle::encrypt(context, key, slots, prng);
  Slots power = slots;
  double variance = fresh_variance();
  for (int depth = 0; depth < 5; ++depth) {
    x = relinearise(multiply(*context, x, x), relinearisation);
    // Both factors are one ciphertext: their noises add up before they are squared.
    variance = product_variance(*context, 2 * variance, 2 * variance, depth + 1) +
               rlwe::key_switch_variance(context->parameters(), 8);
    for (std::uint64_t& value : power) value = oracle::times(value, value, context->p().value());
    EXPECT_LT(oracle::variance_of(measure_noise(*context, key, x, power)), 2 * variance) << depth;
  }
  EXPECT_EQ(oracle::decrypt(*context, key, x), power);
  const BatchContextPtr none = oracle::batch_context({.n = 2048, .plain = {14}, .data = {50}});
  const rlwe::Ciphertext zero(none, 1);
  EXPECT_THROW(multiply(*context, zero, zero), Error);
}

}  // namespace
}  // namespace ap::bfv
