#include "he/rlwe/galois.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/error.h"
#include "tests/he/rlwe/small_context.h"

namespace ap::rlwe {
namespace {

class RlweGalois : public testing::TestWithParam<oracle::Shape> {
 protected:
  void SetUp() override {
    if (GetParam().n > 16384 && !std::getenv("AP_SLOW")) GTEST_SKIP() << "set AP_SLOW=1 to run this";
  }
};

// The message moves by the definition of f(X^g), the noise stays below its bound, and a shared decomposition gives
// the same residues.
TEST_P(RlweGalois, MovesTheMessageAndHoistedIsTheSameBitByBit) {
  Prng prng(oracle::seed(1));
  const ContextPtr context = oracle::context(GetParam());
  const auto n = static_cast<std::uint32_t>(context->n());
  const SecretKey key(context, prng);
  const std::vector<std::uint32_t> elements{5, 3, 2 * n - 1, ring::element_power(5, 77, n), n + 1};
  const GaloisKeys keys(key, elements, prng);
  const std::vector<std::int64_t> message = oracle::random_message(n, 10, prng);
  const Ciphertext x = oracle::encrypt(context, key, message, prng, ErrorSource::none_for_tests);
  const Decomposition digits = decompose(x);
  const double bound = key_switch_bound(context->parameters(), x.level());
  for (const std::uint32_t element : elements) {
    const Ciphertext y = apply_automorphism(x, element, keys);
    const std::vector<double> noise = oracle::noise(key, y, oracle::image(message, element));
    EXPECT_LE(oracle::largest(noise), bound) << element;
    EXPECT_NEAR(oracle::mean_square(noise) / key_switch_variance(context->parameters(), x.level()), 1, 0.2);
    EXPECT_EQ(apply_automorphism(x, digits, element, keys), y) << element;
  }
  EXPECT_EQ(apply_automorphism(x, 1, keys), x);
  EXPECT_THROW(apply_automorphism(x, 7, keys), Error);
}

std::vector<int> times(int bits, std::size_t count) { return std::vector<int>(count, bits); }

INSTANTIATE_TEST_SUITE_P(Shapes, RlweGalois,
                         testing::Values(oracle::Shape{1024, times(40, 2), times(41, 1)},
                                         oracle::Shape{4096, times(60, 4), times(60, 2), 2},
                                         oracle::Shape{8192, times(45, 8), times(46, 4), 2},
                                         oracle::Shape{16384, {60, 36, 51, 44}, {60, 60}, 2},
                                         oracle::Shape{32768, times(45, 6), times(46, 3), 2},
                                         oracle::Shape{65536, times(46, 6), times(47, 3), 2},
                                         oracle::Shape{65536, times(60, 4), times(60, 2), 2}));

// Without keys the image is a ciphertext under the image of the secret; forms agree, and images compose.
TEST(Automorphisms, ImagesOfCiphertexts) {
  Prng prng(oracle::seed(2));
  const ContextPtr context = oracle::context({1024, {60, 36}});
  Ciphertext x(context, 2, 2, Form::coefficient);
  for (std::size_t k = 0; k <= 2; ++k) {
    for (std::size_t i = 0; i < 2; ++i) sample_uniform(prng, context->modulus(i).value(), x.part(k, i));
  }
  for (const std::uint32_t element : {1U, 3U, 5U, 1025U, 2047U}) {
    const Ciphertext image = automorphism_image(x, element);
    Ciphertext transformed = x;
    transformed.to(Form::ntt);
    transformed = automorphism_image(transformed, element);
    transformed.to(Form::coefficient);
    EXPECT_EQ(transformed, image) << element;
    EXPECT_EQ(automorphism_image(image, ring::inverse_element(element, 1024)), x) << element;
    EXPECT_EQ(automorphism_image(image, 5), automorphism_image(x, element * 5 % 2048)) << element;
  }
}

TEST(GaloisKeys, RoundTripAndNothingElseIsAccepted) {
  Prng prng(oracle::seed(3));
  const ContextPtr context = oracle::context({1024, {60, 60}, {60}});
  const SecretKey key(context, prng);
  const std::vector<std::uint32_t> elements{2047, 5, 5, 1};
  const GaloisKeys keys(key, elements, prng);
  EXPECT_EQ(keys.size(), 2U);
  const Bytes bytes = keys.serialise();
  EXPECT_EQ(bytes.size(), GaloisKeys::serialised_bytes(*context, elements));
  EXPECT_EQ(GaloisKeys(context, elements, bytes).serialise(), bytes);
  EXPECT_THROW(GaloisKeys(context, elements, ByteView(bytes).first(bytes.size() - 1)), Error);
  EXPECT_THROW(GaloisKeys(context, std::vector<std::uint32_t>{5}, bytes), Error);
  for (const std::uint32_t wrong : {0U, 2U, 2048U, 2049U}) {
    EXPECT_THROW(GaloisKeys(key, std::vector<std::uint32_t>{wrong}, prng), Error) << wrong;
    EXPECT_THROW(GaloisKeys::serialised_bytes(*context, std::vector<std::uint32_t>{wrong}), Error) << wrong;
  }
}

}  // namespace
}  // namespace ap::rlwe
