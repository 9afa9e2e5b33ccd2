#include <gtest/gtest.h>

#if !defined(AP_PLAIN_CRYPTO)
#include <openssl/evp.h>
#endif

#include "crypto/aes256_ctr.h"
#include "crypto/plain/aes.h"
#include "crypto/plain/sha256.h"
#include "tests/crypto/hex.h"

namespace ap::crypto {
namespace {

Bytes round_keys(ByteView key) {
  Bytes keys(16 * (key.size() == 16 ? 11 : 15));
  plain::aes_expand_key(key, keys);
  return keys;
}

Bytes encrypted(ByteView key, ByteView in) {
  Bytes out(in.size());
  plain::Aes(round_keys(key)).encrypt(in.data(), out.data(), in.size() / 16);
  return out;
}

TEST(PlainAes, AnswersOfFips197) {
  const Bytes plaintext = from_hex("00112233445566778899aabbccddeeff");
  EXPECT_EQ(hex(encrypted(from_hex("000102030405060708090a0b0c0d0e0f"), plaintext)),
            "69c4e0d86a7b0430d8cdb78070b4c55a");
  EXPECT_EQ(
      hex(encrypted(from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), plaintext)),
      "8ea2b7ca516745bfeafc49904b496089");
  // Appendix A: the last round keys.
  EXPECT_EQ(hex(ByteView(round_keys(from_hex("2b7e151628aed2a6abf7158809cf4f3c"))).last(16)),
            "d014f9a8c9ee2589e13f0cc8b6630ca6");
  EXPECT_EQ(
      hex(ByteView(round_keys(from_hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")))
              .last(16)),
      "fe4890d1e6188d0b046df344706c631e");
}

TEST(PlainAes, AnswersOfSp80038a) {
  const Bytes in = from_hex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  EXPECT_EQ(hex(encrypted(from_hex("2b7e151628aed2a6abf7158809cf4f3c"), in)),
            "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
            "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4");
}

/// F.5.5: the output blocks of counter mode.
template <typename Stream>
void expect_counter_mode() {
  const auto key = array_from_hex<32>("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  Stream stream(key, array_from_hex<16>("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"));
  Bytes out(64);
  stream.generate(std::span(out).first(16));  // in two parts
  stream.generate(std::span(out).subspan(16));
  EXPECT_EQ(hex(out),
            "0bdf7df1591716335e9a8b15c860c5025a6e699d536119065433863c8f657b94"
            "1bc12c9c01610d5d0d8bd6a3378eca622956e1c8693536b1bee99c73a31576b6");
  // The counter is one number: it carries from the lower half into the upper one, and from all ones to zero.
  const auto next_is = [&](const char* counter, const char* next) {
    Stream first(key, array_from_hex<16>(counter)), second(key, array_from_hex<16>(next));
    Bytes a(32), b(16);
    first.generate(a);
    second.generate(b);
    EXPECT_EQ(hex(ByteView(a).last(16)), hex(b));
  };
  next_is("0102030405060708ffffffffffffffff", "01020304050607090000000000000000");
  next_is("ffffffffffffffffffffffffffffffff", "00000000000000000000000000000000");
}

TEST(PlainAes, CounterModeOfSp80038a) { expect_counter_mode<plain::Aes256Ctr>(); }
TEST(Aes256Ctr, CounterModeOfSp80038a) { expect_counter_mode<Aes256Ctr>(); }

/// Every value of every byte, every number of blocks that does not fill a step, and in place. The digest was
/// made with OpenSSL's AES (below).
constexpr const char* kDigest = "4e30a1f9d88c6a7b7f6bf79938f8a3ff2bcf698188aa6c61f461cb919d807c23";

template <typename Encrypt>
std::string digest_of_many(const Encrypt& encrypt) {
  plain::Sha256 all;
  Bytes blocks(256 * 16);
  for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<std::uint8_t>(i / 16);
  all.add(encrypt(ByteView(blocks).first(16), blocks));
  for (std::size_t count = 0; count <= 40; ++count) {
    all.add(encrypt(some_bytes(count % 2 ? 16 : 32, count), some_bytes(16 * count, 100 + count)));
  }
  return hex(all.value());
}

TEST(PlainAes, ManyBlocksAreThoseOfOpenSsl) {
  EXPECT_EQ(digest_of_many(encrypted), kDigest);
  EXPECT_EQ(digest_of_many([](ByteView key, Bytes data) {
              plain::Aes(round_keys(key)).encrypt(data.data(), data.data(), data.size() / 16);
              return data;
            }),
            kDigest);
#if !defined(AP_PLAIN_CRYPTO)
  EXPECT_EQ(digest_of_many([](ByteView key, ByteView in) {
              Bytes out(in.size() + 16);
              int written = 0;
              EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
              EVP_EncryptInit_ex(cipher, key.size() == 16 ? EVP_aes_128_ecb() : EVP_aes_256_ecb(), nullptr,
                                 key.data(), nullptr);
              EVP_EncryptUpdate(cipher, out.data(), &written, in.data(), static_cast<int>(in.size()));
              EVP_CIPHER_CTX_free(cipher);
              out.resize(in.size());
              return out;
            }),
            kDigest);
#endif
}

TEST(PlainAes, TheKeyStreamIsThatOfTheLibrary) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto key = array_from_hex<32>(hex(some_bytes(32, seed)));
    const auto counter = array_from_hex<16>(hex(some_bytes(16, 50 + seed)));
    plain::Aes256Ctr mine(key, counter);
    Aes256Ctr theirs(key, counter);
    for (const std::size_t bytes : {16, 0, 48, 1024, 160}) {
      Bytes a(bytes), b(bytes, 1);
      mine.generate(a);
      theirs.generate(b);
      EXPECT_EQ(a, b);
    }
  }
}

}  // namespace
}  // namespace ap::crypto
