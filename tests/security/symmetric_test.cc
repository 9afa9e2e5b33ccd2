#include "security/symmetric.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ap::security {
namespace {

TEST(Symmetric, OneKeyLosesTheLogarithmOfItsHashes) {
  // 2^126 / q while keys cannot coincide.
  EXPECT_NEAR(garbling_bits(1, 1), 126, 1e-9);
  EXPECT_NEAR(garbling_bits(std::exp2(20), 1), 106, 1e-9);
  // A constant key and 2^40 gates, two half-gates each: what changing keys is for.
  EXPECT_NEAR(garbling_bits(std::exp2(41), 1), 85, 1e-9);
}

TEST(Symmetric, CoincidingKeysCostLittle) {
  // 2^27 keys: two equal ones with 2^-75, which is no more than one unit of work in 2^102: within the bound
  // for pairs. At 2^60 keys three may coincide.
  EXPECT_NEAR(garbling_bits(std::exp2(17), std::exp2(27)), 109 - 1, 1.01);
  EXPECT_LT(garbling_bits(std::exp2(17), std::exp2(60)), garbling_bits(std::exp2(17), std::exp2(27)));
  EXPECT_GT(garbling_bits(std::exp2(17), std::exp2(60)), 105);
}

TEST(Symmetric, AllSessionsOfAServerKeepAHundredBits) {
  EXPECT_GE(garbling_bits(), 100);
  EXPECT_NEAR(garbling_bits(), 105, 0.01);
}

}  // namespace
}  // namespace ap::security
