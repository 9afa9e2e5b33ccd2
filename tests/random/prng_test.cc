#include "random/prng.h"

#include <gtest/gtest.h>
#if !defined(AP_PLAIN_CRYPTO)
#include <openssl/evp.h>
#include <openssl/rand.h>
#endif

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace ap {
namespace {

Seed counting_seed() {
  Seed seed;
  std::iota(seed.begin(), seed.end(), std::uint8_t{0});
  return seed;
}

#if !defined(AP_PLAIN_CRYPTO)
TEST(Prng, FirstBlockIsAesOfTheCounter) {
  // AES-256 of the zero block under 00 01 .. 1f, through the one-block interface.
  const Seed seed = counting_seed();
  for (const std::uint64_t stream : {0ULL, 1ULL, 0x0102030405060708ULL}) {
    std::array<std::uint8_t, 32> blocks{}, expected{};
    for (int i = 0; i < 8; ++i) blocks[i] = blocks[16 + i] = static_cast<std::uint8_t>(stream >> (8 * i));
    blocks[31] = 1;
    EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
    int written = 0;
    ASSERT_EQ(EVP_EncryptInit_ex(cipher, EVP_aes_256_ecb(), nullptr, seed.data(), nullptr), 1);
    ASSERT_EQ(EVP_EncryptUpdate(cipher, expected.data(), &written, blocks.data(), 32), 1);
    EVP_CIPHER_CTX_free(cipher);
    std::array<std::uint8_t, 32> out;
    Prng(seed, stream).fill(std::span<std::uint8_t>(out));
    EXPECT_EQ(out, expected) << stream;
  }
}
#endif

TEST(Prng, FrozenWords) {
  // FIPS 197's key 00 .. 1f; the value is the encryption of sixteen zero bytes.
  Prng prng(counting_seed());
  EXPECT_EQ(prng.next64(), 0xd09f492ab60090f2ULL);
  EXPECT_EQ(prng.next64(), 0x80772edd6a9af3a9ULL);
}

TEST(Prng, ReadsOfAnySizeGiveOneByteString) {
  std::vector<std::uint8_t> whole(10000);
  Prng(counting_seed(), 3).fill(std::span<std::uint8_t>(whole));
  Prng prng(counting_seed(), 3);
  std::size_t at = 0, size = 1;
  while (at < whole.size()) {
    std::vector<std::uint8_t> part(std::min(size, whole.size() - at));
    prng.fill(std::span<std::uint8_t>(part));
    ASSERT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<std::ptrdiff_t>(at))) << at;
    at += part.size();
    size = size * 2 + 1;
    if (size > 3000) size = 1;
  }
}

TEST(Prng, StreamsAndFreshSeedsDiffer) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t stream = 0; stream < 100; ++stream) seen.insert(Prng(counting_seed(), stream).next64());
  for (int i = 0; i < 100; ++i) seen.insert(Prng().next64());
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_NE(random_seed(), random_seed());
}

#if !defined(AP_PLAIN_CRYPTO)
/// With OpenSSL's generator replaced by a constant, seeds are as random as before.
TEST(Prng, SeedsDoNotComeFromOpenSsl) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  static int calls;
  calls = 0;
  const auto constant = [](unsigned char* out, int count) {
    ++calls;
    std::fill_n(out, count, std::uint8_t{7});
    return 1;
  };
  static RAND_METHOD method{};
  method.bytes = method.pseudorand = constant;
  method.status = [] { return 1; };
  ASSERT_EQ(RAND_set_rand_method(&method), 1);
  const Seed a = random_seed(), b = random_seed();
  const int asked = calls;
  std::uint8_t byte = 0;
  EXPECT_EQ(RAND_bytes(&byte, 1), 1);
  EXPECT_EQ(byte, 7) << "the generator was not replaced, so nothing was tested";
  ASSERT_EQ(RAND_set_rand_method(nullptr), 1);
#pragma GCC diagnostic pop
  EXPECT_EQ(asked, 0);
  EXPECT_NE(a, b);
}
#endif

TEST(Prng, MovesKeepTheStream) {
  Prng a(counting_seed());
  a.next64();
  Prng b = std::move(a);
  Prng c(counting_seed());
  c.next64();
  EXPECT_EQ(b.next64(), c.next64());
}

}  // namespace
}  // namespace ap
