#include "he/rlwe/mod_raise.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "he/rlwe/evaluate.h"
#include "he/rlwe/sparse_secret.h"
#include "tests/he/rlwe/small_context.h"

namespace ap::rlwe {
namespace {

TEST(SparseSecret, HasItsWeightAndNoOther) {
  Prng prng(oracle::seed(6));
  for (const std::size_t weight : {std::size_t{1}, std::size_t{32}, std::size_t{64}}) {
    const SecretVector<std::int8_t> secret = sample_sparse_ternary(64, weight, prng);
    std::size_t count = 0;
    for (const std::int8_t c : secret) {
      EXPECT_LE(std::abs(c), 1);
      count += c != 0 ? 1 : 0;
    }
    EXPECT_EQ(count, weight);
  }
  EXPECT_THROW(sample_sparse_ternary(64, 0, prng), Error);
  EXPECT_THROW(sample_sparse_ternary(64, 65, prng), Error);
}

TEST(SparseSecret, PlacesAndSignsAreUniform) {
  Prng prng(oracle::seed(7));
  constexpr int kDraws = 12000;
  // 8 coefficients, two of them not zero: 28 pairs of places, 4 pairs of signs, all alike.
  std::map<std::vector<std::int8_t>, int> counts;
  for (int k = 0; k < kDraws; ++k) {
    const SecretVector<std::int8_t> secret = sample_sparse_ternary(8, 2, prng);
    ++counts[{secret.begin(), secret.end()}];
  }
  EXPECT_EQ(counts.size(), 112U);
  const double expected = kDraws / 112.0;
  double chi2 = 0;
  for (const auto& [secret, count] : counts) chi2 += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi2, 111 + 6 * std::sqrt(2 * 111.0));
  EXPECT_NEAR(log2_sparse_secrets(8, 2), std::log2(112), 1e-9);
  EXPECT_NEAR(log2_sparse_secrets(65536, 40), 521, 1);
}

struct Raised {
  Prng prng{oracle::seed(8)};
  ContextPtr context = oracle::context({1024, {45, 40, 40, 40}, {50, 49}, 2});
  ContextPtr low = std::make_shared<const Context>(
      Parameters{1024, {context->parameters().data_primes[0]}, {context->parameters().special_primes[0]}, 0});
  SecretKey key{context, prng};
};

TEST(ModRaise, AddsSmallMultiplesOfTheLowestPrime) {
  Raised w;
  constexpr std::size_t kWeight = 24;
  const RaiseKeys keys(w.key, w.low, kWeight, w.prng);
  const std::vector<std::int64_t> message = oracle::random_message(1024, 30, w.prng);
  const Ciphertext x = drop_level(oracle::encrypt(w.context, w.key, message, w.prng), 1);
  const Ciphertext y = mod_raise(x, keys);
  ASSERT_EQ(y.level(), 4U);
  const std::vector<double> values = oracle::noise(w.key, y, message);
  const auto q = static_cast<double>(w.context->modulus(0).value());
  double noise = 0, multiples = 0;
  for (const double value : values) {
    const double multiple = std::round(value / q);
    EXPECT_LE(std::abs(multiple), (kWeight + 1) / 2.0);
    multiples += multiple * multiple / 1024;
    noise += (value - multiple * q) * (value - multiple * q) / 1024;
  }
  EXPECT_NEAR(multiples / ((kWeight + 1) / 12.0), 1, 0.2);
  // Of the first switch under the sparse secret, of the second under the dense one; and the fresh error.
  const double low =
      key_switch_variance(w.low->parameters(), 1) - rounding_variance(1024) + (1 + kWeight) / 12.0;
  EXPECT_LE(noise, 1.3 * (fresh_variance() + low + rounding_variance(1024)));
  EXPECT_GE(noise, 0.7 * (fresh_variance() + low + rounding_variance(1024)));
}

TEST(ModRaise, KeysCrossTheWire) {
  Raised w;
  const RaiseKeys made(w.key, w.low, 24, w.prng);
  const Bytes bytes = made.serialise();
  EXPECT_EQ(bytes.size(), RaiseKeys::serialised_bytes(*w.context, *w.low));
  const RaiseKeys keys(w.context, w.low, bytes);
  EXPECT_EQ(keys.serialise(), bytes);
  const Ciphertext x =
      drop_level(oracle::encrypt(w.context, w.key, oracle::random_message(1024, 30, w.prng), w.prng), 1);
  EXPECT_EQ(mod_raise(x, keys), mod_raise(x, made));
  const auto refused = [&](const Bytes& some) {
    try {
      RaiseKeys(w.context, w.low, some);
    } catch (const Error& error) {
      return error.code() == ErrorCode::peer;
    }
    return false;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused(Bytes(bytes.begin(), bytes.end() - 1)));
  Bytes longer(bytes);
  longer.push_back(0);
  EXPECT_TRUE(refused(longer));
  Bytes forged(bytes);
  std::fill(forged.end() - 8, forged.end(), 0xff);
  EXPECT_TRUE(refused(forged));
}

TEST(Moved, KeepsThePhase) {
  Raised w;
  const std::vector<std::int64_t> message = oracle::random_message(1024, 30, w.prng);
  const Ciphertext x = drop_level(oracle::encrypt(w.context, w.key, message, w.prng), 1);
  const Ciphertext y = moved(x, w.low);
  EXPECT_EQ(phase(SecretKey(w.low, w.key), y), phase(w.key, x));
  EXPECT_THROW(moved(oracle::encrypt(w.context, w.key, message, w.prng), w.low), Error) << "too many primes";
  EXPECT_THROW(SecretKey(w.context, SecretKey(w.low, w.key)), Error) << "primes that are not there";
}

}  // namespace
}  // namespace ap::rlwe
