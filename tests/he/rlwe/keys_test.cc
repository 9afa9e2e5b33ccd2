#include "he/rlwe/keys.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "tests/he/rlwe/small_context.h"

namespace ap::rlwe {
namespace {

TEST(Keys, SecretIsTernaryAndTheSameModuloEveryPrime) {
  Prng prng(oracle::seed(1));
  const ContextPtr context = oracle::context({.n = 2048, .data = {40, 50}});
  const SecretKey key(context, prng);
  std::array<int, 3> counts{};
  std::vector<std::uint64_t> s(key.s().begin(), key.s().end());
  context->tables(0).inverse(std::span(s).first(2048));
  context->tables(1).inverse(std::span(s).last(2048));
  for (std::size_t j = 0; j < 2048; ++j) {
    const std::uint64_t first = s[j], second = s[2048 + j];
    const std::uint64_t q0 = context->tables(0).modulus().value(), q1 = context->tables(1).modulus().value();
    ASSERT_TRUE(first <= 1 || first == q0 - 1);
    ASSERT_EQ(second, first == q0 - 1 ? q1 - 1 : first);
    ++counts[first == q0 - 1 ? 2 : first];
  }
  for (const int count : counts) EXPECT_NEAR(count, 2048 / 3, 100);
}

TEST(Keys, SecretsOfGivenCoefficients) {
  const ContextPtr context = oracle::context({.n = 1024, .data = {30}, .special = {31}});
  std::vector<std::int8_t> coefficients(1024);
  for (std::size_t j = 0; j < 1024; ++j) coefficients[j] = static_cast<std::int8_t>(j % 3) - 1;
  const SecretKey key(context, coefficients);
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<std::uint64_t> s(key.s(i).begin(), key.s(i).end());
    context->tables(i).inverse(s);
    for (std::size_t j = 0; j < 1024; ++j) {
      ASSERT_EQ(s[j], oracle::residue(coefficients[j], context->modulus(i)));
    }
  }
  for (const int wrong : {-128, -2, 2, 3, 127}) {
    coefficients[7] = static_cast<std::int8_t>(wrong);
    EXPECT_THROW(SecretKey(context, coefficients), Error) << wrong;
  }
}

TEST(Keys, PublicKeyIsASmallEncryptionOfZero) {
  Prng prng(oracle::seed(2));
  const ContextPtr context = oracle::context({.n = 4096, .data = {50, 60}, .special = {50}});
  const SecretKey key(context, prng);
  const std::vector<std::int64_t> zero(4096);
  for (const ErrorSource errors : {ErrorSource::none_for_tests, ErrorSource::centred_binomial}) {
    const PublicKey public_key(key, prng, errors);
    Ciphertext x(context, 2);
    std::copy(public_key.b().begin(), public_key.b().end(), x[0].begin());
    std::copy(public_key.a().begin(), public_key.a().end(), x[1].begin());
    const std::vector<double> noise = oracle::noise(key, x, zero);
    if (errors == ErrorSource::none_for_tests) {
      EXPECT_EQ(oracle::largest(noise), 0);
    } else {
      EXPECT_LE(oracle::largest(noise), kErrorBound);
      EXPECT_NEAR(oracle::mean_square(noise) / fresh_variance(), 1, 0.1);
    }
  }
}

TEST(Keys, PublicKeyRoundTrips) {
  Prng prng(oracle::seed(3));
  for (const std::vector<int>& bits : std::vector<std::vector<int>>{{26}, {50, 50}}) {
    const ContextPtr context = oracle::context({.n = 1024, .data = bits});
    const PublicKey key(SecretKey(context, prng), prng);
    const Bytes bytes = key.serialise();
    ASSERT_EQ(bytes.size(), PublicKey::serialised_bytes(*context));
    const PublicKey back(context, bytes);
    EXPECT_TRUE(std::ranges::equal(back.a(), key.a()));
    EXPECT_TRUE(std::ranges::equal(back.b(), key.b()));
    EXPECT_EQ(back.serialise(), bytes);
  }
}

/// The owner of a key chooses the seed, not a: a follows from the session too.
TEST(Keys, UniformHalfDependsOnSeedAndSession) {
  const ContextPtr context = oracle::context({.n = 1024, .data = {26, 26}});
  Prng prng(oracle::seed(6));
  const SecretKey secret(context, prng);
  const SessionKey session(oracle::seed(7)), other(oracle::seed(8));
  const PublicKey key(secret, prng, ErrorSource::centred_binomial, session);
  const auto same_a = [&](const PublicKey& back) { return std::ranges::equal(back.a(), key.a()); };
  EXPECT_TRUE(same_a(PublicKey(context, key.serialise(), session)));
  EXPECT_FALSE(same_a(PublicKey(context, key.serialise(), other)));
  EXPECT_FALSE(same_a(PublicKey(context, key.serialise())));
  EXPECT_NE(public_key_seed(key.seed(), session), key.seed());
  EXPECT_FALSE(same_a(PublicKey(secret, prng, ErrorSource::centred_binomial, session)));
}

TEST(Keys, MalformedPublicKeysAreRefused) {
  Prng prng(oracle::seed(4));
  const ContextPtr context = oracle::context({.n = 1024, .data = {26}});
  const Bytes good = PublicKey(SecretKey(context, prng), prng).serialise();
  const auto refused = [&](const Bytes& bytes) {
    try {
      PublicKey(context, bytes);
    } catch (const Error& e) {
      return e.code() == ErrorCode::peer;
    }
    return false;
  };
  EXPECT_FALSE(refused(good));
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused(Bytes(good.begin(), good.end() - 1)));
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_TRUE(refused(longer));
  Bytes large = good;
  std::fill(large.begin() + 32, large.begin() + 36, 0xff);
  EXPECT_TRUE(refused(large));
  large = good;
  std::fill(large.end() - 4, large.end(), 0xff);
  EXPECT_TRUE(refused(large));
}

}  // namespace
}  // namespace ap::rlwe
