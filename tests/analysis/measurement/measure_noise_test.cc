#include "analysis/measurement/measure_noise.h"

#include <gtest/gtest.h>

#include <numeric>

#include "report/read_package.h"
#include "tests/package/small_package.h"

namespace ap::report {
namespace {

TEST(MeasureNoise, AgreesWithTheModelOnASmallPlan) {
  const package::Package package = package::small_package();
  const NoiseCheck check =
      measure_noise(package, "server.apm", "net", {.layers = 2, .samples = 4000, .seconds = 5});
  ASSERT_FALSE(check.layers.empty()) << check.remark;
  for (const NoiseLayer& layer : check.layers) {
    EXPECT_GE(layer.samples, 32u);
    // 4000 samples know a deviation to 1.1 %; fewer if time ran out.
    if (layer.samples >= 4000) {
      EXPECT_NEAR(layer.measured_std / layer.predicted_std, 1, 0.08) << layer.name;
    }
    EXPECT_NEAR(std::accumulate(layer.measured.begin(), layer.measured.end(), layer.outside), 1, 1e-9);
    EXPECT_NEAR(std::accumulate(layer.predicted.begin(), layer.predicted.end(), 0.0), 1, 0.01);
    EXPECT_LT(layer.outside, 0.01);
  }
}

TEST(ReadPackage, ShowsThePlan) {
  const package::Package package = package::small_package();
  const PlanView view = view_of(package, "server.apm", "net");
  EXPECT_EQ(view.network, "small");
  EXPECT_EQ(view.policy, "exact");
  EXPECT_EQ(view.layers.size(), package.plan.linears.size() + package.plan.activations.size());
  const std::vector<const Layer*> linears = view.linears();
  ASSERT_EQ(linears.size(), package.plan.linears.size());
  EXPECT_EQ(linears[0]->name, "conv");
  EXPECT_EQ(*linears[0]->log2_p, package.plan.linears[0].log2_p);
  EXPECT_EQ(*linears[0]->n, package.plan.groups[0].n);
  EXPECT_NEAR(*linears[0]->log2_q, package.plan.groups[0].log2_q(), 1e-9);
  EXPECT_TRUE(view.min_lambda_bits);
}

}  // namespace
}  // namespace ap::report
