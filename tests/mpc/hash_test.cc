#include "mpc/hash.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "mpc/two_parties.h"

namespace ap::mpc {
namespace {

std::string hex(const Block& block) {
  std::array<std::uint8_t, 16> bytes;
  store_block(bytes.data(), block);
  std::string text;
  for (const std::uint8_t byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
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
  return {{"plain", true, kernels::permute_plain, kernels::hash_plain},
          {"aesni", cpu().aes, kernels::permute_aesni, kernels::hash_aesni},
          {"vaes", cpu().vaes, kernels::permute_vaes, kernels::hash_vaes}};
}

// Answers made with the command `openssl enc -aes-128-ecb` under the fixed key.
TEST(Hash, KnownAnswers) {
  for (const Kernel& kernel : all_kernels()) {
    if (!kernel.available) continue;
    SCOPED_TRACE(kernel.name);
    Block out;
    kernel.permute(&kZero, &out, 1);
    EXPECT_EQ(hex(out), "2d89a57aea7ff675d95f27ea0da9f5d3");
    kernel.permute(&kCounting, &out, 1);
    EXPECT_EQ(hex(out), "8bc27b99d10f7c67795ea2963093ad3f");
    kernel.hash(&kZero, 0, &out, 1);
    EXPECT_EQ(hex(out), "d258df24fa7ba8bf8fdb9179e1dec566");
    kernel.hash(&kCounting, 0x0123456789abcdef, &out, 1);
    EXPECT_EQ(hex(out), "bb863e7f3ccb30e51e3dd8831ab0b78d");
    kernel.hash(&kOnes, ~0ULL, &out, 1);
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
    kernels::hash_plain(in.data(), tweak, hashed.data(), count);
    kernels::permute_plain(in.data(), permuted.data(), count);
    for (const Kernel& kernel : all_kernels()) {
      if (!kernel.available) continue;
      SCOPED_TRACE(fmt::format("{} {}", kernel.name, count));
      std::vector<Block> out = in;
      kernel.hash(out.data(), tweak, out.data(), count);
      EXPECT_EQ(out, hashed);
      out = in;
      kernel.permute(out.data(), out.data(), count);
      EXPECT_EQ(out, permuted);
    }
    std::vector<Block> out(count);
    hash_blocks(in.data(), tweak, out.data(), count);
    EXPECT_EQ(out, hashed);
    permute_blocks(in.data(), out.data(), count);
    EXPECT_EQ(out, permuted);
  }
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
