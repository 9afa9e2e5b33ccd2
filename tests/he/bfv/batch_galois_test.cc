#include <gtest/gtest.h>

#include <cmath>

#include "he/bfv/batch_noise.h"
#include "tests/he/bfv/batch_oracle.h"

namespace ap::bfv {
namespace {

using oracle::Slots;

class Galois : public testing::TestWithParam<oracle::BatchShape> {
 protected:
  Prng prng{Seed{31}};
  BatchContextPtr context = oracle::batch_context(GetParam());
  rlwe::SecretKey key{context, prng};
  Slots slots = oracle::random_slots(*context, prng);
  rlwe::Ciphertext x = oracle::encrypt(context, key, slots, prng);

  std::vector<std::uint32_t> elements(const std::vector<int>& steps) const {
    std::vector<std::uint32_t> result{swap_element(*context)};
    for (const int step : steps) result.push_back(rotation_element(*context, step));
    return result;
  }
  double noise(const rlwe::Ciphertext& z, const Slots& expected) const {
    return oracle::variance_of(measure_noise(*context, key, z, expected));
  }
};

TEST_P(Galois, RotatesRowsAndSwapsThem) {
  const std::vector<int> steps{1, 3, -1, 64};
  const rlwe::GaloisKeys keys(key, elements(steps), prng);
  const double bound =
      1.3 * (fresh_variance() + rlwe::key_switch_variance(context->parameters(), context->data()));
  for (const int step : steps) {
    const rlwe::Ciphertext z = rotate_rows(x, step, keys);
    EXPECT_EQ(oracle::decrypt(*context, key, z), oracle::rotated(slots, step)) << step;
    EXPECT_LT(noise(z, oracle::rotated(slots, step)), bound);
  }
  EXPECT_EQ(oracle::decrypt(*context, key, swap_rows(x, keys)), oracle::swapped(slots));
  // Compositions: 1 + 3 - 1 + 64, then the swap.
  rlwe::Ciphertext z = x;
  for (const int step : steps) z = rotate_rows(z, step, keys);
  EXPECT_EQ(oracle::decrypt(*context, key, swap_rows(z, keys)), oracle::swapped(oracle::rotated(slots, 67)));
  EXPECT_EQ(rotate_rows(x, 0, keys), x);
  EXPECT_EQ(rotate_rows(x, static_cast<int>(context->n() / 2) + 1, keys), rotate_rows(x, 1, keys));
}

TEST_P(Galois, HoistedRotationsAreTheSame) {
  const rlwe::GaloisKeys keys(key, elements({1, 5}), prng);
  const rlwe::Decomposition c1 = rlwe::decompose(x);
  for (const std::uint32_t element : elements({1, 5})) {
    const rlwe::Ciphertext plain = apply_automorphism(x, element, keys),
                           hoisted = apply_automorphism(x, c1, element, keys);
    EXPECT_EQ(plain, hoisted);
  }
}

TEST_P(Galois, RotatesAtEveryLevel) {
  const rlwe::GaloisKeys keys(key, elements({2}), prng);
  for (std::size_t level = context->data(); level >= 1; --level) {
    const double variance =
        rlwe::rescaled_variance(context->parameters(), fresh_variance(), context->data(), level) +
        rlwe::key_switch_variance(context->parameters(), level);
    if (std::log2(variance) / 2 + 3 > context->level(level).log2_q - context->parameters().log2_p() - 1)
      break;
    const rlwe::Ciphertext small = switch_level(*context, x, level);
    const rlwe::Ciphertext z = rotate_rows(small, 2, keys);
    EXPECT_EQ(oracle::decrypt(*context, key, z), oracle::rotated(slots, 2)) << level;
    EXPECT_LT(noise(z, oracle::rotated(slots, 2)), 1.3 * variance);
  }
}

TEST_P(Galois, KeysRoundTripAndNothingElseIsAccepted) {
  const std::vector<std::uint32_t> wanted = elements({1, 1, 0});  // the swap and one rotation
  const rlwe::GaloisKeys keys(key, wanted, prng);
  EXPECT_EQ(keys.size(), 2U);
  const Bytes bytes = keys.serialise();
  EXPECT_EQ(bytes.size(), rlwe::GaloisKeys::serialised_bytes(*context, wanted));
  const rlwe::GaloisKeys copy(context, wanted, bytes);
  EXPECT_EQ(rotate_rows(x, 1, copy), rotate_rows(x, 1, keys));
  EXPECT_EQ(swap_rows(x, copy), swap_rows(x, keys));
  EXPECT_THROW(rotate_rows(x, 2, keys), Error);
  EXPECT_THROW(rlwe::GaloisKeys(context, wanted, ByteView(bytes).first(bytes.size() - 1)), Error);
  EXPECT_THROW(rlwe::GaloisKeys(context, elements({1, 2}), bytes), Error);
  EXPECT_THROW(rlwe::GaloisKeys(key, std::vector<std::uint32_t>{2}, prng), Error);
  EXPECT_THROW(rlwe::GaloisKeys(key, std::vector<std::uint32_t>{2 * GetParam().n + 1}, prng), Error);
}

// With and without special primes, one prime a digit and several, a single data prime.
INSTANTIATE_TEST_SUITE_P(
    Shapes, Galois,
    testing::Values(
        oracle::BatchShape{.n = 2048, .plain = {14}, .data = {27}, .special = {26}},
        oracle::BatchShape{.n = 4096, .plain = {17}, .data = {21, 22, 22, 23}},
        oracle::BatchShape{.n = 4096, .plain = {16, 17}, .data = {35, 36, 36}, .special = {37}},
        oracle::BatchShape{
            .n = 4096, .plain = {20}, .data = {30, 30, 30, 30, 30}, .special = {33, 33}, .digits = 3},
        oracle::BatchShape{.n = 8192, .plain = {20}, .data = {43, 43, 44, 44}, .special = {44}}));

}  // namespace
}  // namespace ap::bfv
