#include "analysis/measurement/measure_noise.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/package/small_package.h"

namespace ap::analysis {
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

}  // namespace
}  // namespace ap::analysis
