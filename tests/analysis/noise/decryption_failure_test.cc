#include "analysis/noise/decryption_failure.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "analysis/noise/inject.h"
#include "he/bfv/batch_scheme.h"

namespace ap::noise {
namespace {

TEST(Garbage, IsWhatOneWrongCoefficientDecodesTo) {
  const bfv::BatchParameters parameters{
      {2048, {}, bfv::batch_primes(40, 2048, 1), 0}, bfv::batch_primes(20, 2048, 1), false};
  bfv::BatchParameters plain = parameters;
  plain.data_primes = bfv::batch_primes(40, 2048, 1);
  plain.special_primes.clear();
  const auto context = bfv::make_batch_context(plain);
  for (const std::size_t j : {0, 1, 777, 2047}) {
    std::vector<std::uint64_t> coefficients(2048), slots(2048);
    coefficients[j] = 1;
    bfv::decode_slots(*context, coefficients, slots);
    EXPECT_EQ(monomial_slots(plain.p(), 2048, j), slots) << j;
  }
}

TEST(Garbage, CentresModuloAnOddNumber) {
  EXPECT_EQ(centred(5, 11), 5);
  EXPECT_EQ(centred(6, 11), -5);
  EXPECT_EQ(centred(-6, 11), 5);
  EXPECT_EQ(centred(-5, 11), -5);
  EXPECT_EQ(centred(22'000'000'000'006, 11), -5);
}

DecryptionFailures two_replies(double rate) {
  DecryptionFailures errors{1, 12289, 2048, rate, {}};
  for (std::uint32_t r = 0; r < 2; ++r) {
    std::vector<SlotRead>& reads = errors.replies.emplace_back();
    for (std::uint32_t i = 0; i < 2000; ++i) reads.push_back({i, r * 2000 + i});
  }
  return errors;
}

// Each reply fails as often as asked, alone, and then all of its outputs are off, spread over the whole
// range.
TEST(Garbage, SpoilsWholeRepliesAtTheGivenRate) {
  const DecryptionFailures errors = two_replies(0.2);
  int failed = 0, both = 0;
  double squares = 0, values_seen = 0;
  constexpr int kImages = 4000;
  for (std::uint64_t key = 1; key <= kImages; ++key) {
    std::vector<std::int32_t> values(4000, 100);
    const std::size_t count = inject_decryption_failures(errors, key * 0x12345677, values);
    std::size_t spoiled = 0;
    for (std::size_t r = 0; r < 2; ++r) {
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < 2000; ++i) {
        const std::int32_t v = values[r * 2000 + i];
        ASSERT_LE(std::abs(v), 6144);
        wrong += v != 100;
        if (v != 100) squares += static_cast<double>(v) * v, ++values_seen;
      }
      // X^0 is 1 in every slot; no coefficient leaves a slot right.
      EXPECT_TRUE(wrong == 0 || wrong == 2000) << wrong;
      spoiled += wrong > 0;
    }
    EXPECT_EQ(spoiled, count);
    failed += static_cast<int>(count);
    both += count == 2;
  }
  EXPECT_NEAR(failed / (2.0 * kImages), 0.2, 5 * std::sqrt(0.16 / (2 * kImages)));
  EXPECT_NEAR(both / static_cast<double>(kImages), 0.04, 5 * std::sqrt(0.04 / kImages));
  // Uniform modulo p: standard deviation p / sqrt(12).
  EXPECT_NEAR(std::sqrt(squares / values_seen) / (12289 / std::sqrt(12.0)), 1, 0.05);
}

TEST(Garbage, NeverHappensAtRateZeroAndIsReproducible) {
  std::vector<std::int32_t> a(4000, 7), b(4000, 7);
  EXPECT_EQ(inject_decryption_failures(two_replies(0), 5, a), 0U);
  EXPECT_EQ(a, b);
  EXPECT_EQ(inject_decryption_failures(two_replies(1), 5, a), 2U);
  EXPECT_EQ(inject_decryption_failures(two_replies(1), 5, b), 2U);
  EXPECT_EQ(a, b);
}

// Modulo a prime the input of an activation wraps where the circuit wraps it, and nothing is lost otherwise.
TEST(Garbage, ActivationsWrapModuloThePrime) {
  nn::QuantisedNetwork net;
  nn::QLinear linear;
  linear.in_shape = {1, 1, 3};
  linear.weights = {1};
  linear.bias = {0};
  nn::QActivation activation;
  activation.shift = 4;
  net.nodes.resize(3);
  net.nodes[0].op = nn::QInput{};
  net.nodes[1].op = linear;
  net.nodes[1].inputs = {0};
  net.nodes[2].op = activation;
  net.nodes[2].inputs = {1};
  for (nn::QNode& node : net.nodes) node.shape = {1, 1, 3};
  ErrorModel model;
  model.truncations = {{2, 10, 4, 0, 8, 0, 12289}};
  model.logits = 2;
  model.logit_bits = 14;
  model.logit_prime = 12289;
  const nn::IntegerExecutor executor(net);
  Injection injection(model, 1, 1);
  // 6144 + 8 wraps to below zero.
  const std::vector<std::int32_t> image = {100, 6136, 6144};
  const auto values = executor.run(image, injection.hooks());
  EXPECT_EQ(values[2], (std::vector<std::int32_t>{6, 255, 0}));
  EXPECT_EQ(injection.wraps(), 1U);
}

}  // namespace
}  // namespace ap::noise
