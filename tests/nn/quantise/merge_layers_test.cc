#include "nn/quantise/merge_layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/execute/float_executor.h"
#include "nn/quantise/quantise_rewrite.h"

namespace ap::nn {
namespace {

/// Values without a pattern, the same on every machine.
std::vector<float> values(std::size_t count, float phase) {
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(std::sin(1.7F * static_cast<float>(i) + phase));
  return out;
}

/// input {3,6,6} -> first -> second; the second's shape follows from its window.
Graph pair_of(ConvOp first, int middle, Op second, Shape last) {
  Graph graph;
  const Window w = first.window;
  graph.nodes.push_back({"input", InputOp{}, {}, {3, 6, 6}});
  graph.nodes.push_back({"first", std::move(first), {0}, {middle, w.out_h(6), w.out_w(6)}});
  graph.nodes.push_back({"second", std::move(second), {1}, last});
  validate(graph);
  return graph;
}

int linears(const Graph& graph) {
  int count = 0;
  for (const Node& n : graph.nodes) {
    count += std::holds_alternative<ConvOp>(n.op) || std::holds_alternative<FullyConnectedOp>(n.op);
  }
  return count;
}

/// One linear layer is left and no requantisation, and it computes the same.
void expect_merged(const Graph& graph) {
  const Graph one = to_integer_graph(graph).graph;
  EXPECT_EQ(linears(one), 1);
  EXPECT_EQ(one.nodes.size(), 2U);
  const Tensor image{{3, 6, 6}, values(108, 0.3F)};
  const Tensor wanted = run(graph, image).back(), got = run(one, image).back();
  ASSERT_EQ(got.shape, wanted.shape);
  for (std::size_t i = 0; i < got.data.size(); ++i) EXPECT_NEAR(got.data[i], wanted.data[i], 1e-4);
}

TEST(MergeLayers, SeparableConvolutionsAreOne) {
  const ConvOp depthwise{{3, 3, 2, 2, {1, 1, 1, 1}}, 3, values(27, 0), values(3, 1)};
  expect_merged(pair_of(depthwise, 3, ConvOp{{}, 1, values(15, 2), values(5, 3)}, {5, 3, 3}));
}

TEST(MergeLayers, StridesMultiply) {
  const ConvOp depthwise{{3, 3, 2, 2, {1, 1, 1, 1}}, 3, values(27, 0), values(3, 1)};
  const Window strided{1, 1, 2, 2, {}};
  expect_merged(pair_of(depthwise, 3, ConvOp{strided, 1, values(15, 2), values(5, 3)}, {5, 2, 2}));
}

TEST(MergeLayers, ScalersGoIntoWhatReadsThem) {
  const ConvOp scaler{{}, 3, values(3, 0), values(3, 1)};
  expect_merged(pair_of(scaler, 3, FullyConnectedOp{values(216, 2), values(2, 3)}, {2, 1, 1}));
  expect_merged(pair_of(scaler, 3, ConvOp{{3, 3, 1, 1, {}}, 1, values(54, 2), values(2, 3)}, {2, 4, 4}));
}

TEST(MergeLayers, BiasesBeforePaddingStay) {
  const ConvOp scaler{{}, 3, values(3, 0), values(3, 1)};
  const Graph graph =
      pair_of(scaler, 3, ConvOp{{3, 3, 1, 1, {1, 1, 1, 1}}, 1, values(54, 2), values(2, 3)}, {2, 6, 6});
  EXPECT_EQ(linears(to_integer_graph(graph).graph), 2);
}

TEST(MergeLayers, BottlenecksStay) {
  // 3 -> 1 -> 5 channels: 15 pairs instead of 8.
  const ConvOp narrow{{}, 1, values(3, 0), values(1, 1)};
  const Graph graph = pair_of(narrow, 1, ConvOp{{}, 1, values(5, 2), values(5, 3)}, {5, 6, 6});
  EXPECT_EQ(linears(to_integer_graph(graph).graph), 2);
}

}  // namespace
}  // namespace ap::nn
