#include "planner/search/backward.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/planner/search/small_problem.h"

namespace ap::search {
namespace {

/// The difference of two logits of the surrogate.
double margin(const nn::QuantisedNetwork& network, std::span<const float> input) {
  const auto values = twin_forward(network, input);
  return double{values.back()[0]} - double{values.back()[1]};
}

TEST(Backward, AgreesWithFiniteDifferencesOfBiases) {
  nn::QuantisedNetwork network = protocol::test::small_network();
  const auto images = test::random_images(network, 3);
  const auto pixels = static_cast<std::size_t>(network.input_shape().size());
  for (std::size_t n = 0; n < 3; ++n) {
    const auto begin = images.begin() + static_cast<std::ptrdiff_t>(n * pixels);
    const std::vector<float> input(begin, begin + static_cast<std::ptrdiff_t>(pixels));
    std::vector<float> logit_gradient(static_cast<std::size_t>(network.output_shape().size()));
    logit_gradient[0] = 1, logit_gradient[1] = -1;
    const auto gradient = backward(network, twin_forward(network, input), logit_gradient);
    double squares = 0, errors = 0;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
      auto* op = std::get_if<nn::QLinear>(&network.nodes[i].op);
      if (!op) continue;
      const std::size_t each = gradient[i].size() / op->bias.size();
      for (std::size_t c = 0; c < op->bias.size(); ++c) {
        double analytic = 0;
        for (std::size_t k = 0; k < each; ++k) analytic += gradient[i][c * each + k];
        constexpr std::int64_t kStep = 2;
        op->bias[c] += kStep;
        const double above = margin(network, input);
        op->bias[c] -= 2 * kStep;
        const double below = margin(network, input);
        op->bias[c] += kStep;
        const double numeric = (above - below) / (2 * kStep);
        squares += numeric * numeric;
        errors += (analytic - numeric) * (analytic - numeric);
      }
    }
    EXPECT_GT(squares, 0);
    // Some element always crosses a clamp.
    EXPECT_LT(errors, 0.01 * squares);
  }
}

TEST(TwinForward, StaysCloseToTheIntegers) {
  const nn::QuantisedNetwork network = protocol::test::small_network();
  const auto image = test::random_images(network, 1);
  const std::vector<float> input(image.begin(), image.end());
  const auto twin = twin_forward(network, input);
  const auto exact = nn::run_integer(network, image);
  for (std::size_t i = 0; i < twin.size(); ++i) {
    ASSERT_EQ(twin[i].size(), exact[i].size());
    double squares = 0, errors = 0;
    for (std::size_t k = 0; k < twin[i].size(); ++k) {
      squares += std::pow(exact[i][k], 2);
      errors += std::pow(exact[i][k] - twin[i][k], 2);
    }
    EXPECT_LE(errors, 0.01 * squares) << network.nodes[i].name;
  }
}

TEST(Backward, LeavesNothingBehindSaturatedClamps) {
  nn::QuantisedNetwork network = protocol::test::small_network();
  const auto image = test::random_images(network, 1);
  auto values = twin_forward(network, std::vector<float>(image.begin(), image.end()));
  int first_activation = 0;
  for (std::size_t i = 0; i < network.nodes.size() && first_activation == 0; ++i) {
    if (std::holds_alternative<nn::QActivation>(network.nodes[i].op)) first_activation = static_cast<int>(i);
  }
  const auto below =
      static_cast<std::size_t>(network.nodes[static_cast<std::size_t>(first_activation)].inputs[0]);
  for (float& v : values[below]) v = 1e9F;
  const std::vector<float> ones(values.back().size(), 1);
  const auto gradient = backward(network, values, ones);
  for (const float g : gradient[below]) EXPECT_EQ(g, 0);
}

}  // namespace
}  // namespace ap::search
