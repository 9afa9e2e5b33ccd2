#include <gtest/gtest.h>

#include <vector>

#include "crypto/blake2b.h"
#include "crypto/plain/blake2b.h"
#include "crypto/plain/sha256.h"
#include "crypto/sha256.h"
#include "tests/crypto/hex.h"

namespace ap::crypto {
namespace {

template <typename Hash>
std::string sha256_of(ByteView in, std::size_t part = 1000) {
  Hash hash;
  for (; !in.empty(); in = in.subspan(std::min(part, in.size())))
    hash.add(in.first(std::min(part, in.size())));
  return hex(hash.value());
}

/// NIST's examples for FIPS 180-4.
template <typename Hash>
void expect_answers_of_fips_180() {
  EXPECT_EQ(sha256_of<Hash>({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of<Hash>(view("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of<Hash>(view("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256_of<Hash>(Bytes(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(PlainSha256, AnswersOfFips180) { expect_answers_of_fips_180<plain::Sha256>(); }
TEST(Sha256, AnswersOfFips180) { expect_answers_of_fips_180<Sha256>(); }

TEST(PlainSha256, IsThatOfTheLibraryForEveryLengthAndDivision) {
  for (std::size_t bytes = 0; bytes <= 200; ++bytes) {
    const Bytes in = some_bytes(bytes, bytes);
    const std::string expected = sha256_of<Sha256>(in);
    for (const std::size_t part : {1, 7, 63, 64, 65, 200})
      EXPECT_EQ(sha256_of<plain::Sha256>(in, part), expected);
  }
}

TEST(PlainSha256, GoesOnAfterAValue) {
  plain::Sha256 hash;
  hash.add(view("a"));
  EXPECT_EQ(hex(hash.value()), sha256_of<Sha256>(view("a")));
  hash.add(view("bc"));
  EXPECT_EQ(hex(hash.value()), sha256_of<Sha256>(view("abc")));
}

template <typename Hash>
Bytes blake2b_of(std::size_t digest_bytes, ByteView in, ByteView key = {}, std::size_t part = 1000) {
  Hash hash(digest_bytes, key);
  for (; !in.empty(); in = in.subspan(std::min(part, in.size())))
    hash.add(in.first(std::min(part, in.size())));
  Bytes digest(digest_bytes);
  hash.finish(digest);
  return digest;
}

/// RFC 7693, appendix E: the hash of the hashes of many lengths, with and without key.
Bytes sequence(std::size_t bytes, std::uint32_t seed) {
  Bytes out(bytes);
  std::uint32_t a = 0xdead4bad * seed, b = 1;
  for (std::uint8_t& byte : out) {
    const std::uint32_t t = a + b;
    a = b;
    b = t;
    byte = static_cast<std::uint8_t>(t >> 24);
  }
  return out;
}

template <typename Hash>
void expect_answers_of_rfc_7693() {
  EXPECT_EQ(hex(blake2b_of<Hash>(64, view("abc"))),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");  // appendix A
  Hash all(32);
  for (const std::size_t digest_bytes : {20, 32, 48, 64}) {
    for (const std::size_t bytes : {0, 3, 128, 129, 255, 1024}) {
      const Bytes in = sequence(bytes, static_cast<std::uint32_t>(bytes));
      const Bytes key = sequence(digest_bytes, static_cast<std::uint32_t>(digest_bytes));
      all.add(blake2b_of<Hash>(digest_bytes, in));
      all.add(blake2b_of<Hash>(digest_bytes, in, key));
    }
  }
  Bytes digest(32);
  all.finish(digest);
  EXPECT_EQ(hex(digest), "c23a7800d98123bd10f506c61e29da5603d763b8bbad2e737f5e765a7bccd475");
}

TEST(PlainBlake2b, AnswersOfRfc7693) { expect_answers_of_rfc_7693<plain::Blake2b>(); }
TEST(Blake2b, AnswersOfRfc7693) { expect_answers_of_rfc_7693<Blake2b>(); }

TEST(PlainBlake2b, IsThatOfTheLibraryForEveryLengthAndDivision) {
  for (std::size_t bytes = 0; bytes <= 300; ++bytes) {
    const Bytes in = some_bytes(bytes, bytes), key = some_bytes(bytes % 65, 1000 + bytes);
    const std::size_t digest_bytes = 16 + bytes % 49;
    const Bytes expected = blake2b_of<Blake2b>(digest_bytes, in, key);
    for (const std::size_t part : {1, 127, 128, 129, 300}) {
      EXPECT_EQ(blake2b_of<plain::Blake2b>(digest_bytes, in, key, part), expected) << bytes << " " << part;
    }
  }
}

}  // namespace
}  // namespace ap::crypto
