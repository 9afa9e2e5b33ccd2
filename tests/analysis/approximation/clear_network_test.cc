#include "analysis/approximation/clear_network.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "nn/execute/float_executor.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::approximation {
namespace {

TEST(ClearNetwork, AgreesWithTheFloatExecutor) {
  for (const nn::Graph& g : {residual_network(), perceptron(128, 7, nn::SmoothOp{nn::SmoothKind::silu}),
                             perceptron(128, 7, nn::ClipOp{-0.5F, 0.5F})}) {
    const std::vector<float> images = normal_values(128 * 40, 1, 6);
    const std::vector<float> expected = nn::logits(g, images), got = ClearNetwork(g).logits(images);
    ASSERT_EQ(expected.size(), got.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(double{got[i]}, double{expected[i]}, 1e-5) << g.name;
  }
}

// A polynomial in place of a clip that is the same polynomial.
TEST(ClearNetwork, PolynomialsTakeThePlaceOfActivations) {
  nn::Graph g = perceptron(8, 5);
  const std::vector<float> images = normal_values(8 * 33, 1, 7);
  plan::ApproximateActivation a;
  a.node = 2;
  a.bound = 8;
  a.function = circuits::ChebyshevSeries{-8, 8, {2, 4, 1}};  // 1 + x / 2 + x^2 / 32
  a.depth = 2;
  a.offset = {0.5F, 0, 0, 0, -1};
  const std::vector<float> got = ClearNetwork(g, std::span(&a, 1)).logits(images);
  g.nodes[2].op = nn::QuadraticOp{1, 0.5F, 0.03125F};
  auto& last = std::get<nn::FullyConnectedOp>(g.nodes[3].op);
  for (std::size_t o = 0; o < 2; ++o) last.bias[o] += 0.5F * last.weights[o * 5] - last.weights[o * 5 + 4];
  const std::vector<float> expected = nn::logits(g, images);
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(double{got[i]}, double{expected[i]}, 1e-5);
}

TEST(ClearNetwork, CompositeRelusAreNearRelu) {
  const nn::Graph g = residual_network();
  std::vector<plan::ApproximateActivation> activations;
  const ClearNetwork own(g);
  for (const int node : own.activations()) {
    plan::ApproximateActivation a;
    a.node = node;
    a.bound = 32;
    a.function = plan::CompositeRelu{13, circuits::sign_for_relu(13)};
    a.depth = 14;
    activations.push_back(a);
  }
  const std::vector<float> images = normal_values(128 * 3, 1, 8);
  const std::vector<float> expected = nn::logits(g, images),
                           got = ClearNetwork(g, activations).logits(images);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(double{got[i]}, double{expected[i]}, 0.02) << i;
}

// Every gradient against differences of the scores.
TEST(ClearNetwork, GradientsAreThoseOfDifferences) {
  const nn::Graph g = residual_network();
  const ClearNetwork network(g);
  const std::vector<float> image = normal_values(128, 1, 9);
  const float weights[] = {0.7F, -1.2F, 0.4F};
  ClearNetwork::Memory memory;
  network.forward(0, image, memory);
  network.backward(weights, memory);
  const auto result = [&](std::size_t node, std::size_t element, float change) {
    ClearNetwork::Memory other = memory;
    other.values[node][element] += change;
    for (std::size_t i = node + 1; i < g.nodes.size(); ++i) network.step(0, i, other);
    double sum = 0;
    for (std::size_t c = 0; c < 3; ++c) sum += double{weights[c]} * double{other.values.back()[c]};
    return sum;
  };
  int compared = 0;
  for (std::size_t node = 0; node + 1 < g.nodes.size(); ++node) {
    for (std::size_t e = 0; e < memory.values[node].size(); e += 7) {
      const double up = (result(node, e, 1e-2F) - result(node, e, 0)) / 1e-2;
      const double down = (result(node, e, 0) - result(node, e, -1e-2F)) / 1e-2;
      if (std::abs(up - down) > 1e-3) continue;  // a kink in between
      ASSERT_NEAR(double{memory.gradients[node][e]}, up, 2e-3) << g.nodes[node].name << ' ' << e;
      ++compared;
    }
  }
  EXPECT_GT(compared, 200);
}

TEST(ClearNetwork, RefusesWhatCannotBe) {
  nn::Graph g = residual_network();
  EXPECT_THROW(ClearNetwork(g).logits(std::vector<float>(127)), Error);
  EXPECT_THROW(ClearNetwork(g, {}), Error);
  g.nodes[14].op = nn::MaxPoolOp{{4, 4, 4, 4, {}}};
  EXPECT_THROW(ClearNetwork{g}, Error);
}

}  // namespace
}  // namespace ap::approximation
