#include "he/rlwe/evaluate.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/he/rlwe/small_context.h"
#include "tests/support/big.h"

namespace ap::rlwe {
namespace {

using ap::oracle::Big;

// A ciphertext of uniform residues: no message, all of the ring.
Ciphertext random_ciphertext(const ContextPtr& context, std::size_t level, std::size_t degree, Form form,
                             Prng& prng) {
  Ciphertext x(context, level, degree, form);
  for (std::size_t k = 0; k <= degree; ++k) {
    for (std::size_t i = 0; i < level; ++i) sample_uniform(prng, context->modulus(i).value(), x.part(k, i));
  }
  return x;
}

Big product(const Context& context, std::size_t first, std::size_t count) {
  Big result = Big::of(1);
  for (std::size_t i = first; i < first + count; ++i) result = result.times(context.modulus(i).value());
  return result;
}

// The integer in [0, product of the first `primes`) with these residues, by mixed radix.
Big compose(const Context& context, std::size_t primes, const auto& residue_of) {
  Big value = Big::of(0), weight = Big::of(1);
  for (std::size_t i = 0; i < primes; ++i) {
    const ring::Modulus& q = context.modulus(i);
    const std::uint64_t missing = q.sub(residue_of(i), value.mod(q.value()));
    value = value.plus(weight.times(q.mul(missing, q.inverse(weight.mod(q.value())))));
    weight = weight.times(q.value());
  }
  return value;
}

class Levels : public testing::TestWithParam<std::vector<int>> {
 protected:
  ContextPtr context = oracle::context({.n = 1024, .data = GetParam()});
  Prng prng{oracle::seed(1)};
};

// y = round(x / D): D y is x plus at most D / 2, over the integers, exactly, for every coefficient.
TEST_P(Levels, RescaleIsTheRoundedQuotient) {
  const std::size_t top = context->data();
  for (const std::size_t degree : {1U, 2U}) {
    for (std::size_t level = 1; level < top; ++level) {
      const Ciphertext x = random_ciphertext(context, top, degree, Form::coefficient, prng);
      const Ciphertext y = rescale(x, level);
      ASSERT_EQ(y.level(), level);
      ASSERT_EQ(y.form(), Form::coefficient);
      const Big q = product(*context, 0, top), kept = product(*context, 0, level);
      const Big dropped = product(*context, level, top - level);
      for (std::size_t k = 0; k <= degree; ++k) {
        for (std::size_t j = 0; j < 1024; j += 31) {
          const Big whole = compose(*context, top, [&](std::size_t i) { return x.part(k, i)[j]; });
          Big rounded = compose(*context, level, [&](std::size_t i) { return y.part(k, i)[j]; });
          // Rounding up to `kept` gives 0 modulo it.
          if (!rounded.above(Big::of(0)) && whole.above(q.half())) rounded = kept;
          Big back = rounded;
          for (std::size_t i = level; i < top; ++i) back = back.times(context->modulus(i).value());
          const Big error = back.above(whole) ? back.minus(whole) : whole.minus(back);
          EXPECT_FALSE(error.above(dropped.half())) << "level " << level << ", coefficient " << j;
        }
      }
    }
  }
}

TEST_P(Levels, FormsAgreeAndTransformBack) {
  const std::size_t top = context->data();
  for (std::size_t level = 1; level <= top; ++level) {
    const Ciphertext x = random_ciphertext(context, top, 1, Form::coefficient, prng);
    Ciphertext transformed = x;
    transformed.to(Form::ntt);
    Ciphertext back = transformed;
    back.to(Form::coefficient);
    EXPECT_EQ(back, x);
    for (const auto operation : {rescale, drop_level}) {
      Ciphertext result = operation(transformed, level);
      EXPECT_EQ(result.form(), Form::ntt);
      result.to(Form::coefficient);
      EXPECT_EQ(result, operation(x, level));
    }
  }
}

TEST_P(Levels, DropLevelKeepsThePhase) {
  const SecretKey key(context, prng);
  const std::vector<std::int64_t> message = oracle::random_message(1024, GetParam()[0] - 8, prng);
  const Ciphertext x = oracle::encrypt(context, key, message, prng);
  const std::vector<double> noise = oracle::noise(key, x, message);
  for (std::size_t level = 1; level <= context->data(); ++level) {
    EXPECT_EQ(oracle::noise(key, drop_level(x, level), message), noise);
  }
}

// A message that the dropped primes divide keeps its value, with the noise of the model.
TEST_P(Levels, RescaledNoiseIsThatOfTheModel) {
  const SecretKey key(context, prng);
  const std::size_t top = context->data(), level = top - 1;
  const auto last = static_cast<std::int64_t>(context->modulus(level).value());
  std::vector<std::int64_t> message(1024), quotient(1024);
  for (std::size_t j = 0; j < 1024; ++j) {
    quotient[j] = static_cast<std::int64_t>(j % 7) - 3;
    message[j] = quotient[j] * last;
  }
  double squares = 0;
  constexpr int kTrials = 8;
  for (int trial = 0; trial < kTrials; ++trial) {
    const Ciphertext x = oracle::encrypt(context, key, message, prng);
    squares += oracle::mean_square(oracle::noise(key, rescale(x, level), quotient)) / kTrials;
  }
  EXPECT_NEAR(squares / rescaled_variance(context->parameters(), fresh_variance(), top, level), 1, 0.1);
}

TEST_P(Levels, WhatIsNotThereIsRefused) {
  const Ciphertext x(context, context->data() - 1);
  for (const std::size_t level : {std::size_t{0}, context->data()}) {
    EXPECT_THROW(rescale(x, level), Error);
    EXPECT_THROW(drop_level(x, level), Error);
  }
  EXPECT_THROW(Ciphertext(context, 0), Error);
  EXPECT_THROW(Ciphertext(context, context->data() + 1), Error);
  EXPECT_THROW(Ciphertext(context, 1, 3), Error);
  EXPECT_THROW(Plaintext(*context, 0), Error);
  Ciphertext y(context, context->data());
  EXPECT_THROW(add(y, x), Error);
}

// Narrow and wide primes, and both in one chain.
INSTANTIATE_TEST_SUITE_P(Chains, Levels,
                         testing::Values(std::vector<int>{30, 31}, std::vector<int>{36, 40, 44, 50},
                                         std::vector<int>{60, 60, 59, 58}, std::vector<int>{60, 36, 51, 28},
                                         std::vector<int>{40, 60}));

TEST(RlweEvaluate, SumsAndProductsWithPlaintextsAreThoseOfTheMessages) {
  Prng prng(oracle::seed(2));
  const ContextPtr context = oracle::context({.n = 1024, .data = {60, 50, 36}});
  const SecretKey key(context, prng);
  const auto m1 = oracle::random_message(1024, 20, prng), m2 = oracle::random_message(1024, 20, prng);
  Ciphertext x = oracle::encrypt(context, key, m1, prng, ErrorSource::none_for_tests);
  const Ciphertext y = oracle::encrypt(context, key, m2, prng, ErrorSource::none_for_tests);
  const Ciphertext before = x;
  add(x, y);
  std::vector<std::int64_t> sum(1024);
  for (std::size_t j = 0; j < 1024; ++j) sum[j] = m1[j] + m2[j];
  EXPECT_EQ(oracle::largest(oracle::noise(key, x, sum)), 0);
  subtract(x, y);
  EXPECT_EQ(x, before);
  // Nineteen times X^3 times x, at a lower level than the plaintext was made for.
  Plaintext monomial(*context, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    monomial.part(i)[3] = 1;
    context->tables(i).forward(monomial.part(i));
  }
  const Ciphertext low = drop_level(x, 2);
  Ciphertext total(context, 2), single(context, 2);
  multiply_plain_add(std::vector<const Ciphertext*>(19, &low), std::vector<const Plaintext*>(19, &monomial),
                     total);
  std::vector<std::int64_t> expected(1024);
  for (std::size_t j = 0; j < 1024; ++j) expected[(j + 3) % 1024] = 19 * (j + 3 < 1024 ? m1[j] : -m1[j]);
  EXPECT_EQ(oracle::largest(oracle::noise(key, total, expected)), 0);
  for (int t = 0; t < 19; ++t) multiply_plain_add(low, monomial, single);
  EXPECT_EQ(single, total);
}

TEST(RlweEvaluate, PublicKeyEncryptionsHaveTheNoiseOfTheModel) {
  Prng prng(oracle::seed(3));
  const ContextPtr context = oracle::context({.n = 4096, .data = {60, 40}});
  const SecretKey key(context, prng);
  const PublicKey public_key(key, prng);
  const std::vector<std::int64_t> message = oracle::random_message(4096, 30, prng);
  for (std::size_t level = 1; level <= 2; ++level) {
    Ciphertext x(context, level);
    add_encryption_of_zero(
        public_key, EncryptionRandomness(4096, prng),
        [&](std::size_t i, std::span<std::uint64_t> values) {
          const ring::Modulus& q = context->modulus(i);
          for (std::size_t j = 0; j < 4096; ++j) values[j] = q.add(values[j], oracle::residue(message[j], q));
        },
        x);
    EXPECT_NEAR(oracle::mean_square(oracle::noise(key, x, message)) / public_key_variance(4096), 1, 0.1);
  }
}

}  // namespace
}  // namespace ap::rlwe
