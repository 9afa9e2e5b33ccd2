#include <gtest/gtest.h>

#include <algorithm>
#include <numbers>

#include "he/bfv/context_tables.h"
#include "he/bfv/scheme.h"
#include "tests/he/bfv/oracle.h"

namespace ap::bfv {
namespace {

struct Shape {
  std::uint32_t n;
  std::vector<int> bits;
  int log2_p;
  int bound;  // of the weights
  int terms;
};
const std::vector<Shape> kShapes{{1024, {26}, 8, 1, 3},          {2048, {40}, 17, 1, 4},
                                 {2048, {53}, 21, 127, 6},       {4096, {50, 50}, 37, 127, 5},
                                 {4096, {45}, 20, 3, 2},         {8192, {60, 59}, 60, 127, 2},
                                 {8192, {40, 40, 38}, 50, 7, 2}, {2048, {20, 21}, 14, 1, 2}};

// The phase is q y / p + e: round(z) + round(y - z + e p / q) misses y by one with probability |e| p / q.
TEST(Reply, SharesSumToTheProduct) {
  const double sigma2 = kErrorSigma * kErrorSigma;
  Prng prng(oracle::seed(1));
  for (const Shape& shape : kShapes) {
    const ContextPtr context = oracle::context(shape.n, shape.bits);
    for (const ErrorSource errors : {ErrorSource::centred_binomial, ErrorSource::none_for_tests}) {
      const ReplyFormat format{oracle::all_positions(shape.n), 0, 0};
      const auto result =
          oracle::exchange(context, shape.log2_p, shape.bound, shape.terms, format, prng, errors);
      EXPECT_EQ(result.bytes, reply_bytes(*context, format));
      const double variance = errors == ErrorSource::none_for_tests
                                  ? result.norm2 / 12
                                  : (sigma2 + 1.0 / 12) * result.norm2 + sigma2 * (1 + 4.0 * shape.n / 3);
      const double error_std = std::sqrt(variance) * std::exp2(shape.log2_p - parameters(*context).log2_q());
      ASSERT_LT(error_std, 0.2);
      double wrong = 0;
      for (const std::int64_t d : result.deviation) {
        ASSERT_LE(std::abs(d), 1) << "n " << shape.n << " p 2^" << shape.log2_p;
        wrong += d != 0;
      }
      const double expected = std::sqrt(2 / std::numbers::pi) * error_std * shape.n;
      EXPECT_NEAR(wrong, expected, 5 * std::sqrt(expected) + 1) << "n " << shape.n << " p 2^" << shape.log2_p;
    }
  }
}

TEST(Reply, CarriesOnlyTheWantedPositions) {
  Prng prng(oracle::seed(2));
  const ContextPtr context = oracle::context(2048, {50});
  for (const std::vector<std::uint32_t>& positions :
       std::vector<std::vector<std::uint32_t>>{{}, {0}, {2047}, {3, 17, 1024, 2046}}) {
    const ReplyFormat format{positions, 7, 3};
    const auto result = oracle::exchange(context, 20, 15, 2, format, prng);
    EXPECT_EQ(result.bytes, (positions.size() * 43 + 7) / 8 + 2048 * 47 / 8);
    for (const std::int64_t d : result.deviation) EXPECT_LE(std::abs(d), 1);
  }
}

double variance(const std::vector<std::int64_t>& values) {
  double sum = 0;
  for (const auto v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  return sum / static_cast<double>(values.size());
}

// Large p makes the noise visible in the shares: V (p/q)^2, and 1/6 of the two roundings.
TEST(Reply, NoiseHasTheModelsVariance) {
  struct Case {
    std::uint32_t n;
    std::vector<int> bits;
    int log2_p, bound, c0_dropped_bits, c1_dropped_bits;
  };
  const double sigma2 = kErrorSigma * kErrorSigma;
  Prng prng(oracle::seed(3));
  for (const Case& c : std::vector<Case>{{1024, {26}, 22, 1, 0, 0},
                                         {2048, {50}, 45, 1, 0, 0},
                                         {2048, {50}, 45, 1, 10, 0},
                                         {2048, {50}, 45, 1, 0, 5},
                                         {4096, {36, 30}, 60, 5, 12, 6},
                                         {4096, {45}, 36, 7, 14, 8}}) {
    const ContextPtr context = oracle::context(c.n, c.bits);
    const ReplyFormat format{oracle::all_positions(c.n), c.c0_dropped_bits, c.c1_dropped_bits};
    double measured = 0, expected = 0;
    const int runs = 20;
    for (int run = 0; run < runs; ++run) {
      const auto result = oracle::exchange(context, c.log2_p, c.bound, 1, format, prng);
      measured += variance(result.deviation) / runs;
      double v = (sigma2 + 1.0 / 12) * result.norm2 + sigma2 * (1 + 4.0 * c.n / 3);
      if (c.c0_dropped_bits) v += std::ldexp(1.0, 2 * c.c0_dropped_bits) / 12;
      if (c.c1_dropped_bits) v += std::ldexp(1.0, 2 * c.c1_dropped_bits) / 12 * (2.0 * c.n / 3);
      const double ratio = std::exp2(c.log2_p - parameters(*context).log2_q());
      expected += (ratio * ratio * v + 1.0 / 6) / runs;
    }
    EXPECT_NEAR(measured, expected, 0.05 * expected)
        << c.n << " drops " << c.c0_dropped_bits << " " << c.c1_dropped_bits;
  }
}

// With drops near the size of q the values that round up to q itself are common; none may be lost.
TEST(Reply, LargeDropsWrapAroundQ) {
  Prng prng(oracle::seed(4));
  const ContextPtr context = oracle::context(1024, {26});
  for (int run = 0; run < 10; ++run) {
    const ReplyFormat format{oracle::all_positions(1024), 20, 0};
    const auto result = oracle::exchange(context, 4, 1, 1, format, prng);
    for (const std::int64_t d : result.deviation) ASSERT_LE(std::abs(d), 1);
  }
}

TEST(Reply, SharesAloneAreUniform) {
  Prng prng(oracle::seed(5));
  const ContextPtr context = oracle::context(1024, {30});
  const rlwe::SecretKey key(context, prng);
  const rlwe::PublicKey public_key(key, prng);
  const std::vector<std::uint64_t> message(1024, 5);
  const rlwe::Ciphertext x = rlwe::load_seeded(context, encrypt_seeded(*context, key, message, 4, prng));
  const rlwe::Plaintext one = small_plaintext(*context, std::vector<std::int32_t>{1});
  const ReplyFormat format{oracle::all_positions(1024), 0, 0};
  std::array<double, 16> server_counts{}, client_counts{};
  for (int run = 0; run < 20; ++run) {
    rlwe::Ciphertext sum(context, context->data());
    rlwe::multiply_plain_add(x, one, sum);
    std::vector<std::uint64_t> server(1024), client(1024);
    const Bytes reply = reshare(*context, public_key, std::move(sum), 4, format, 0, prng, server);
    decrypt_reply(*context, key, reply, 4, format, client);
    for (const std::uint64_t s : server) server_counts.at(s) += 1;
    for (const std::uint64_t c : client) client_counts.at(c) += 1;
  }
  for (int i = 0; i < 16; ++i) {
    EXPECT_NEAR(server_counts[i], 1280, 5 * std::sqrt(1280));
    EXPECT_NEAR(client_counts[i], 1280, 5 * std::sqrt(1280));
  }
}

TEST(Reply, MalformedRepliesAreRefused) {
  Prng prng(oracle::seed(6));
  for (const std::vector<int>& bits : std::vector<std::vector<int>>{{26}, {50, 50}}) {
    const ContextPtr context = oracle::context(1024, bits);
    const rlwe::SecretKey key(context, prng);
    const rlwe::PublicKey public_key(key, prng);
    const ReplyFormat format{{1, 5, 900}, 4, 2};
    std::vector<std::uint64_t> server(3), client(3);
    const Bytes good =
        reshare(*context, public_key, rlwe::Ciphertext(context, context->data()), 8, format, 0, prng, server);
    const auto refused = [&](const Bytes& bytes) {
      try {
        decrypt_reply(*context, key, bytes, 8, format, client);
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
    // All ones in the high parts: above (q - 1) >> drop.
    Bytes large = good;
    std::fill(large.begin(), large.begin() + 40, 0xff);
    EXPECT_TRUE(refused(large));
    large = good;
    std::fill(large.begin() + static_cast<std::ptrdiff_t>(large.size() / 2 - 100), large.end(), 0xff);
    EXPECT_TRUE(refused(large));
  }
}

TEST(Reply, ImpossibleFormatsAreRefused) {
  const ContextPtr context = oracle::context(1024, {26});
  EXPECT_THROW(reply_bytes(*context, {{1024}, 0, 0}), Error);
  EXPECT_THROW(reply_bytes(*context, {{5, 5}, 0, 0}), Error);
  EXPECT_THROW(reply_bytes(*context, {{6, 5}, 0, 0}), Error);
  EXPECT_THROW(reply_bytes(*context, {{5}, 26, 0}), Error);
  EXPECT_THROW(reply_bytes(*context, {{5}, 0, -1}), Error);
}

// A change of these numbers is a change of the wire format.
TEST(Reply, WireTraceIsFrozen) {
  Prng prng(oracle::seed(7));
  const std::vector<std::vector<int>> shapes{{26}, {50, 60}};
  const std::vector<std::array<std::uint64_t, 3>> frozen{
      {8835734368709704577ULL, 18401091415670503373ULL, 2661115483670226593ULL},
      {1887748617936084748ULL, 3350969696268686346ULL, 9781795848835051985ULL}};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const ContextPtr context = oracle::context(1024, shapes[i]);
    const rlwe::SecretKey key(context, prng);
    const rlwe::PublicKey public_key(key, prng);
    const Bytes upload = encrypt_seeded(*context, key, oracle::random_message(1024, 8, prng), 8, prng);
    rlwe::Ciphertext sum(context, context->data());
    rlwe::multiply_plain_add(rlwe::load_seeded(context, upload),
                             small_plaintext(*context, oracle::random_weights(1024, 7, prng)), sum);
    std::vector<std::uint64_t> server(4);
    const Bytes reply =
        reshare(*context, public_key, std::move(sum), 8, {{0, 10, 100, 1000}, 3, 2}, 0, prng, server);
    EXPECT_EQ(oracle::hash(public_key.serialise()), frozen[i][0]);
    EXPECT_EQ(oracle::hash(upload), frozen[i][1]);
    EXPECT_EQ(oracle::hash(reply), frozen[i][2]);
  }
}

}  // namespace
}  // namespace ap::bfv
