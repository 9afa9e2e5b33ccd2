#include "planner/degrees/he_costs.h"

#include <gtest/gtest.h>

#include "tests/analysis/approximation/small_networks.h"

namespace ap::degrees {
namespace {

// Every product a second at level 0 and one more a level.
CostTable plain_table() {
  CostTable t;
  t.slot_count = 256;
  for (int level = 0; level <= 8; ++level) {
    t.products.push_back(level + 1);
    t.rotations.push_back(0.5);
    t.diagonals.push_back(0.01);
    t.bootstraps.push_back(10 + level);
  }
  return t;
}

TEST(HeCosts, ActivationsCostTheirProductsWhereTheyHappen) {
  const CostTable t = plain_table();
  plan::ApproximateActivation a;
  a.bound = 2;
  a.function = circuits::ChebyshevSeries{-2, 2, {1, 1, 1}};
  a.depth = 2;
  // T_2 alone, between levels 5 and 4; x / 2 is free.
  EXPECT_DOUBLE_EQ(activation_seconds(t, a, 5), (6 + 5) / 2.0);
  a.function = circuits::ChebyshevSeries{-2, 2, {1, 1}};
  EXPECT_EQ(activation_seconds(t, a, 5), 0);
  // Degrees 3 and 3 of 2 products each over 2 levels, and the product with x.
  plan::CompositeRelu relu{4, {}};
  relu.sign.stages = {{-1, 1, {0, 1, 0, 1}}, {-1, 1, {0, 1, 0, 1}}};
  a.function = relu;
  EXPECT_DOUBLE_EQ(activation_seconds(t, a, 7), (8 + 7) + (6 + 5) + 4);
}

TEST(HeCosts, LinearNodesByTheirDiagonals) {
  const nn::Graph g = approximation::residual_network();
  // 4 channels of 64 values in 256 slots: nine taps of four channels, baby steps and giant steps.
  const LinearWork work = linear_work(g, 3, 256);
  EXPECT_EQ(work.diagonals, 36);
  EXPECT_NEAR(work.rotations, 2 * std::sqrt(1.8 * 36), 1e-9);
  EXPECT_EQ(ciphertexts(g, 3, 256), 1);
  EXPECT_EQ(ciphertexts(g, 3, 100), 3);
  EXPECT_EQ(linear_work(g, 6, 256).diagonals, 0);   // a sum
  EXPECT_EQ(linear_work(g, 14, 256).rotations, 4);  // 16 values by four doublings
  EXPECT_NEAR(plain_table().node(g, 3, 4), work.rotations * 0.5 + 0.36, 1e-9);
}

TEST(HeCosts, DefaultsRiseWithTheLevel) {
  const CostTable t = default_costs();
  ASSERT_EQ(t.max_level(), 15);
  EXPECT_NEAR(t.bootstrap(12), 8.8, 1e-9);
  for (int level = 1; level <= 15; ++level) {
    EXPECT_GE(t.product(level), t.product(level - 1));
    EXPECT_GE(t.bootstrap(level), t.bootstrap(level - 1));
    EXPECT_GT(t.bootstrap(level), t.product(level));
  }
}

}  // namespace
}  // namespace ap::degrees
