#include "he/circuits/step_plan.h"

#include <gtest/gtest.h>

#include <numeric>

#include "he/rlwe/context.h"

namespace ap::circuits {
namespace {

rlwe::Parameters parameters() {
  rlwe::Parameters p{32768, rlwe::primes(45, 32768, 9), {}, 3};
  p.special_primes = rlwe::primes(46, 32768, 3);
  return p;
}

void expect_covers(const StepPlan& plan, std::span<const std::size_t> diagonals, std::size_t size) {
  ASSERT_EQ(plan.places.size(), diagonals.size());
  for (std::size_t k = 0; k < diagonals.size(); ++k) {
    EXPECT_EQ((plan.baby[plan.places[k].baby] + plan.giant[plan.places[k].giant]) % size, diagonals[k]);
  }
  for (const auto* steps : {&plan.baby, &plan.giant}) {
    for (std::size_t k = 0; k < steps->size(); ++k) {
      EXPECT_LT((*steps)[k], size);
      EXPECT_TRUE(k == 0 || (*steps)[k - 1] < (*steps)[k]);
    }
  }
}

TEST(StepPlan, SplitsADenseMatrixNearItsSquareRoot) {
  std::vector<std::size_t> diagonals(144);
  std::iota(diagonals.begin(), diagonals.end(), 0);
  const StepPlan plan = plan_steps(diagonals, 16384, parameters(), 9);
  expect_covers(plan, diagonals, 16384);
  EXPECT_LE(plan.cost.baby + plan.cost.giant, 26U);
  EXPECT_GE(plan.cost.baby, plan.cost.giant) << "giant steps cost more";
  // 12 limbs, 3 digits: the transforms that are counted, by hand.
  EXPECT_EQ(plan.cost.transforms, 36 + plan.cost.giant * 48 + 24);
  EXPECT_EQ(plan.cost.key_limbs, (plan.cost.baby + plan.cost.giant) * 72);
  EXPECT_EQ(plan.cost.divisions, plan.cost.giant + 2);
}

TEST(StepPlan, TakesABandWithAStrideAsOneRun) {
  constexpr std::size_t kSize = 1024, kStride = 32;
  std::vector<std::size_t> diagonals;
  for (std::size_t k = 0; k < 16; ++k) diagonals.push_back(k * kStride);
  for (std::size_t k = 1; k < 16; ++k) diagonals.push_back(kSize - k * kStride);
  const StepPlan plan = plan_steps(diagonals, kSize, parameters(), 9);
  expect_covers(plan, diagonals, kSize);
  EXPECT_LE(plan.cost.baby + plan.cost.giant, 10U);
  for (const auto* steps : {&plan.baby, &plan.giant}) {
    for (const std::size_t step : *steps) EXPECT_EQ(step % kStride, 0U);
  }
}

TEST(StepPlan, OneDiagonalNeedsOneRotationAtMost) {
  for (const std::size_t diagonal : {0, 5, 15}) {
    const std::size_t diagonals[] = {diagonal};
    const StepPlan plan = plan_steps(diagonals, 16, parameters(), 2);
    expect_covers(plan, diagonals, 16);
    EXPECT_EQ(plan.cost.baby + plan.cost.giant, diagonal == 0 ? 0U : 1U);
  }
}

}  // namespace
}  // namespace ap::circuits
