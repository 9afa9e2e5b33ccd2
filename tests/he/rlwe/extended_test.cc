#include "he/rlwe/extended.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "he/rlwe/evaluate.h"
#include "tests/he/rlwe/small_context.h"

namespace ap::rlwe {
namespace {

// Weights that are kept, all of them in every sum but one.
class Kept : public Weights {
 public:
  Kept(const Context& context, std::size_t sums, std::size_t terms, Prng& prng)
      : terms_(terms), n_(context.n()) {
    for (std::size_t k = 0; k < sums * terms; ++k) {
      const std::vector<std::int64_t> small = oracle::random_message(n_, 5, prng);
      auto& values = values_.emplace_back(context.key_words() + ring::kWeightPadding);
      for (std::size_t i = 0; i < context.data() + context.special(); ++i) {
        const auto part = std::span(values).subspan(i * n_, n_);
        for (std::size_t j = 0; j < n_; ++j) part[j] = oracle::residue(small[j], context.modulus(i));
        context.tables(i).forward(part);
      }
    }
  }
  bool has(std::size_t sum, std::size_t term) const override { return sum != 1 || term != 2; }
  const std::uint64_t* values(std::size_t sum, std::size_t term, std::size_t prime,
                              std::span<std::uint64_t> /*room*/) const override {
    return values_[sum * terms_ + term].data() + prime * n_;
  }

 private:
  std::size_t terms_, n_;
  std::vector<std::vector<std::uint64_t>> values_;
};

class ExtendedSums : public testing::TestWithParam<std::size_t> {
 protected:
  ExtendedSums() {
    message_ = oracle::random_message(context_->n(), 20, prng_);
    x_ = drop_level(oracle::encrypt(context_, key_, message_, prng_), GetParam());
  }
  static constexpr std::uint32_t kElements[] = {1, 5, 25, 2047};
  Prng prng_{oracle::seed(4)};
  ContextPtr context_ = oracle::context({1024, {50, 40, 40, 40, 45}, {50, 49}, 3});
  SecretKey key_{context_, prng_};
  GaloisKeys keys_{key_, kElements, prng_};
  std::vector<std::int64_t> message_;
  Ciphertext x_{context_, 1};
};

TEST_P(ExtendedSums, AutomorphismsDividedAreThoseOfOneDivisionEach) {
  const Decomposition digits = decompose(x_);
  for (const std::uint32_t element : kElements) {
    const Extended y = extended_automorphism(x_, digits, element, keys_);
    const Ciphertext expected = apply_automorphism(x_, digits, element, keys_);
    EXPECT_EQ(divide(y), expected) << element;
    if (GetParam() == 1) {
      EXPECT_THROW(divide_rescale(y), Error);
    } else {
      // One rounding instead of two.
      Ciphertext difference = divide_rescale(y);
      subtract(difference, rescale(expected, GetParam() - 1));
      const std::vector<double> noise =
          oracle::noise(key_, difference, std::vector<std::int64_t>(context_->n()));
      EXPECT_LE(oracle::mean_square(noise), 2.2 * rounding_variance(context_->n())) << element;
    }
  }
}

TEST_P(ExtendedSums, HoistedSumsAreProductsOfAutomorphisms) {
  constexpr std::size_t kSums = 3, kTerms = std::size(kElements);
  const Kept weights(*context_, kSums, kTerms, prng_);
  const std::vector<Extended> sums = hoisted_sums(x_, kElements, keys_, kSums, weights);
  ASSERT_EQ(sums.size(), kSums);
  const Decomposition digits = decompose(x_);
  std::vector<Extended> rotated;
  for (const std::uint32_t element : kElements) {
    rotated.push_back(extended_automorphism(x_, digits, element, keys_));
  }
  for (std::size_t s = 0; s < kSums; ++s) {
    for (std::size_t i = 0; i < sums[s].primes(); ++i) {
      const std::size_t prime = sums[s].context_prime(i);
      const ring::Modulus& q = context_->modulus(prime);
      for (std::size_t k = 0; k < 2; ++k) {
        std::vector<std::uint64_t> expected(context_->n());
        for (std::size_t t = 0; t < kTerms; ++t) {
          if (!weights.has(s, t)) continue;
          const std::uint64_t* const w = weights.values(s, t, prime, {});
          for (std::size_t j = 0; j < expected.size(); ++j) {
            expected[j] = q.add(expected[j], q.mul(w[j], rotated[t].part(k, i)[j]));
          }
        }
        EXPECT_TRUE(std::ranges::equal(expected, sums[s].part(k, i))) << s << " " << k << " " << i;
      }
    }
  }
}

// The c_1 that is divided and switched, and the c_0 that is not: a sum of automorphisms against one of ciphertexts.
TEST_P(ExtendedSums, AutomorphismsOfSumsAreThoseOfTheirCiphertexts) {
  const Decomposition digits = decompose(x_);
  const Extended first = extended_automorphism(x_, digits, 5, keys_);
  Extended sum = extend(x_);
  for (const std::uint32_t element : kElements) add_automorphism(first, element, keys_, sum);
  std::vector<std::int64_t> expected = message_;
  for (const std::uint32_t element : kElements) {
    const std::vector<std::int64_t> term = oracle::image(oracle::image(message_, 5), element);
    for (std::size_t j = 0; j < expected.size(); ++j) expected[j] += term[j];
  }
  // Five encryptions of one noise (fully correlated at worst), and the switches: one inside each of the four terms, three
  // outside with the rounding of c_1.
  const double fresh = 25 * fresh_variance();
  const double switches = 16 * key_switch_variance(context_->parameters(), GetParam()) +
                          3 * key_switch_variance(context_->parameters(), GetParam());
  const double measured = oracle::mean_square(oracle::noise(key_, divide(sum), expected));
  EXPECT_LE(measured, fresh + switches + rounding_variance(context_->n()));
  EXPECT_GE(measured, fresh_variance());
}

TEST_P(ExtendedSums, SumsAreAdded) {
  const Decomposition digits = decompose(x_);
  Extended sum = extended_automorphism(x_, digits, 25, keys_);
  add(extend(x_), sum);
  Ciphertext expected = apply_automorphism(x_, digits, 25, keys_);
  add(expected, x_);
  EXPECT_EQ(divide(sum), expected);
  Extended other(context_, GetParam() == 1 ? 2 : GetParam() - 1);
  EXPECT_THROW(add(other, sum), Error);
  EXPECT_THROW(add_automorphism(sum, 3, keys_, sum), Error) << "no such key";
}

INSTANTIATE_TEST_SUITE_P(Levels, ExtendedSums, testing::Values(1, 2, 4, 5));

TEST(Extended, NeedsSpecialPrimes) {
  const ContextPtr context = oracle::context({1024, {40, 40}});
  EXPECT_THROW(Extended(context, 1), Error);
}

}  // namespace
}  // namespace ap::rlwe
