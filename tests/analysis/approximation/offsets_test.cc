#include "analysis/approximation/offsets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analysis/approximation/fits.h"
#include "base/error.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::approximation {
namespace {

std::vector<plan::ApproximateActivation> quadratics(const nn::Graph& g, std::span<const float> images) {
  std::vector<plan::ApproximateActivation> activations;
  for (const InputDistribution& d : input_distributions(ClearNetwork(g), images))
    activations.push_back(fit_polynomial(g, d, 2, 3 * d.largest()).activation);
  return activations;
}

TEST(Offsets, GiveEveryChannelItsMean) {
  const nn::Graph g = residual_network();
  const std::vector<float> images = normal_values(128 * 50, 1, 13);
  std::vector<plan::ApproximateActivation> activations = quadratics(g, images);
  set_offsets(g, activations, images);
  const ClearNetwork exact(g), approximate(g, activations);
  for (const plan::ApproximateActivation& a : activations) {
    const auto node = static_cast<std::size_t>(a.node);
    ASSERT_EQ(a.offset.size(), static_cast<std::size_t>(g.nodes[node].shape.c));
    std::vector<double> difference(a.offset.size());
    for (std::size_t n = 0; n < 50; ++n) {
      ClearNetwork::Memory theirs, ours;
      exact.forward(n, std::span(images).subspan(n * 128, 128), theirs);
      approximate.forward(n, std::span(images).subspan(n * 128, 128), ours);
      const std::size_t plane = theirs.values[node].size() / difference.size();
      for (std::size_t k = 0; k < theirs.values[node].size(); ++k)
        difference[k / plane] += double{ours.values[node][k]} - double{theirs.values[node][k]};
    }
    for (const double d : difference) EXPECT_NEAR(d / 50, 0, 2e-3) << a.node;
  }
}

// What follows the last activation is linear: the scores have their means.
TEST(Offsets, GiveScoresTheirMeans) {
  const nn::Graph g = residual_network();
  const std::vector<float> images = normal_values(128 * 100, 1, 14);
  std::vector<plan::ApproximateActivation> activations = quadratics(g, images);
  const std::vector<float> exact = ClearNetwork(g).logits(images);
  const auto differences = [&] {
    const std::vector<float> got = ClearNetwork(g, activations).logits(images);
    std::vector<double> sums(3);
    for (std::size_t i = 0; i < got.size(); ++i) sums[i % 3] += (double{got[i]} - double{exact[i]}) / 100;
    return std::max({std::abs(sums[0]), std::abs(sums[1]), std::abs(sums[2])});
  };
  EXPECT_GT(differences(), 0.01);
  set_offsets(g, activations, images);
  EXPECT_LT(differences(), 1e-4);
  EXPECT_THROW(set_offsets(g, activations, {}), Error);
}

}  // namespace
}  // namespace ap::approximation
