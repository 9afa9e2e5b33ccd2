#include "he/circuits/bootstrap_parameters.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "he/rlwe/sparse_secret.h"
#include "random/prng.h"

namespace ap::circuits {
namespace {

TEST(BootstrapParameters, NamedSetsAreSecureAndAddUp) {
  for (const char* name : {"R15", "R16", "R16b"}) {
    for (const std::size_t slots : {256, 4096, 16384}) {
      const BootstrapParameters p(name, slots);
      EXPECT_GE(p.security_bits(), 128) << name;
      EXPECT_EQ(p.chain().data_primes.size(), p.mod_level() + p.merged_up().size());
      EXPECT_EQ(p.mod_level(), p.output_level() + 8);
      EXPECT_EQ(p.bottom().data_primes.size(), p.input_level());
      int up = 0, down = 0;
      for (const int merged : p.merged_up()) up += merged;
      for (const int merged : p.merged_down()) down += merged;
      EXPECT_EQ(std::size_t{1} << up, slots);
      EXPECT_EQ(up, down);
      // The digits of key switching are below P, so that noise is rounding alone.
      double special = 0;
      for (const std::uint64_t prime : p.chain().special_primes)
        special += std::log2(static_cast<double>(prime));
      for (std::size_t first = 0; first < p.chain().data_primes.size(); first += p.chain().digit_primes()) {
        double digit = 0;
        for (std::size_t i = first;
             i < std::min(first + p.chain().digit_primes(), p.chain().data_primes.size()); ++i) {
          digit += std::log2(static_cast<double>(p.chain().data_primes[i]));
        }
        EXPECT_LT(digit + 4, special) << name;
      }
      EXPECT_LT(p.failure_log2(), -45) << name;
      EXPECT_GT(p.precision_bits(), 14) << name;
      // Meeting in the middle by representations takes the fourth root of the number of sparse secrets at least.
      EXPECT_GE(rlwe::log2_sparse_secrets(p.n(), p.weight()) / 4, 128) << name;
    }
  }
}

TEST(BootstrapParameters, RefusesWhatThereIsNot) {
  EXPECT_THROW(BootstrapParameters("R14", 4096), Error);
  EXPECT_THROW(BootstrapParameters("toy", 64), Error) << "no security by name";
  EXPECT_THROW(BootstrapParameters("toy, insecure", 64), Error);
  EXPECT_THROW(BootstrapParameters("R15", 32768), Error);
  EXPECT_THROW(BootstrapParameters("R15", 3000), Error);
  EXPECT_THROW(BootstrapParameters("R15", 0), Error);
  EXPECT_LT(BootstrapParameters::insecure_toy_for_tests(64).security_bits(), 64);
}

TEST(IrwinHall, TailIsThatOfSmallSumsAndOfDraws) {
  // One value leaves [-1/4, 1/4] with probability 1/2; two with a triangle for a density.
  EXPECT_NEAR(irwin_hall_tail_log2(1, 0.25, 1), -1, 1e-9);
  EXPECT_NEAR(irwin_hall_tail_log2(2, 0.5, 1), -2, 1e-9);
  EXPECT_NEAR(irwin_hall_tail_log2(2, 0.75, 8), std::log2(8 / 16.0), 1e-9);
  EXPECT_TRUE(std::isinf(irwin_hall_tail_log2(33, 16.5, 65536)));
  // 1/33! (1/2)^33 on each side: the known 2^-138.7 of weight 32 for 2^16 coefficients.
  EXPECT_NEAR(irwin_hall_tail_log2(33, 16, 65536), -138.7, 0.1);
  EXPECT_NEAR(irwin_hall_tail_log2(41, 16, 65536), -58.6, 0.1);
  // Against draws: 12 values beyond 2.5.
  Prng prng(Seed{1});
  int beyond = 0;
  constexpr int kDraws = 200000;
  for (int k = 0; k < kDraws; ++k) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += std::ldexp(static_cast<double>(prng.next64() >> 11), -53) - 0.5;
    if (std::abs(sum) > 2.5) ++beyond;
  }
  const double expected = kDraws * std::exp2(irwin_hall_tail_log2(12, 2.5, 1));
  EXPECT_NEAR(beyond, expected, 6 * std::sqrt(expected));
}

}  // namespace
}  // namespace ap::circuits
