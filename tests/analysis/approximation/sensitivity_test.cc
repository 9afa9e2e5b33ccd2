#include "analysis/approximation/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::approximation {
namespace {

TEST(Sensitivity, CrossEntropy) {
  const float scores[] = {1, 3, 1};
  EXPECT_NEAR(cross_entropy(scores, 1), std::log(1 + 2 * std::exp(-2.0)), 1e-7);
  EXPECT_NEAR(cross_entropy(scores, 0), 2 + std::log(1 + 2 * std::exp(-2.0)), 1e-7);
}

// Two scores z0, z1 of V h: dL/dh = (V1 - V0) softmax_1 for label 0.
TEST(Sensitivity, OfOneLayerByHand) {
  const nn::Graph g = perceptron(3, 5);
  const std::vector<float> images = normal_values(3 * 2, 1, 11);
  const int labels[] = {0, 1};
  const ClearNetwork network(g);
  const std::vector<float> scores = network.logits(images);
  const auto& v = std::get<nn::FullyConnectedOp>(g.nodes[3].op).weights;
  double norm = 0;
  for (std::size_t k = 0; k < 5; ++k) norm += std::pow(double{v[5 + k]} - double{v[k]}, 2);
  double expected = 0;
  for (std::size_t n = 0; n < 2; ++n) {
    const double difference = double{scores[2 * n + 1]} - double{scores[2 * n]};
    const double wrong = 1 / (1 + std::exp(labels[n] == 0 ? -difference : difference));
    expected += norm * wrong * wrong / 2;
  }
  const std::vector<double> a = sensitivities(network, images, labels);
  ASSERT_EQ(a.size(), 1U);
  EXPECT_NEAR(a[0], expected, 1e-5 * expected);
}

// Small errors move the loss as the gradients say.
TEST(Sensitivity, PredictsMeasuredChangesOfTheLoss) {
  const nn::Graph g = residual_network();
  const ClearNetwork network(g);
  const std::vector<float> images = normal_values(128 * 400, 1, 12);
  std::vector<int> labels;
  for (int i = 0; i < 400; ++i) labels.push_back(i % 3);
  const std::vector<double> predicted = sensitivities(network, images, labels);
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const double measured = measured_sensitivity(network, images, labels, i, 0.01, 5);
    EXPECT_NEAR(measured / predicted[i], 1, 0.25) << i;
  }
}

TEST(Sensitivity, RefusesWhatDoesNotFit) {
  const nn::Graph g = perceptron(3, 5);
  const ClearNetwork network(g);
  const std::vector<float> images(6);
  EXPECT_THROW(sensitivities(network, {}, {}), Error);
  EXPECT_THROW(sensitivities(network, images, std::vector<int>{1}), Error);
  EXPECT_THROW(sensitivities(network, images, std::vector<int>{1, 2}), Error);
  EXPECT_EQ(sensitivities(network, images, {}).size(), 1U);
}

}  // namespace
}  // namespace ap::approximation
