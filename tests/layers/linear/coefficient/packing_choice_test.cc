#include "layers/linear/coefficient/packing_choice.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/layers/linear/reference.h"

namespace ap::linear {
namespace {

TEST(Planner, IsNeverWorseThanAnyPackingThatFits) {
  Random random(6);
  int compared = 0;
  while (compared < 3000) {
    const Geometry g = random_geometry(random, 14, 8);
    const UnitCosts costs = typical_costs(256, 44, 1, 10, 8);
    // A kernel that does not fit 256 coefficients is not this test's matter.
    const Packing p = random_packing(g, random);
    if (coefficients_needed(g, p) > 256) continue;
    const PackingChoice best = choose_packing(g, 256, costs);
    EXPECT_LE(best.seconds, price(g, p, costs).seconds * (1 + 1e-12));
    EXPECT_LE(coefficients_needed(g, best.packing), 256);
    EXPECT_EQ(best.counts, Layout(g, best.packing, 256).counts());
    ++compared;
  }
}

TEST(Planner, FollowsTheNetwork) {
  // With free bytes the fewest operations win; with free time the fewest bytes.
  const Geometry g{{64, 8, 8}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 64};
  UnitCosts costs = typical_costs(2048, 45, 1, 12, 8);
  costs.bytes_per_second = 1e3;
  const PackingChoice slow = choose_packing(g, 2048, costs);
  costs.bytes_per_second = 1e12;
  const PackingChoice fast = choose_packing(g, 2048, costs);
  EXPECT_LE(slow.bytes_up + slow.bytes_down, fast.bytes_up + fast.bytes_down);
  EXPECT_GE(slow.client_seconds + slow.server_seconds, fast.client_seconds + fast.server_seconds);
}

TEST(Planner, BoundsTheOutputsOfOneProduct) {
  const Geometry g{{2048, 1, 1}, {}, 1, 1000};
  const UnitCosts costs = typical_costs(2048, 45, 1, 12, 8);
  EXPECT_GT(choose_packing(g, 2048, costs).packing.channels_out, 8);
  EXPECT_LE(choose_packing(g, 2048, costs, 8).packing.channels_out, 8);
}

TEST(Planner, RefusesAKernelLargerThanTheRing) {
  const Geometry g{{1, 40, 40}, {33, 33, 1, 1, {}}, 1, 1};
  EXPECT_THROW(choose_packing(g, 1024, typical_costs(1024, 26, 1, 0, 0)), Error);
}

}  // namespace
}  // namespace ap::linear
