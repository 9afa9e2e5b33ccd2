#include "nn/quantise/scale_input.h"

#include <gtest/gtest.h>

#include "nn/execute/float_executor.h"

namespace ap::nn {
namespace {

Graph layer() {
  Graph graph;
  graph.nodes.push_back({"input", InputOp{}, {}, {3, 1, 1}});
  graph.nodes.push_back({"full", FullyConnectedOp{{1, 2, 3, 4, 5, 6}, {7, 8}}, {0}, {2, 1, 1}});
  return graph;
}

TEST(ScaleInput, FactorsBringFeaturesToOneSize) {
  Graph graph = layer();
  const std::vector<Tensor> images = {{{3, 1, 1}, {-1, 5, 100}}, {{3, 1, 1}, {0.5F, -10, 20}}};
  const std::vector<double> factors = input_factors(graph, images);
  EXPECT_EQ(factors, (std::vector<double>{100, 10, 1}));
  scale_input(graph, factors);
  const std::vector<float> scaled = run(graph, {{3, 1, 1}, {-100, 50, 100}}).back().data;
  const std::vector<float> plain = run(layer(), images[0]).back().data;
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(scaled[i], plain[i], 1e-4);
}

TEST(ScaleInput, ColoursAndConstantFeaturesStay) {
  const std::vector<Tensor> alike = {{{3, 1, 1}, {1, 1.2F, 1.9F}}};
  EXPECT_EQ(input_factors(layer(), alike), (std::vector<double>{1, 1, 1}));
  const std::vector<Tensor> constant = {{{3, 1, 1}, {0, 1, 4}}};
  EXPECT_EQ(input_factors(layer(), constant), (std::vector<double>{1, 4, 1}));
}

}  // namespace
}  // namespace ap::nn
