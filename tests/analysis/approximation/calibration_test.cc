#include "analysis/approximation/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::approximation {
namespace {

// Inputs of the activation by hand: one hidden value a pixel, 2 x + 1.
nn::Graph doubling() {
  nn::Graph g = perceptron(2, 2);
  g.nodes[1].op = nn::FullyConnectedOp{{2, 0, 0, 2}, {1, 1}};
  return g;
}

TEST(Calibration, MomentsAndHistogram) {
  const nn::Graph g = doubling();
  const std::vector<float> images = {-1, 0, 1, 3};  // inputs -1, 1, 3, 7
  const auto d = input_distributions(ClearNetwork(g), images);
  ASSERT_EQ(d.size(), 1U);
  EXPECT_EQ(d[0].node, 2);
  EXPECT_DOUBLE_EQ(d[0].mean, 2.5);
  EXPECT_DOUBLE_EQ(d[0].variance, 15 - 6.25);
  EXPECT_EQ(d[0].low, -1);
  EXPECT_EQ(d[0].high, 7);
  EXPECT_EQ(d[0].largest(), 7);
  std::vector<std::uint64_t> expected(InputDistribution::kBins);
  expected[0] = expected[256] = expected[512] = expected.back() = 1;
  EXPECT_EQ(d[0].counts, expected);
  EXPECT_EQ(d[0].beyond(2), 0.5);
}

TEST(Calibration, ManyChunksAddUp) {
  const nn::Graph g = residual_network();
  const std::vector<float> images = normal_values(128 * 100, 1, 10);
  const ClearNetwork network(g);
  const auto d = input_distributions(network, images);
  const auto largest = largest_values(network, images);
  ASSERT_EQ(d.size(), 5U);
  for (std::size_t i = 0; i < d.size(); ++i) {
    const nn::Node& node = g.nodes[static_cast<std::size_t>(d[i].node)];
    EXPECT_EQ(std::accumulate(d[i].counts.begin(), d[i].counts.end(), std::uint64_t{0}),
              static_cast<std::uint64_t>(node.shape.size()) * 100);
    EXPECT_EQ(d[i].largest(), largest[static_cast<std::size_t>(node.inputs[0])]);
    EXPECT_LT(d[i].beyond(3 * d[i].deviation()), 0.05);
  }
}

TEST(Calibration, RefusesNothingAndInfinity) {
  const nn::Graph g = doubling();
  EXPECT_THROW(input_distributions(ClearNetwork(g), {}), Error);
  EXPECT_THROW(input_distributions(ClearNetwork(g), std::vector<float>{1, kInfinity}), Error);
}

}  // namespace
}  // namespace ap::approximation
