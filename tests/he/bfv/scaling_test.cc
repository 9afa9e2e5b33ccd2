#include "he/bfv/scaling.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "he/bfv/context.h"
#include "random/prng.h"

namespace ap::bfv {
namespace {

using ring::Uint128;

// 256-bit numbers as four words: enough to multiply and divide by the book, bit by bit.
struct Wide {
  std::array<std::uint64_t, 4> word{};

  static Wide product(Uint128 x, std::uint64_t y) {
    Wide result;
    const Uint128 low = static_cast<Uint128>(static_cast<std::uint64_t>(x)) * y;
    const Uint128 high = static_cast<Uint128>(static_cast<std::uint64_t>(x >> 64)) * y + (low >> 64);
    result.word = {static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high),
                   static_cast<std::uint64_t>(high >> 64), 0};
    return result;
  }
  Wide plus(Uint128 y) const {
    Wide result;
    Uint128 carry = 0;
    for (int i = 0; i < 4; ++i) {
      carry += word[i];
      if (i == 0) carry += static_cast<std::uint64_t>(y);
      if (i == 1) carry += static_cast<std::uint64_t>(y >> 64);
      result.word[i] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    return result;
  }
  // floor(this / divisor) for a divisor below 2^127 and a quotient below 2^128.
  Uint128 over(Uint128 divisor) const {
    Uint128 remainder = 0, quotient = 0;
    for (int bit = 255; bit >= 0; --bit) {
      remainder = remainder << 1 | (word[bit / 64] >> (bit % 64) & 1);
      quotient <<= 1;
      if (remainder >= divisor) {
        remainder -= divisor;
        quotient |= 1;
      }
    }
    return quotient;
  }
};

std::vector<ring::Crt> moduli() {
  std::vector<ring::Crt> all;
  for (const std::vector<int>& shape : std::vector<std::vector<int>>{
           {20}, {26}, {50}, {60}, {32, 32}, {33, 32}, {50, 50}, {60, 59}, {40, 39, 38}}) {
    std::vector<std::uint64_t> primes;
    for (const int bits : shape) {
      const std::vector<std::uint64_t> found = ntt_primes(bits, 1024, 2);
      primes.push_back(primes.empty() || primes.back() != found[0] ? found[0] : found[1]);
    }
    all.emplace_back(primes);
  }
  return all;
}

TEST(Scaling, DownMatchesLongDivision) {
  Prng prng(Seed{1});
  for (const ring::Crt& crt : moduli()) {
    const Uint128 q = crt.product();
    const Scaling scaling(crt);
    for (const int k : {1, 2, 8, 17, 37, 52, 60}) {
      const std::uint64_t p = 1ULL << k;
      std::vector<Uint128> values{0, 1, q - 1, q - 2, q / 2, q / 2 + 1};
      // Around the places where round(p x / q) steps: x = (2 j + 1) q / 2p.
      for (int i = 0; i < 200; ++i) {
        const std::uint64_t j = i == 0 ? 0 : i == 1 ? p - 1 : prng.next64() & (p - 1);
        const Uint128 edge = Wide::product(q, 2 * j + 1).over(static_cast<Uint128>(2) * p);
        for (int d = -2; d <= 2; ++d) {
          const Uint128 x = edge + static_cast<Uint128>(d);
          if (x < q) values.push_back(x);
        }
        values.push_back((static_cast<Uint128>(prng.next64()) << 64 | prng.next64()) % q);
      }
      for (const Uint128 x : values) {
        const Uint128 expected = Wide::product(x, p).plus(q / 2).over(q) % p;
        ASSERT_TRUE(scaling.down(x, k) == expected) << "k " << k << " bits " << scaling.q_bits();
        if (scaling.q_bits() <= 62) {
          ASSERT_TRUE(scaling.down(static_cast<std::uint64_t>(x), k) == expected) << "k " << k;
        }
      }
    }
  }
}

TEST(Scaling, UpMatchesLongDivision) {
  Prng prng(Seed{2});
  for (const ring::Crt& crt : moduli()) {
    const Uint128 q = crt.product();
    for (const int k : {1, 2, 8, 17, 19, 37, 52, 60}) {
      if (q >> k == 0) {
        EXPECT_THROW(ScaleUp(crt, k), Error);
        continue;
      }
      const ScaleUp scale_up(crt, k);
      const std::uint64_t p = 1ULL << k;
      std::vector<std::uint64_t> messages{0, 1, p - 1, p / 2, p / 2 - 1, p / 2 + 1};
      for (int i = 0; i < 300; ++i) messages.push_back(prng.next64());
      for (const std::uint64_t m : messages) {
        const Uint128 expected = Wide::product(q, m & (p - 1)).plus(p / 2).over(p);
        for (std::size_t i = 0; i < crt.size(); ++i) {
          const Uint128 prime = crt.modulus(i).value();
          ASSERT_TRUE(scale_up(m, i) == expected % prime) << "k " << k << " m " << m;
        }
      }
    }
  }
}

TEST(Scaling, DownInvertsUp) {
  Prng prng(Seed{3});
  for (const ring::Crt& crt : moduli()) {
    const Scaling scaling(crt);
    for (const int k : {1, 8, 18}) {
      const ScaleUp scale_up(crt, k);
      for (int i = 0; i < 100; ++i) {
        const std::uint64_t m = prng.next64() & ((1ULL << k) - 1);
        std::array<std::uint64_t, 6> residues{};
        for (std::size_t j = 0; j < crt.size(); ++j) residues[j] = scale_up(m, j);
        ASSERT_EQ(scaling.down(crt.compose(residues.data(), 1), k), m);
      }
    }
  }
}

TEST(Scaling, RefusesPlaintextModuliThatDoNotFit) {
  const ring::Crt crt(ntt_primes(26, 1024, 1));
  EXPECT_THROW(check_log2_p(crt, 0), Error);
  EXPECT_THROW(check_log2_p(crt, 26), Error);
  EXPECT_NO_THROW(check_log2_p(crt, 25));
  EXPECT_THROW(check_log2_p(ring::Crt(ntt_primes(60, 1024, 1)), 61), Error);
}

}  // namespace
}  // namespace ap::bfv
