#include "he/rlwe/wire.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "he/rlwe/key_switch.h"
#include "tests/he/rlwe/small_context.h"

namespace ap::rlwe {
namespace {

TEST(Wire, ResiduesRoundTripAndAreChecked) {
  Prng prng(oracle::seed(1));
  const ContextPtr context = oracle::context({.n = 1024, .data = {26, 41}});
  std::vector<std::uint64_t> polynomial(context->data_words()), back(context->data_words());
  expand_uniform(*context, oracle::seed(2), 0, 2, polynomial);
  polynomial[0] = context->tables(0).modulus().value() - 1;
  Bytes bytes(packed_polynomial_bytes(*context, 2));
  EXPECT_EQ(bytes.size(), 1024u * (26 + 41) / 8);
  const auto pack = [&](const std::vector<std::uint64_t>& values) {
    std::span<std::uint8_t> out(bytes);
    pack_polynomial(*context, 2, values, out);
    EXPECT_TRUE(out.empty());
  };
  const auto unpack = [&] {
    ByteView in(bytes);
    unpack_polynomial(*context, 2, "test", back, in);
    EXPECT_TRUE(in.empty());
  };
  pack(polynomial);
  unpack();
  EXPECT_EQ(back, polynomial);
  for (const std::size_t at : {std::size_t{0}, std::size_t{1023}, std::size_t{1024}, std::size_t{2047}}) {
    std::vector<std::uint64_t> bad = polynomial;
    bad[at] = context->tables(at / 1024).modulus().value();
    pack(bad);
    EXPECT_THROW(unpack(), Error) << at;
  }
}

TEST(Wire, ExpansionUsesOneStreamAPrime) {
  const ContextPtr context = oracle::context({.n = 1024, .data = {30, 50}});
  std::vector<std::uint64_t> polynomial(context->data_words()), expected(1024);
  expand_uniform(*context, oracle::seed(4), 0, 2, polynomial);
  for (std::size_t i = 0; i < 2; ++i) {
    Prng prng(oracle::seed(4), i);
    sample_uniform(prng, context->tables(i).modulus().value(), expected);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                           polynomial.begin() + static_cast<std::ptrdiff_t>(1024 * i)));
  }
}

ErrorCode code_of(auto call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(Wire, CiphertextsRoundTripAtEveryLevelAndDegree) {
  Prng prng(oracle::seed(5));
  const ContextPtr context = oracle::context({.n = 1024, .data = {60, 37, 14}, .special = {50}});
  const std::size_t bits[] = {60, 97, 111};
  for (std::size_t level = 1; level <= 3; ++level) {
    for (const std::size_t degree : {1U, 2U}) {
      Ciphertext x(context, level, degree);
      for (std::size_t k = 0; k <= degree; ++k) {
        for (std::size_t i = 0; i < level; ++i) {
          const std::uint64_t q = context->modulus(i).value();
          sample_uniform(prng, q, x.part(k, i));
          x.part(k, i)[0] = q - 1;
          x.part(k, i)[1023] = 0;
        }
      }
      const Bytes bytes = serialise(x);
      ASSERT_EQ(bytes.size(), (degree + 1) * 1024 * bits[level - 1] / 8);
      ASSERT_EQ(bytes.size(), ciphertext_bytes(*context, level, degree));
      EXPECT_EQ(load_ciphertext(context, level, bytes, degree), x);
      EXPECT_EQ(code_of([&] { load_ciphertext(context, level, bytes, 3 - degree); }), ErrorCode::peer);
      EXPECT_EQ(code_of([&] { load_ciphertext(context, 1 + level % 3, bytes, degree); }), ErrorCode::peer);
    }
  }
}

// Every residue of a small upload at its prime and above, and every length but the right one.
TEST(Wire, HostileBytesAreRefused) {
  Prng prng(oracle::seed(6));
  const ContextPtr context = oracle::context({.n = 1024, .data = {60, 31}});
  const SecretKey key(context, prng);
  const Bytes upload = encrypt_seeded(
      key, [](std::size_t, std::span<std::uint64_t>) {}, prng);
  ASSERT_EQ(upload.size(), seeded_bytes(*context));
  const Ciphertext x = load_seeded(context, upload);
  const Bytes both = serialise(x);
  for (const std::size_t length : {std::size_t{0}, std::size_t{1}, std::size_t{31}, std::size_t{32},
                                   upload.size() - 1, upload.size() + 1, both.size(), 2 * both.size()}) {
    const Bytes bytes(length);
    EXPECT_EQ(code_of([&] { load_seeded(context, bytes); }), ErrorCode::peer) << length;
    EXPECT_EQ(code_of([&] { PublicKey(context, bytes); }), ErrorCode::peer) << length;
    EXPECT_EQ(code_of([&] { KeySwitchKey(context, bytes); }), ErrorCode::peer) << length;
    if (length == both.size()) continue;
    EXPECT_EQ(code_of([&] { load_ciphertext(context, 2, bytes); }), ErrorCode::peer) << length;
  }
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t i = 0; i < 2; ++i) {
      const std::uint64_t q = context->modulus(i).value();
      const std::uint64_t top = (std::uint64_t{1} << context->modulus(i).bits()) - 1;
      for (std::size_t j = 0; j < 1024; j += 93) {
        for (const std::uint64_t forged : {q, top}) {
          Ciphertext y = x;
          y.part(k, i)[j] = forged;
          const Bytes bytes = serialise(y);
          EXPECT_EQ(code_of([&] { load_ciphertext(context, 2, bytes); }), ErrorCode::peer) << k << i << j;
          if (k == 1) continue;
          Bytes seeded(upload);
          std::copy_n(bytes.begin(), upload.size() - 32, seeded.begin() + 32);
          EXPECT_EQ(code_of([&] { load_seeded(context, seeded); }), ErrorCode::peer) << i << j;
          EXPECT_EQ(code_of([&] { PublicKey(context, seeded); }), ErrorCode::peer) << i << j;
        }
      }
    }
  }
}

}  // namespace
}  // namespace ap::rlwe
