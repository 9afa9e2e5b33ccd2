#include "he/bfv/batch_context.h"

#include <gtest/gtest.h>

#include "tests/he/bfv/batch_oracle.h"

namespace ap::bfv {
namespace {

BatchParameters valid() {
  return {{2048, batch_primes(26, 2048, 2), batch_primes(27, 2048, 1), 2}, {12289}, true};
}

std::string refusal(const BatchParameters& parameters) {
  try {
    make_batch_context(parameters);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    return error.what();
  }
  return "accepted";
}

TEST(BatchContext, RefusesWhatItCannotServeAndNamesIt) {
  EXPECT_EQ(refusal(valid()), "accepted");
  const auto changed = [](auto change) {
    BatchParameters parameters = valid();
    change(parameters);
    return refusal(parameters);
  };
  EXPECT_NE(changed([](auto& p) { p.n = 1024; }).find("ring degree"), std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.n = 3000; }).find("ring degree"), std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.n = 131072; }).find("ring degree"), std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.data_primes.clear(); }).find("0 primes"), std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.data_primes.assign(33, 12289); }).find("33 primes"), std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.data_primes[1] = p.data_primes[0]; }).find("twice"), std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.special_primes[0] = p.data_primes[0]; }).find("twice"),
            std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.data_primes[0] += 2; }).find("not 1 modulo"), std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.plain_primes[0] = 12291; }).find("not 1 modulo"), std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.plain_primes.clear(); }).find("plaintext"), std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.plain_primes = batch_primes(50, 2048, 1); }).find("above the plaintext"),
            std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.plain_primes = batch_primes(31, 2048, 2); }).find("60"),
            std::string::npos);
  EXPECT_NE(changed([](auto& p) { p.digits = 3; }).find("3 digits"), std::string::npos);
  EXPECT_THROW(batch_primes(51, 2048, 1), Error);
  EXPECT_THROW(batch_primes(14, 8192, 2), Error);
}

TEST(BatchContext, GroupsThePrimesIntoDigits) {
  const BatchContextPtr context = oracle::batch_context(
      {.n = 2048, .plain = {14}, .data = {20, 21, 22, 23, 24}, .special = {30, 30}, .digits = 2});
  ASSERT_EQ(context->digits(), 2U);
  EXPECT_EQ(context->level(5).digits[0].count, 3U);
  EXPECT_EQ(context->level(5).digits[1].count, 2U);
  EXPECT_EQ(context->level(4).digits[1].count, 1U);
  EXPECT_EQ(context->level(3).digits.size(), 1U);
}

// Slots are values at the powers of a root: products of polynomials multiply slots, X -> X^3 rotates them.
TEST(BatchContext, SlotsRoundTripAndMultiply) {
  Prng prng(Seed{9});
  for (const std::vector<int>& plain : {std::vector<int>{14}, {20}, {18, 19}, {50}}) {
    const BatchContextPtr context = oracle::batch_context({.n = 2048, .plain = plain, .data = {40, 40}});
    const std::size_t n = context->n();
    const std::uint64_t p = context->p().value();
    const oracle::Slots x = oracle::random_slots(*context, prng);
    oracle::Slots y(n), fx(n), fy(n), decoded(n);
    for (std::size_t i = 0; i < n; ++i) y[i] = i % 2 == 0 ? 1 : 0;
    encode_slots(*context, x, fx);
    decode_slots(*context, fx, decoded);
    EXPECT_EQ(decoded, x);
    encode_slots(*context, y, fy);
    oracle::Slots product(n), image(n);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        const std::uint64_t term = oracle::times(fx[i], fy[j], p);
        std::uint64_t& to = product[(i + j) % n];
        to = (i + j < n ? to + term : to + p - term) % p;
      }
      image[i * 3 % (2 * n) % n] = i * 3 % (2 * n) < n ? fx[i] : (p - fx[i]) % p;
    }
    decode_slots(*context, product, decoded);
    for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(decoded[i], y[i] * x[i]);
    decode_slots(*context, image, decoded);
    EXPECT_EQ(decoded, oracle::rotated(x, 1));
  }
}

// AutoPrivacy eq. 3-6: modulo a composite p each slot is the pair of its residues.
TEST(BatchContext, CompositeModulusIsTheProductOfItsPrimes) {
  const BatchContextPtr both = oracle::batch_context({.n = 2048, .plain = {18, 19}, .data = {40, 40}});
  const std::vector<std::uint64_t>& primes = both->parameters().plain_primes;
  Prng prng(Seed{10});
  const oracle::Slots x = oracle::random_slots(*both, prng);
  oracle::Slots fx(both->n());
  encode_slots(*both, x, fx);
  for (const std::uint64_t prime : primes) {
    const BatchContextPtr one =
        make_batch_context({{2048, both->parameters().data_primes, {}, 0}, {prime}, false});
    oracle::Slots reduced(x), expected(x.size());
    for (std::uint64_t& value : reduced) value %= prime;
    encode_slots(*one, reduced, expected);
    for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(fx[i] % prime, expected[i]);
  }
}

}  // namespace
}  // namespace ap::bfv
