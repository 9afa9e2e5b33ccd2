#include <gtest/gtest.h>

#include <algorithm>

#include "he/bfv/context_tables.h"
#include "he/bfv/phase.h"
#include "he/bfv/scheme.h"
#include "tests/he/bfv/oracle.h"

namespace ap::bfv {
namespace {

struct Shape {
  std::uint32_t n;
  std::vector<int> bits;
  int log2_p;
};
const std::vector<Shape> kShapes{
    {1024, {26}, 8}, {2048, {53}, 20}, {4096, {50, 50}, 37}, {8192, {40, 40, 38}, 60}};

TEST(Encrypt, WithoutErrorsOnlyRoundingIsLeft) {
  Prng prng(oracle::seed(1));
  for (const Shape& shape : kShapes) {
    const ContextPtr context = oracle::context(shape.n, shape.bits);
    const rlwe::SecretKey key(context, prng);
    const auto message = oracle::random_message(shape.n, shape.log2_p, prng);
    const Bytes bytes =
        encrypt_seeded(*context, key, message, shape.log2_p, prng, ErrorSource::none_for_tests);
    ASSERT_EQ(bytes.size(), rlwe::seeded_bytes(*context));
    const rlwe::Ciphertext x = rlwe::load_seeded(context, bytes);
    double square = 0;
    for (const double e : phase_error(*context, key, x, message, shape.log2_p)) {
      ASSERT_LE(std::abs(e), 0.5);
      square += e * e;
    }
    EXPECT_NEAR(square / shape.n, 1.0 / 12, 0.01);
  }
}

TEST(Encrypt, NoiseIsTheErrorDistribution) {
  Prng prng(oracle::seed(2));
  for (const Shape& shape : kShapes) {
    const ContextPtr context = oracle::context(shape.n, shape.bits);
    const rlwe::SecretKey key(context, prng);
    double square = 0, count = 0;
    while (count < 60000) {
      const auto message = oracle::random_message(shape.n, shape.log2_p, prng);
      const rlwe::Ciphertext x =
          rlwe::load_seeded(context, encrypt_seeded(*context, key, message, shape.log2_p, prng));
      for (const double e : phase_error(*context, key, x, message, shape.log2_p)) {
        ASSERT_LE(std::abs(e), 21.5);
        square += e * e;
        count += 1;
      }
    }
    const double expected = kErrorSigma * kErrorSigma + 1.0 / 12;
    EXPECT_NEAR(square / count, expected, 0.05 * expected);
  }
}

TEST(Encrypt, AccumulatedNoiseHasTheModelsVariance) {
  Prng prng(oracle::seed(3));
  for (const Shape& shape : {kShapes[0], kShapes[1], kShapes[2]}) {
    const ContextPtr context = oracle::context(shape.n, shape.bits);
    const rlwe::SecretKey key(context, prng);
    std::vector<rlwe::Plaintext> prepared;
    std::vector<std::vector<std::int32_t>> weights;
    double norm2 = 0;
    for (int t = 0; t < 3; ++t) {
      weights.push_back(oracle::random_weights(shape.n, 3, prng));
      prepared.push_back(small_plaintext(*context, weights.back()));
      norm2 += oracle::norm2(weights.back());
    }
    double square = 0, count = 0;
    while (count < 40000) {
      rlwe::Ciphertext sum(context, context->data());
      std::vector<std::uint64_t> truth(shape.n);
      for (std::size_t t = 0; t < weights.size(); ++t) {
        const auto message = oracle::random_message(shape.n, shape.log2_p, prng);
        rlwe::multiply_plain_add(
            rlwe::load_seeded(context, encrypt_seeded(*context, key, message, shape.log2_p, prng)),
            prepared[t], sum);
        oracle::add_product(message, weights[t], truth);
      }
      for (const double e : phase_error(*context, key, sum, truth, shape.log2_p)) square += e * e;
      count += shape.n;
    }
    const double expected = (kErrorSigma * kErrorSigma + 1.0 / 12) * norm2;
    EXPECT_NEAR(square / count, expected, 0.05 * expected) << shape.n;
  }
}

TEST(Encrypt, SimdProductsEqualSingleOnes) {
  Prng prng(oracle::seed(4));
  const ContextPtr context = oracle::context(1024, {50, 60});
  const rlwe::SecretKey key(context, prng);
  std::vector<rlwe::Ciphertext> x;
  std::vector<rlwe::Plaintext> w;
  for (int t = 0; t < 19; ++t) {
    x.push_back(rlwe::load_seeded(
        context, encrypt_seeded(*context, key, oracle::random_message(1024, 30, prng), 30, prng)));
    w.push_back(small_plaintext(*context, oracle::random_weights(1024, (1 << 30) - 1, prng)));
  }
  rlwe::Ciphertext one_by_one(context, context->data()), together(context, context->data());
  std::vector<const rlwe::Ciphertext*> xs;
  std::vector<const rlwe::Plaintext*> ws;
  for (std::size_t t = 0; t < x.size(); ++t) {
    rlwe::multiply_plain_add(x[t], w[t], one_by_one);
    xs.push_back(&x[t]);
    ws.push_back(&w[t]);
  }
  rlwe::multiply_plain_add(xs, ws, together);
  EXPECT_EQ(one_by_one, together);
}

TEST(Encrypt, MalformedCiphertextsAreRefused) {
  Prng prng(oracle::seed(5));
  const ContextPtr context = oracle::context(1024, {26, 30});
  const rlwe::SecretKey key(context, prng);
  const Bytes good = encrypt_seeded(*context, key, oracle::random_message(1024, 8, prng), 8, prng);
  const auto refused = [&](const Bytes& bytes) {
    try {
      rlwe::load_seeded(context, bytes);
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
  for (const std::size_t at : {std::size_t{32}, good.size() - 4}) {
    Bytes large = good;
    std::fill_n(large.begin() + static_cast<std::ptrdiff_t>(at), 4, 0xff);
    EXPECT_TRUE(refused(large)) << at;
  }
}

TEST(Encrypt, SizesDependOnParametersOnly) {
  Prng prng(oracle::seed(6));
  const ContextPtr context = oracle::context(1024, {26});
  const rlwe::SecretKey key(context, prng);
  EXPECT_EQ(rlwe::seeded_bytes(*context), 32u + 1024 * 26 / 8);
  for (const std::uint64_t m : {0ULL, 255ULL, ~0ULL}) {
    EXPECT_EQ(encrypt_seeded(*context, key, std::vector<std::uint64_t>(1024, m), 8, prng).size(),
              rlwe::seeded_bytes(*context));
  }
}

TEST(Encrypt, FreshSeedAndErrorsEveryTime) {
  Prng prng(oracle::seed(7));
  const ContextPtr context = oracle::context(1024, {26});
  const rlwe::SecretKey key(context, prng);
  const std::vector<std::uint64_t> message(1024);
  const Bytes first = encrypt_seeded(*context, key, message, 8, prng);
  const Bytes second = encrypt_seeded(*context, key, message, 8, prng);
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + 32, second.begin()));
}

}  // namespace
}  // namespace ap::bfv
