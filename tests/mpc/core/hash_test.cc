#include "mpc/core/hash.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

std::string hex(const Block& block) {
  std::array<std::uint8_t, 16> bytes;
  store_block(bytes.data(), block);
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

/// The key 24 3f 6a 88 85 a3 08 d3 13 19 8a 2e 03 70 73 44.
const RoundKeys& test_keys() {
  static const Permutation pi(Block{0xd308a385886a3f24, 0x447370032e8a1913});
  return pi.round_keys();
}

constexpr Block kZero{0, 0};
constexpr Block kCounting{0x0706050403020100, 0x0f0e0d0c0b0a0908};
constexpr Block kOnes{~0ULL, ~0ULL};

struct Kernel {
  const char* name;
  bool available;
  kernels::PermuteKernel permute;
  kernels::HashKernel hash;
};

std::vector<Kernel> all_kernels() {
  return {
    {"plain", true, kernels::permute_plain, kernels::hash_plain},
#if defined(__x86_64__)
        {"aesni", cpu().aes, kernels::permute_aesni, kernels::hash_aesni},
        {"vaes", cpu().vaes, kernels::permute_vaes, kernels::hash_vaes},
#endif
  };
}

// Answers made with the command `openssl enc -aes-128-ecb` under the key of test_keys.
TEST(Hash, KnownAnswers) {
  for (const Kernel& kernel : all_kernels()) {
    if (!kernel.available) continue;
    SCOPED_TRACE(kernel.name);
    Block out;
    kernel.permute(test_keys(), &kZero, &out, 1);
    EXPECT_EQ(hex(out), "2d89a57aea7ff675d95f27ea0da9f5d3");
    kernel.permute(test_keys(), &kCounting, &out, 1);
    EXPECT_EQ(hex(out), "8bc27b99d10f7c67795ea2963093ad3f");
    kernel.hash(test_keys(), &kZero, 0, &out, 1);
    EXPECT_EQ(hex(out), "d258df24fa7ba8bf8fdb9179e1dec566");
    kernel.hash(test_keys(), &kCounting, 0x0123456789abcdef, &out, 1);
    EXPECT_EQ(hex(out), "bb863e7f3ccb30e51e3dd8831ab0b78d");
    kernel.hash(test_keys(), &kOnes, ~0ULL, &out, 1);
    EXPECT_EQ(hex(out), "a620ae968fb934caf3badf69d11ec9cb");
  }
}

TEST(Hash, KernelsAgreeForEveryLengthAndInPlace) {
  Prng prng(test_seed(1));
  for (std::size_t count = 0; count <= 100; ++count) {
    std::vector<Block> in(count);
    prng.fill(std::span(reinterpret_cast<std::uint8_t*>(in.data()), count * 16));
    if (count > 0) in[0] = kOnes;
    const std::uint64_t tweak = count % 2 ? prng.next64() : ~0ULL - 5;  // the second wraps
    std::vector<Block> hashed(count);
    std::vector<Block> permuted(count);
    kernels::hash_plain(test_keys(), in.data(), tweak, hashed.data(), count);
    kernels::permute_plain(test_keys(), in.data(), permuted.data(), count);
    for (const Kernel& kernel : all_kernels()) {
      if (!kernel.available) continue;
      SCOPED_TRACE(fmt::format("{} {}", kernel.name, count));
      std::vector<Block> out = in;
      kernel.hash(test_keys(), out.data(), tweak, out.data(), count);
      EXPECT_EQ(out, hashed);
      out = in;
      kernel.permute(test_keys(), out.data(), out.data(), count);
      EXPECT_EQ(out, permuted);
    }
    std::vector<Block> out(count);
    const Permutation pi(load_block(test_keys().bytes[0]));
    pi.hash(in.data(), tweak, out.data(), count);
    EXPECT_EQ(out, hashed);
    pi.permute(in.data(), out.data(), count);
    EXPECT_EQ(out, permuted);
  }
}

// FIPS 197, appendix A.1 (key expansion) and C.1 (AES-128).
TEST(Hash, KeyScheduleIsThatOfAes) {
  const Block key{0xa6d2ae2816157e2b, 0x3c4fcf098815f7ab};
  EXPECT_EQ(hex(load_block(Permutation(key).round_keys().bytes[10])), "d014f9a8c9ee2589e13f0cc8b6630ca6");
  RoundKeys expanded;
  kernels::expand_key_plain(key, expanded);
  EXPECT_EQ(std::memcmp(expanded.bytes, Permutation(key).round_keys().bytes, sizeof expanded.bytes), 0);
  const Permutation pi(kCounting);
  const Block plaintext{0x7766554433221100, 0xffeeddccbbaa9988};
  for (const Kernel& kernel : all_kernels()) {
    if (!kernel.available) continue;
    Block out;
    kernel.permute(pi.round_keys(), &plaintext, &out, 1);
    EXPECT_EQ(hex(out), "69c4e0d86a7b0430d8cdb78070b4c55a") << kernel.name;
  }
}

TEST(Hash, KeysDifferByNumberSessionAndUseAndComeBackFromTheirKey) {
  const auto first_key = [](const HashKeys& keys, std::uint64_t number) {
    return hex(load_block(keys.at(number).round_keys().bytes[0]));
  };
  std::set<std::string> seen;
  std::size_t made = 0;
  for (const std::uint8_t session : {1, 2}) {
    for (const char* use : {"a", "b"}) {
      const HashKeys keys(SessionKey(test_seed(session)).part(use));
      for (const std::uint64_t number : {0ULL, 1ULL, 2ULL, 1ULL << 63}) {
        seen.insert(first_key(keys, number));
        ++made;
        EXPECT_EQ(first_key(HashKeys(keys.key()), number), first_key(keys, number));
      }
    }
  }
  EXPECT_EQ(seen.size(), made);
}

TEST(Hash, SigmaIsALinearOrthomorphism) {
  // sigma and sigma xor identity are one-to-one exactly if neither sends a non-zero block to zero.
  Prng prng(test_seed(2));
  for (int i = 0; i < 1000; ++i) {
    const Block a{prng.next64(), prng.next64()};
    const Block b{prng.next64(), prng.next64()};
    EXPECT_EQ(sigma(a ^ b), sigma(a) ^ sigma(b));
    const Block back{sigma(a).hi ^ sigma(a).lo, sigma(a).lo};  // inverse of sigma
    EXPECT_EQ(back, a);
    const Block both = sigma(a) ^ a;  // (lo ^ hi, lo): the inverse reads lo, then hi
    EXPECT_EQ((Block{both.hi, both.hi ^ both.lo}), a);
  }
}

}  // namespace
}  // namespace ap::mpc
