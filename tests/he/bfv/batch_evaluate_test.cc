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
  rlwe::SecretKey key{context, prng};
  std::uint64_t p = context->p().value();
  Slots x_slots = oracle::random_slots(*context, prng), y_slots = oracle::random_slots(*context, prng);
  rlwe::Ciphertext x = oracle::encrypt(context, key, x_slots, prng),
                   y = oracle::encrypt(context, key, y_slots, prng);

  Slots map(auto operation) const {
    Slots result(x_slots.size());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = operation(x_slots[i], y_slots[i]);
    return result;
  }
  double noise(const rlwe::Ciphertext& z, const Slots& slots) const {
    return oracle::variance_of(measure_noise(*context, key, z, slots));
  }
};

TEST_P(Evaluate, SumsAndDifferences) {
  add(x, y);
  EXPECT_EQ(oracle::decrypt(*context, key, x), map([&](auto a, auto b) { return (a + b) % p; }));
  subtract(x, y);
  EXPECT_EQ(oracle::decrypt(*context, key, x), x_slots);
  add_plain(*context, x, y_slots);
  const Slots sum = map([&](auto a, auto b) { return (a + b) % p; });
  EXPECT_EQ(oracle::decrypt(*context, key, x), sum);
  EXPECT_LT(noise(x, sum), 3.3 * fresh_variance());
}

TEST_P(Evaluate, ProductsWithPlaintexts) {
  const rlwe::Plaintext w = batch_plaintext(*context, y_slots, context->data());
  const Slots product = map([&](auto a, auto b) { return oracle::times(a, b, p); });
  const rlwe::Ciphertext z = multiply_plain(x, w);
  EXPECT_EQ(oracle::decrypt(*context, key, z), product);
  EXPECT_LT(noise(z, product), 1.3 * plain_product_variance(*context, fresh_variance()));
  // x y + y x.
  const rlwe::Plaintext v = batch_plaintext(*context, x_slots, context->data());
  const rlwe::Ciphertext* const left[] = {&x, &y};
  const rlwe::Plaintext* const right[] = {&w, &v};
  rlwe::Ciphertext sum(context, context->data());
  multiply_plain_add(left, right, sum);
  EXPECT_EQ(oracle::decrypt(*context, key, sum),
            map([&](auto a, auto b) { return oracle::times(oracle::times(a, b, p), 2, p); }));
}

TEST_P(Evaluate, SwitchesLevels) {
  for (std::size_t level = 1; level <= context->data(); ++level) {
    if (context->level(level).log2_q < context->parameters().log2_p() + 2) {
      EXPECT_THROW(switch_level(*context, x, level), Error);
      continue;
    }
    if (context->level(level).log2_q < context->parameters().log2_p() + 14) continue;
    const rlwe::Ciphertext small = switch_level(*context, x, level);
    EXPECT_EQ(small.level(), level);
    EXPECT_EQ(oracle::decrypt(*context, key, small), x_slots);
    EXPECT_LT(noise(small, x_slots), 1.15 * rlwe::rescaled_variance(context->parameters(), fresh_variance(),
                                                                    context->data(), level));
    EXPECT_EQ(oracle::decrypt(*context, key, load_ciphertext(context, level, serialise(small))), x_slots);
  }
  EXPECT_THROW(switch_level(*context, x, context->data() + 1), Error);
}

TEST_P(Evaluate, FloodingHidesAndKeepsTheMessage) {
  const rlwe::PublicKey public_key(key, prng);
  const auto room =
      static_cast<int>(context->level(context->data()).log2_q - context->parameters().log2_p() - 1);
  for (const int bits : {1, 20, room - 1}) {
    rlwe::Ciphertext z = x;
    flood(*context, public_key, bits, prng, z);
    EXPECT_EQ(oracle::decrypt(*context, key, z), x_slots) << bits;
    EXPECT_NEAR(noise(z, x_slots) / (fresh_variance() + flood_variance(*context, bits)), 1, 0.1) << bits;
    EXPECT_FALSE(std::ranges::equal(z[1], x[1]));
  }
  EXPECT_THROW(flood(*context, public_key, 0, prng, x), Error);
  EXPECT_THROW(flood(*context, public_key, room + 1, prng, x), Error);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Evaluate,
    testing::Values(oracle::BatchShape{.n = 2048, .plain = {14}, .data = {49}},
                    oracle::BatchShape{.n = 4096, .plain = {20}, .data = {35, 36, 36}},
                    oracle::BatchShape{.n = 4096, .plain = {20, 21}, .data = {44, 44, 44}},
                    oracle::BatchShape{.n = 8192, .plain = {20}, .data = {43, 43, 44, 44}, .special = {44}}));

}  // namespace
}  // namespace ap::bfv
