#include <gtest/gtest.h>

#include <algorithm>

#include "he/bfv/context_tables.h"
#include "he/bfv/phase.h"
#include "he/bfv/scheme.h"
#include "tests/he/bfv/oracle.h"

namespace ap::bfv {
namespace {

TEST(Keys, SecretIsTernaryAndTheSameModuloEveryPrime) {
  Prng prng(oracle::seed(1));
  const ContextPtr context = oracle::context(2048, {40, 50});
  SecretKey key(context, prng);
  std::array<int, 3> counts{};
  context->tables(0).inverse(std::span(key.s).first(2048));
  context->tables(1).inverse(std::span(key.s).last(2048));
  for (std::size_t j = 0; j < 2048; ++j) {
    const std::uint64_t first = key.s[j], second = key.s[2048 + j];
    const std::uint64_t q0 = context->tables(0).modulus().value(), q1 = context->tables(1).modulus().value();
    ASSERT_TRUE(first <= 1 || first == q0 - 1);
    ASSERT_EQ(second, first == q0 - 1 ? q1 - 1 : first);
    ++counts[first == q0 - 1 ? 2 : first];
  }
  for (const int count : counts) EXPECT_NEAR(count, 2048 / 3, 100);
}

TEST(Keys, PublicKeyIsASmallEncryptionOfZero) {
  Prng prng(oracle::seed(2));
  const ContextPtr context = oracle::context(4096, {50, 50});
  const SecretKey key(context, prng);
  const PublicKey exact(key, prng, ErrorSource::none_for_tests), noisy(key, prng);
  const std::vector<std::uint64_t> zero(4096);
  double square = 0;
  for (const double e : phase_error(key, exact.b, exact.a, zero, 10)) ASSERT_EQ(e, 0);
  for (const double e : phase_error(key, noisy.b, noisy.a, zero, 10)) {
    ASSERT_LE(std::abs(e), 21);
    square += e * e;
  }
  EXPECT_NEAR(square / 4096, kErrorSigma * kErrorSigma, 1.2);
}

TEST(Keys, PublicKeyRoundTrips) {
  Prng prng(oracle::seed(3));
  for (const std::vector<int>& bits : std::vector<std::vector<int>>{{26}, {50, 50}}) {
    const ContextPtr context = oracle::context(1024, bits);
    const PublicKey key(SecretKey(context, prng), prng);
    const Bytes bytes = key.serialise();
    ASSERT_EQ(bytes.size(), PublicKey::serialised_bytes(*context));
    const PublicKey back(context, bytes);
    EXPECT_EQ(back.a, key.a);
    EXPECT_EQ(back.b, key.b);
    EXPECT_EQ(back.serialise(), bytes);
  }
}

/// The owner of a key chooses the seed, not a: a follows from the session too.
TEST(Keys, UniformHalfDependsOnSeedAndSession) {
  const ContextPtr context = oracle::context(1024, {26, 26});
  Prng prng(oracle::seed(6));
  const SecretKey secret(context, prng);
  const SessionKey session(oracle::seed(7)), other(oracle::seed(8));
  const PublicKey key(secret, prng, ErrorSource::centred_binomial, session);
  EXPECT_EQ(PublicKey(context, key.serialise(), session).a, key.a);
  EXPECT_NE(PublicKey(context, key.serialise(), other).a, key.a);
  EXPECT_NE(PublicKey(context, key.serialise()).a, key.a);
  EXPECT_NE(public_key_seed(key.a_seed, session), key.a_seed);
  EXPECT_NE(PublicKey(secret, prng, ErrorSource::centred_binomial, session).a, key.a);
}

TEST(Keys, MalformedPublicKeysAreRefused) {
  Prng prng(oracle::seed(4));
  const ContextPtr context = oracle::context(1024, {26});
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
}  // namespace ap::bfv
