#include "nn/execute/float_executor.h"

#include <gtest/gtest.h>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

Graph residual_network() {
  std::mt19937 random(5);
  OnnxBuilder b({2, 8, 8});
  const auto conv = [&](const std::string& x, int c_in, int c_out) {
    return b.node("Conv",
                  {x, b.constant({c_out, c_in, 3, 3},
                                 random_floats(static_cast<std::size_t>(9 * c_in * c_out), random))},
                  {{"pads", Dims{1, 1, 1, 1}}});
  };
  const auto stem = b.node("Relu", {conv("input", 2, 4)});
  const auto sum = b.node("Add", {conv(b.node("Relu", {conv(stem, 4, 4)}), 4, 4), stem});
  const auto flat = b.node("Flatten", {b.node("GlobalAveragePool", {sum})});
  return import(b, b.node("Gemm", {flat, b.constant({4, 3}, random_floats(12, random))}));
}

TEST(FloatExecutor, BatchesGiveTheSameLogitsAsSingleImages) {
  const Graph graph = residual_network();
  std::mt19937 random(6);
  for (const std::size_t count : {0U, 1U, 2U, 7U, 40U}) {
    const auto images = random_floats(count * 128, random);
    const auto batch = logits(graph, images);
    ASSERT_EQ(batch.size(), count * 3);
    for (std::size_t i = 0; i < count; ++i) {
      const Tensor one{{2, 8, 8},
                       {images.begin() + static_cast<std::ptrdiff_t>(i * 128),
                        images.begin() + static_cast<std::ptrdiff_t>(i * 128 + 128)}};
      const auto values = run(graph, one);
      ASSERT_EQ(values.size(), graph.nodes.size());
      for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(values.back().data[c], batch[3 * i + c]);
    }
  }
}

TEST(FloatExecutor, EveryNodeHasItsShapeAndValue) {
  const Graph graph = residual_network();
  std::mt19937 random(8);
  const auto values = run(graph, random_image({2, 8, 8}, random));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i].shape, graph.nodes[i].shape);
    EXPECT_EQ(static_cast<std::int64_t>(values[i].data.size()), values[i].shape.size());
  }
}

TEST(FloatExecutor, WrongInputsAreRefusedWithBothShapes) {
  const Graph graph = residual_network();
  expect_contains(error_of([&] { run(graph, {{3, 8, 8}, std::vector<float>(192)}); }), {"2x8x8", "3x8x8"});
  expect_contains(error_of([&] { run(graph, {{2, 8, 8}, std::vector<float>(5)}); }), {"5 values"});
  expect_contains(error_of([&] { logits(graph, std::vector<float>(129)); }), {"129", "2x8x8"});
}

}  // namespace
}  // namespace ap::nn
