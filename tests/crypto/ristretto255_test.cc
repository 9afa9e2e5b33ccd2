#include "crypto/ristretto255.h"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/plain/field25519.h"
#include "crypto/plain/ristretto255.h"
#include "tests/crypto/hex.h"

namespace ap::crypto {
namespace {

using plain::Element;
using plain::Field25519;
using plain::Scalar;
using plain::WideScalar;

Scalar scalar_of(std::uint8_t low) { return {low}; }
WideScalar wide_of(std::uint64_t seed) { return array_from_hex<64>(hex(some_bytes(64, seed))); }
Element element_of(std::uint64_t seed) {
  Element out{};
  EXPECT_TRUE(plain::multiply_base(plain::reduce_scalar(wide_of(seed)), out));
  return out;
}

/// RFC 9496, A.1: the generator times 0 to 15.
constexpr const char* kMultiples[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
    "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
    "94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
    "da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57",
    "e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e",
    "f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403",
    "44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d",
    "903293d8f2287ebe10e2374dc1a53e0bc887e592699f02d077d5263cdd55601c",
    "02622ace8f7303a31cafc63f8fc48fdc16e1c8c8d234b2f0d6685282a9076031",
    "20706fd788b2720a1ed2a5dad4952b01f413bcf0e7564de8cdc816689e2db95f",
    "bce83f8ba5dd2fa572864c24ba1810f9522bc6004afe95877ac73241cafdab42",
    "e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff84460",
    "aa52e000df2e16f55fb1032fc33bc42742dad6bd5a8fc0be0167436c5948501f",
    "46376b80f409b29dc2b5f6f0c52591990896e5716f41477cd30085ab7f10301e",
    "e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e",
};

/// A.2: what is no encoding.
constexpr const char* kInvalid[] = {
    // Not below 2^255 - 19.
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    // Negative.
    "0100000000000000000000000000000000000000000000000000000000000000",
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
    "c34c4e1826e5d403b78e246e88aa051c36ccf0aafebffe137d148a2bf9104562",
    "c940e5a4404157cfb1628b108db051a8d439e1a421394ec4ebccb9ec92a8ac78",
    "47cfc5497c53dc8e61c91d17fd626ffb1c49e2bca94eed052281b510b1117a24",
    "f1c6165d33367351b0da8f6e4511010c68174a03b6581212c71c0e1d026c3c72",
    "87260f7a2f12495118360f02c26a470f450dadf34a413d21042b43b9d93e1309",
    // x^2 is no square.
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f",
    "de6a7b00deadc788eb6b6c8d20c0ae96c2f2019078fa604fee5b87d6e989ad87",
    "bcab477be20861e01e4a0e295284146a510150d9817763caf1a6f4b422d67042",
    "2a292df7e32cababbd9de088d1d1abec9fc0440f637ed2fba145094dc14bea08",
    "f4a9e534fc0d216c44b218fa0c42d99635a0127ee2e53c712f70609649fdff22",
    "8268436f8c4126196cf64b3c7ddbda90746a378625f9813dd9b8457077256731",
    "2810e5cbc2cc4d4eece54f61c6f69758e289aa7ab440b3cbeaa21995c2f4232b",
    // x y is negative.
    "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
    "a45fdc55c76448c049a1ab33f17023edfb2be3581e9c7aade8a6125215e04220",
    "d483fe813c6ba647ebbfd3ec41adca1c6130c2beeee9d9bf065c8d151c5f396e",
    "8a2e1d30050198c65a54483123960ccc38aef6848e1ec8f5f780e8523769ba32",
    "32888462f8b486c68ad7dd9610be5192bbeaf3b443951ac1a8118419d9fa097b",
    "227142501b9d4355ccba290404bde41575b037693cef1f438c47f8fbf35d1165",
    "5c37cc491da847cfeb9281d407efc41e15144c876e0170b499a96a22ed31e01e",
    "445425117cb8c90edcbc7c1cc0e74f747f2c1efa5630a967c64f287792a48a4b",
    // s = -1, where y is zero.
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(PlainRistretto255, MultiplesOfTheGenerator) {
  const auto generator = array_from_hex<32>(kMultiples[1]);
  Element out{}, sum{};
  EXPECT_FALSE(plain::multiply_base(scalar_of(0), out));
  EXPECT_EQ(hex(out), kMultiples[0]);
  EXPECT_FALSE(plain::multiply(scalar_of(0), generator, out));
  for (std::uint8_t i = 1; i < 16; ++i) {
    EXPECT_TRUE(plain::multiply_base(scalar_of(i), out));
    EXPECT_EQ(hex(out), kMultiples[i]);
    EXPECT_TRUE(plain::multiply(scalar_of(i), generator, out));
    EXPECT_EQ(hex(out), kMultiples[i]);
    EXPECT_TRUE(plain::add(sum, generator, sum));
    EXPECT_EQ(hex(sum), kMultiples[i]);
  }
  for (std::uint8_t i = 16; i-- > 0;) {
    EXPECT_EQ(hex(sum), kMultiples[i]);
    EXPECT_TRUE(plain::subtract(sum, generator, sum));
  }
}

TEST(PlainRistretto255, InvalidEncodingsAreRefused) {
  const auto generator = array_from_hex<32>(kMultiples[1]);
  Element out{};
  for (const char* text : kInvalid) {
    const auto invalid = array_from_hex<32>(text);
    EXPECT_FALSE(plain::multiply(scalar_of(1), invalid, out)) << text;
    EXPECT_FALSE(plain::add(invalid, generator, out)) << text;
    EXPECT_FALSE(plain::add(generator, invalid, out)) << text;
    EXPECT_FALSE(plain::subtract(invalid, generator, out)) << text;
    EXPECT_FALSE(plain::subtract(generator, invalid, out)) << text;
    EXPECT_FALSE(ristretto255::multiply(scalar_of(1), invalid, out)) << text;
  }
}

TEST(PlainRistretto255, OrderOfTheGroup) {
  // l, l - 1 and 2^255 - 1; the highest bit of a scalar is left out.
  const auto order = array_from_hex<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  Scalar before = order;
  --before[0];
  Element out{}, sum{};
  EXPECT_FALSE(plain::multiply_base(order, out));
  EXPECT_TRUE(plain::multiply_base(before, out));
  EXPECT_TRUE(plain::add(out, array_from_hex<32>(kMultiples[1]), sum));
  EXPECT_EQ(hex(sum), kMultiples[0]);
  Scalar high = scalar_of(3);
  high[31] = 0x80;
  EXPECT_TRUE(plain::multiply_base(high, out));
  EXPECT_EQ(hex(out), kMultiples[3]);

  WideScalar wide{};
  std::copy(order.begin(), order.end(), wide.begin());
  EXPECT_EQ(plain::reduce_scalar(wide), scalar_of(0));
  wide[0] += 5;
  EXPECT_EQ(plain::reduce_scalar(wide), scalar_of(5));
}

TEST(PlainRistretto255, DoesWhatTheLibraryDoes) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    WideScalar wide = wide_of(seed);
    if (seed == 0) wide.fill(0xff);
    if (seed == 1) wide.fill(0);
    const Scalar scalar = plain::reduce_scalar(wide);
    EXPECT_EQ(scalar, ristretto255::reduce_scalar(wide));
    const Element p = element_of(1000 + seed), q = element_of(2000 + seed);
    Element mine{}, theirs{};
    EXPECT_EQ(plain::multiply_base(scalar, mine), ristretto255::multiply_base(scalar, theirs));
    EXPECT_EQ(mine, theirs);
    if (seed == 1) continue;  // of the identity libsodium writes nothing
    EXPECT_TRUE(plain::multiply(scalar, p, mine) && ristretto255::multiply(scalar, p, theirs));
    EXPECT_EQ(mine, theirs);
    EXPECT_TRUE(plain::add(p, q, mine) && ristretto255::add(p, q, theirs));
    EXPECT_EQ(mine, theirs);
    EXPECT_TRUE(plain::subtract(p, q, mine) && ristretto255::subtract(p, q, theirs));
    EXPECT_EQ(mine, theirs);
  }
}

TEST(PlainField25519, EdgesOfTheRange) {
  const auto number = [](const char* text) { return plain::field_from_bytes(array_from_hex<32>(text)); };
  const auto text = [](const Field25519& a) { return hex(plain::field_to_bytes(a)); };
  const char* zero = "0000000000000000000000000000000000000000000000000000000000000000";
  const char* one = "0100000000000000000000000000000000000000000000000000000000000000";
  const char* last = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
  EXPECT_EQ(text(number("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")), zero);
  EXPECT_EQ(text(number("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")),
            "1200000000000000000000000000000000000000000000000000000000000000");
  EXPECT_EQ(text(number(last)), last);
  EXPECT_EQ(text(number(last) + number(one)), zero);
  EXPECT_EQ(text(number(zero) - number(one)), last);
  EXPECT_EQ(text(number(last) * number(last)), one);
  EXPECT_EQ(text(square(plain::kSqrtMinusOne)), last);
  EXPECT_EQ(text(absolute(number(one))), last);
  EXPECT_EQ(text(absolute(number(last))), last);
}

TEST(PlainField25519, SquareRoots) {
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    const auto element = [](std::uint64_t s) {
      return plain::field_from_bytes(array_from_hex<32>(hex(some_bytes(32, s))));
    };
    const Field25519 a = element(seed), v = element(100 + seed);
    const auto [was_square, root] = plain::sqrt_ratio(square(a) * v, v);
    EXPECT_NE(was_square, 0u);
    EXPECT_NE(equal(square(root), square(a)), 0u);
    EXPECT_EQ(is_negative(root), 0u);
    const auto [is_square, other] = plain::sqrt_ratio(square(a) * v * plain::kSqrtMinusOne, v);
    EXPECT_EQ(is_square, 0u);
    EXPECT_NE(equal(square(other), -square(a)), 0u);  // sqrt(-1) times the ratio
  }
  EXPECT_NE(plain::sqrt_ratio(plain::kFieldZero, plain::kFieldOne).was_square, 0u);
  EXPECT_EQ(plain::sqrt_ratio(plain::kFieldOne, plain::kFieldZero).was_square, 0u);
}

}  // namespace
}  // namespace ap::crypto
