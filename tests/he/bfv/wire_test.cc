#include "he/bfv/wire.h"

#include <gtest/gtest.h>

#include "tests/he/bfv/oracle.h"

namespace ap::bfv {
namespace {

TEST(Wire, ResiduesRoundTripAndAreChecked) {
  Prng prng(oracle::seed(1));
  const ContextPtr context = oracle::context(1024, {26, 41});
  std::vector<std::uint64_t> polynomial(context->words()), back(context->words());
  expand_uniform(*context, oracle::seed(2), polynomial);
  polynomial[0] = context->tables(0).modulus().value() - 1;
  Bytes bytes(residue_bytes(*context));
  EXPECT_EQ(bytes.size(), 1024u * (26 + 41) / 8);
  pack_residues(*context, polynomial, bytes);
  unpack_residues(*context, bytes, "test", back);
  EXPECT_EQ(back, polynomial);
  for (const std::size_t at : {std::size_t{0}, std::size_t{1023}, std::size_t{1024}, std::size_t{2047}}) {
    std::vector<std::uint64_t> bad = polynomial;
    bad[at] = context->tables(at / 1024).modulus().value();
    pack_residues(*context, bad, bytes);
    EXPECT_THROW(unpack_residues(*context, bytes, "test", back), Error) << at;
  }
}

TEST(Wire, WideValuesRoundTrip) {
  Prng prng(oracle::seed(3));
  for (const int bits : {1, 20, 63, 64, 65, 99, 120}) {
    for (const std::size_t count : {0, 1, 7, 100}) {
      std::vector<ring::Uint128> values(count), back(count);
      for (ring::Uint128& v : values) {
        v = (static_cast<ring::Uint128>(prng.next64()) << 64 | prng.next64()) >> (128 - bits);
      }
      Bytes bytes(wide_bytes(count, bits));
      EXPECT_LE(bytes.size(), (count * static_cast<std::size_t>(bits) + 7) / 8 + 1);
      pack_wide(values, bits, bytes);
      unpack_wide(bytes, bits, back);
      EXPECT_TRUE(back == values) << bits;
    }
  }
}

TEST(Wire, ExpansionUsesOneStreamAPrime) {
  const ContextPtr context = oracle::context(1024, {30, 50});
  std::vector<std::uint64_t> polynomial(context->words()), expected(1024);
  expand_uniform(*context, oracle::seed(4), polynomial);
  for (std::size_t i = 0; i < 2; ++i) {
    Prng prng(oracle::seed(4), i);
    sample_uniform(prng, context->tables(i).modulus().value(), expected);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                           polynomial.begin() + static_cast<std::ptrdiff_t>(1024 * i)));
  }
}

}  // namespace
}  // namespace ap::bfv
