#include <gtest/gtest.h>

#include <cmath>

#include "he/bfv/batch_noise.h"
#include "tests/he/bfv/batch_oracle.h"

namespace ap::bfv {
namespace {

using oracle::Slots;

class Evaluate : public testing::TestWithParam<oracle::BatchShape> {
 protected:
  Prng prng{Seed{21}};
  BatchContextPtr context = oracle::batch_context(GetParam());
  BatchSecretKey key{context, prng};
  std::uint64_t p = context->p().value();
  Slots x_slots = oracle::random_slots(*context, prng), y_slots = oracle::random_slots(*context, prng);
  BatchCiphertext x = oracle::encrypt(key, x_slots, prng), y = oracle::encrypt(key, y_slots, prng);

  Slots map(auto operation) const {
    Slots result(x_slots.size());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = operation(x_slots[i], y_slots[i]);
    return result;
  }
  double noise(const BatchCiphertext& z, const Slots& slots) const {
    return oracle::variance_of(measure_noise(key, z, slots));
  }
};

TEST_P(Evaluate, SumsAndDifferences) {
  add(x, y);
  EXPECT_EQ(oracle::decrypt(key, x), map([&](auto a, auto b) { return (a + b) % p; }));
  subtract(x, y);
  EXPECT_EQ(oracle::decrypt(key, x), x_slots);
  add_plain(x, y_slots);
  const Slots sum = map([&](auto a, auto b) { return (a + b) % p; });
  EXPECT_EQ(oracle::decrypt(key, x), sum);
  EXPECT_LT(noise(x, sum), 3.3 * fresh_variance());
}

TEST_P(Evaluate, ProductsWithPlaintexts) {
  const BatchPlaintext w(*context, y_slots, context->data());
  const Slots product = map([&](auto a, auto b) { return oracle::times(a, b, p); });
  const BatchCiphertext z = multiply_plain(x, w);
  EXPECT_EQ(oracle::decrypt(key, z), product);
  EXPECT_LT(noise(z, product), 1.3 * plain_product_variance(*context, fresh_variance()));
  // x y + y x.
  const BatchPlaintext v(*context, x_slots, context->data());
  const BatchCiphertext* const left[] = {&x, &y};
  const BatchPlaintext* const right[] = {&w, &v};
  BatchCiphertext sum(context, context->data());
  multiply_plain_add(left, right, sum);
  EXPECT_EQ(oracle::decrypt(key, sum),
            map([&](auto a, auto b) { return oracle::times(oracle::times(a, b, p), 2, p); }));
}

TEST_P(Evaluate, SwitchesLevels) {
  for (std::size_t level = 1; level <= context->data(); ++level) {
    if (context->level(level).log2_q < context->parameters().log2_p() + 2) {
      EXPECT_THROW(switch_level(x, level), Error);
      continue;
    }
    if (context->level(level).log2_q < context->parameters().log2_p() + 14) continue;
    const BatchCiphertext small = switch_level(x, level);
    EXPECT_EQ(small.level, level);
    EXPECT_EQ(oracle::decrypt(key, small), x_slots);
    EXPECT_LT(noise(small, x_slots),
              1.15 * switched_variance(*context, fresh_variance(), context->data(), level));
    EXPECT_EQ(oracle::decrypt(key, load_ciphertext(context, level, serialise(small))), x_slots);
  }
  EXPECT_THROW(switch_level(x, context->data() + 1), Error);
}

TEST_P(Evaluate, FloodingHidesAndKeepsTheMessage) {
  const BatchPublicKey public_key(key, prng);
  const auto room =
      static_cast<int>(context->level(context->data()).log2_q - context->parameters().log2_p() - 1);
  for (const int bits : {1, 20, room - 1}) {
    BatchCiphertext z = x;
    flood(public_key, bits, prng, z);
    EXPECT_EQ(oracle::decrypt(key, z), x_slots) << bits;
    EXPECT_NEAR(noise(z, x_slots) / (fresh_variance() + flood_variance(*context, bits)), 1, 0.1) << bits;
    EXPECT_NE(z.c1, x.c1);
  }
  EXPECT_THROW(flood(public_key, 0, prng, x), Error);
  EXPECT_THROW(flood(public_key, room + 1, prng, x), Error);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Evaluate,
    testing::Values(oracle::BatchShape{.n = 2048, .plain = {14}, .data = {49}},
                    oracle::BatchShape{.n = 4096, .plain = {20}, .data = {35, 36, 36}},
                    oracle::BatchShape{.n = 4096, .plain = {20, 21}, .data = {44, 44, 44}},
                    oracle::BatchShape{.n = 8192, .plain = {20}, .data = {43, 43, 44, 44}, .special = {44}}));

}  // namespace
}  // namespace ap::bfv
