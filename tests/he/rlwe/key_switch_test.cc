#include "he/rlwe/key_switch.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "he/rlwe/evaluate.h"
#include "tests/he/rlwe/small_context.h"

namespace ap::rlwe {
namespace {

// Encryptions under one secret, switched to another.
class KeySwitch : public testing::TestWithParam<oracle::Shape> {
 protected:
  void SetUp() override {
    if (GetParam().n > 16384 && !std::getenv("AP_SLOW")) GTEST_SKIP() << "set AP_SLOW=1 to run this";
  }
};

TEST_P(KeySwitch, NoiseIsBelowItsBoundAndThatOfTheModelAtEveryLevel) {
  Prng prng(oracle::seed(1));
  const ContextPtr context = oracle::context(GetParam());
  const Parameters& parameters = context->parameters();
  const std::size_t n = context->n();
  const SecretKey from(context, prng), to(context, prng);
  const KeySwitchKey key(context, from.s(), to.s(), prng);
  const std::vector<std::int64_t> message = oracle::random_message(n, 10, prng);
  // Without errors of its own: the noise afterwards is the switch's.
  const Ciphertext x = oracle::encrypt(context, from, message, prng, ErrorSource::none_for_tests);
  for (std::size_t level = context->data(); level >= 1; --level) {
    const double bound = key_switch_bound(parameters, level);
    if (std::log2(bound) + 12 > context->level(level).log2_q) break;
    const Ciphertext low = drop_level(x, level);
    Ciphertext y(context, level);
    std::copy(low[0].begin(), low[0].end(), y[0].begin());
    key_switch_add(low[1], level, key, y[0], y[1]);
    const std::vector<double> noise = oracle::noise(to, y, message);
    EXPECT_LE(oracle::largest(noise), bound) << level;
    EXPECT_NEAR(oracle::mean_square(noise) / key_switch_variance(parameters, level), 1, 0.15) << level;
    Ciphertext hoisted(context, level);
    std::copy(low[0].begin(), low[0].end(), hoisted[0].begin());
    key_switch_add(decompose(low), key, hoisted[0], hoisted[1]);
    EXPECT_EQ(hoisted, y);
  }
}

TEST_P(KeySwitch, ProductsAreRelinearised) {
  Prng prng(oracle::seed(2));
  const ContextPtr context = oracle::context(GetParam());
  const std::size_t n = context->n(), level = context->data();
  const SecretKey secret(context, prng);
  const RelinearisationKey made(secret, prng), key(context, made.serialise());
  EXPECT_EQ(key.serialise(), made.serialise());
  // (0, 0, c2) encrypts c2 s^2.
  Ciphertext x(context, level, 2);
  for (std::size_t i = 0; i < level; ++i) sample_uniform(prng, context->modulus(i).value(), x.part(2, i));
  const SecretVector<std::uint64_t> before = phase(secret, x);
  SecretVector<std::uint64_t> after = phase(secret, relinearise(x, key));
  for (std::size_t i = 0; i < level; ++i) {
    const ring::Modulus& q = context->modulus(i);
    for (std::size_t j = 0; j < n; ++j) after[i * n + j] = q.sub(after[i * n + j], before[i * n + j]);
  }
  const std::vector<double> noise = centred_values(*context, after, level);
  EXPECT_LE(oracle::largest(noise), key_switch_bound(context->parameters(), level));
}

std::vector<int> times(int bits, std::size_t count) { return std::vector<int>(count, bits); }

// alpha = 1 .. 4 primes a digit, P of as many primes, all sizes of primes and rings; a chain that alpha does not
// divide; a P too small for its digits, whose noise is larger but as predicted; no P.
INSTANTIATE_TEST_SUITE_P(Shapes, KeySwitch,
                         testing::Values(oracle::Shape{1024, times(40, 3), times(41, 1), 3},
                                         oracle::Shape{4096, times(45, 4), times(46, 1)},
                                         oracle::Shape{4096, times(60, 4), times(60, 1)},
                                         oracle::Shape{4096, times(59, 6), times(60, 2), 3},
                                         oracle::Shape{8192, times(45, 6), times(46, 3), 2},
                                         oracle::Shape{8192, times(60, 9), times(60, 4), 3},
                                         oracle::Shape{8192, times(60, 7), times(60, 4), 2},
                                         oracle::Shape{8192, {60, 36, 50, 44, 60, 30, 40}, {60, 60, 51}, 3},
                                         oracle::Shape{4096, times(40, 6), times(45, 2), 2},
                                         oracle::Shape{4096, times(25, 6)},
                                         oracle::Shape{16384, times(60, 6), times(60, 2), 3},
                                         oracle::Shape{16384, times(45, 8), times(46, 4), 2},
                                         oracle::Shape{32768, times(45, 8), times(46, 3), 3},
                                         oracle::Shape{32768, times(60, 8), times(60, 4), 2},
                                         oracle::Shape{65536, times(46, 9), times(47, 3), 3},
                                         oracle::Shape{65536, times(60, 8), times(60, 4), 2}));

TEST(KeySwitchKey, RefusesMalformedBytes) {
  Prng prng(oracle::seed(3));
  const ContextPtr context = oracle::context({1024, {60, 40}, {50}});
  const SecretKey secret(context, prng);
  const Bytes good = KeySwitchKey(context, secret.s(), secret.s(), prng).serialise();
  EXPECT_EQ(good.size(), KeySwitchKey::serialised_bytes(*context));
  EXPECT_EQ(good.size(), 32U + 2 * 1024 * 150 / 8);
  EXPECT_EQ(KeySwitchKey(context, good).serialise(), good);
  const auto refused = [&](const Bytes& bytes) {
    try {
      KeySwitchKey(context, bytes);
    } catch (const Error& error) {
      return error.code() == ErrorCode::peer;
    }
    return false;
  };
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused(Bytes(good.begin(), good.end() - 1)));
  Bytes longer(good);
  longer.push_back(0);
  EXPECT_TRUE(refused(longer));
  // All ones at the start of every polynomial: of both digits, modulo every prime.
  std::size_t at = 32;
  for (int digit = 0; digit < 2; ++digit) {
    for (const std::size_t bits : {60U, 40U, 50U}) {
      Bytes forged(good);
      std::fill_n(forged.begin() + static_cast<std::ptrdiff_t>(at), 8, 0xff);
      EXPECT_TRUE(refused(forged)) << at;
      at += 1024 * bits / 8;
    }
  }
  EXPECT_EQ(at, good.size());
}

}  // namespace
}  // namespace ap::rlwe
