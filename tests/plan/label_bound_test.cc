#include "plan/label_bound.h"

#include <gtest/gtest.h>

namespace ap::plan {
namespace {

Plan label_plan() {
  Plan plan;
  plan.reveal = Reveal::label;
  plan.argmax_protocol = "auto";
  plan.modulus_bits = {8, 20, 8, 18};
  plan.linears.resize(2);
  plan.activations.resize(1);
  return plan;
}

TEST(LabelBound, HoldsForLabelsOfPowerOfTwoShares) {
  Plan plan = label_plan();
  for (const char* protocol : {"auto", "gc", "ot", "beaver"}) {
    plan.activations[0].protocol = protocol;
    EXPECT_TRUE(has_label_bound(plan)) << protocol;
  }
  plan.primes = {0, 0, 0, 0};
  EXPECT_TRUE(has_label_bound(plan));
}

TEST(LabelBound, NotIfTheLogitsAreRevealed) {
  Plan plan = label_plan();
  plan.reveal = Reveal::logits;
  EXPECT_FALSE(has_label_bound(plan));
}

TEST(LabelBound, NotIfALayerIsPackedBySlots) {
  Plan plan = label_plan();
  plan.linears[1].packing = SimdChoice();
  EXPECT_FALSE(has_label_bound(plan));
  plan = label_plan();
  plan.batch_groups.resize(1);
  EXPECT_FALSE(has_label_bound(plan));
}

TEST(LabelBound, NotIfATensorIsSharedModuloAPrime) {
  Plan plan = label_plan();
  plan.primes = {0, 65537, 0, 0};
  EXPECT_FALSE(has_label_bound(plan));
}

}  // namespace
}  // namespace ap::plan
