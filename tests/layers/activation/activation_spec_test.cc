#include "layers/activation/activation_spec.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "tests/layers/activation/activation_reference.h"

namespace ap::activation {
namespace {

TEST(ActivationSpec, CostsOfTheUsualRelu) {
  const ActivationSpec spec = plain_spec(1024, 13, 8, 18);
  EXPECT_EQ(and_gates(spec), 1024u * 7);
  // 15 blocks, a row of 18, 17 .. 11 bits each, 64 rows of 19 bits.
  EXPECT_EQ(table_bytes(spec), 1024u * 15 * 16 + 1024u * (116 + 64 * 19) / 8);
  EXPECT_EQ(label_bytes(spec), 1024u * 13 * 16);
  EXPECT_EQ(choice_bytes(spec), 1024u * 13 / 8);
  EXPECT_EQ(column_bytes(spec), 512 + 1024u * 13 * 4);
}

TEST(ActivationSpec, FieldsOutOfRangeAreRefused) {
  ActivationSpec pooled = plain_spec(4, 13, 8, 18);
  pooled.outputs = 2;
  pooled.pool_size = 2;
  pooled.windows = {0, 1, 2, 3};
  EXPECT_NO_THROW(pooled.validate());
  EXPECT_NO_THROW(plain_spec(1, 2, 1, 1).validate());
  EXPECT_NO_THROW(plain_spec(1, 40, 16, 40, 8).validate());
  const std::vector<std::function<void(ActivationSpec&)>> breaks = {
      [](auto& s) { s.inputs = 0; },        [](auto& s) { s.inputs = kMaxActivationInputs + 1; },
      [](auto& s) { s.outputs = 3; },       [](auto& s) { s.sum_bits = 1; },
      [](auto& s) { s.sum_bits = 41; },     [](auto& s) { s.guard_bits = -1; },
      [](auto& s) { s.guard_bits = 17; },   [](auto& s) { s.clamp_bits = 0; },
      [](auto& s) { s.clamp_bits = 17; },   [](auto& s) { s.out_bits = 7; },
      [](auto& s) { s.out_bits = 41; },     [](auto& s) { s.pool_size = 1; },
      [](auto& s) { s.pool_size = 65; },    [](auto& s) { s.windows[3] = 4; },
      [](auto& s) { s.windows.pop_back(); }};
  for (std::size_t i = 0; i < breaks.size(); ++i) {
    ActivationSpec broken = pooled;
    breaks[i](broken);
    try {
      broken.validate();
      ADD_FAILURE() << "case " << i << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input) << i;
    }
  }
}

TEST(ActivationSpec, CostsOfPrimes) {
  constexpr std::uint64_t kPrime = 4079617;  // 22 bits, 249 * 2^14 + 1
  // n = 22 - 8 = 14, m = 8: 42 ANDs and 22 - 14 halves of the sum, 5 ANDs of the range test.
  const ActivationSpec both = with_primes(plain_spec(1024, 0, 8, 0, 8), kPrime, kPrime);
  EXPECT_NO_THROW(both.validate());
  EXPECT_EQ(and_gates(both), 1024u * 47);
  EXPECT_EQ(table_bytes(both), 1024u * 102 * 16 + 1024u * (8 * 3 + 4) * 22 / 8);
  EXPECT_EQ(label_bytes(both), 1024u * 22 * 16);
  EXPECT_EQ(choice_bytes(both), 1024u * 22 / 8);
  EXPECT_EQ(column_bytes(both), 512 + 1024u * 22 * 4);
  // Into a ring the rows get narrower by the shift of their bit: 18 + 17 + .. + 11 = 116.
  const ActivationSpec in = with_primes(plain_spec(1024, 0, 8, 18, 8), kPrime, 0);
  EXPECT_EQ(and_gates(in), 1024u * 47);
  EXPECT_EQ(table_bytes(in), 1024u * 102 * 16 + 1024u * (3 * 116 + 4 * 18) / 8);
  // From a ring: 11 carries and a half, 4 ANDs of the range test.
  const ActivationSpec out = with_primes(plain_spec(1024, 13, 8, 0), 0, kPrime);
  EXPECT_EQ(and_gates(out), 1024u * 15);
  EXPECT_EQ(table_bytes(out), 1024u * 31 * 16 + 1024u * (8 * 3 + 4) * 22 / 8);
  EXPECT_EQ(label_bytes(out), 1024u * 13 * 16);
  // Pooling 2 x 2: three maxima of 14 bits a window.
  ActivationSpec pooled = both;
  pooled.outputs = 256;
  pooled.pool_size = 4;
  for (std::uint32_t i = 0; i < 1024; ++i) pooled.windows.push_back(i);
  EXPECT_EQ(and_gates(pooled), 1024u * 42 + 256u * (3 * 28 + 5));
  EXPECT_EQ(table_bytes(pooled), 1024u * 92 * 16 + 256u * (3 * 28 + 5) * 32 + 256u * (8 * 3 + 4) * 22 / 8);
}

TEST(ActivationSpec, PrimesOutOfRangeAreRefused) {
  const ActivationSpec good = with_primes(plain_spec(2, 0, 8, 0, 11), 7681, 12289);
  EXPECT_NO_THROW(good.validate());
  EXPECT_NO_THROW(with_primes(plain_spec(1, 0, 16, 16, 24), 1099511627689, 0).validate());
  EXPECT_NO_THROW(with_primes(plain_spec(1, 40, 12, 0, 16), 0, 7681).validate());
  const std::vector<std::function<void(ActivationSpec&)>> breaks = {
      [](auto& s) { s.in_prime = 7680; },
      [](auto& s) { s.out_prime = 12288; },
      [](auto& s) { s = with_primes(s, 4093, 12289); },
      [](auto& s) { s = with_primes(s, 7681, 4093); },
      [](auto& s) { s = with_primes(s, (1ULL << 40) + 1, 12289); },
      [](auto& s) { s = with_primes(s, 7681, (1ULL << 40) + 1); },
      [](auto& s) { s.in_prime = ~0ULL; },
      [](auto& s) { s.out_prime = ~0ULL; },
      [](auto& s) { s.sum_bits = 3; },
      [](auto& s) { s.out_bits = 15; },
      [](auto& s) { s.out_bits = 13; },
      [](auto& s) { s.in_prime = 12289; },
      [](auto& s) { s.clamp_bits = 14; },
      [](auto& s) {
        s.guard_bits = 25;
        s = with_primes(s, 1099511627689, 12289);
      },
      [](auto& s) {
        s.guard_bits = 12;
        s = with_primes(s, 7681, 12289);
      },
      [](auto& s) {  // wide shifts are of primes only
        s = plain_spec(2, 10, 8, 14, 17);
        s.out_prime = 12289;
      }};
  for (std::size_t i = 0; i < breaks.size(); ++i) {
    ActivationSpec broken = good;
    breaks[i](broken);
    try {
      broken.validate();
      ADD_FAILURE() << "case " << i << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input) << i;
    }
  }
}

}  // namespace
}  // namespace ap::activation
