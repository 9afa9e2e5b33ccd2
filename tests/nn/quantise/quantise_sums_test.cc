// Sums of tensors whose scales are given: activations that are made of a line and a Clip of the same accumulator.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/execute/integer_executor.h"
#include "nn/quantise/quantise.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

class QuantiseSums : public ::testing::Test {
 protected:
  /// Adds a convolution of 2x9x9 to 4 channels; `rest` adds what follows and returns four channels, flat.
  void expect_close(const std::function<std::string(OnnxBuilder&, const std::string&)>& rest,
                    std::int64_t flat) {
    OnnxBuilder b({2, 9, 9});
    const auto conv = b.node("Conv",
                             {"input", b.constant({4, 2, 3, 3}, random_floats(72, random_)),
                              b.constant({4}, random_floats(4, random_))},
                             {{"pads", Dims{1, 1, 1, 1}}});
    const auto out =
        b.node("Gemm", {b.node("Flatten", {rest(b, conv)}),
                        b.constant({flat, 5}, random_floats(static_cast<std::size_t>(5 * flat), random_))});
    const Graph graph = import(b, out);
    std::vector<Tensor> images;
    for (int i = 0; i < 12; ++i) images.push_back(random_image({2, 9, 9}, random_));
    const QuantisedNetwork network = quantise(graph, images);
    double range = 0, worst = 0;
    for (const Tensor& image : images) {
      const std::vector<float> wanted = output_of(graph, image).data;
      const auto got = integer_logits(network, quantise_input(network, image.data));
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        range = std::max(range, std::abs(static_cast<double>(wanted[i])));
        worst =
            std::max(worst, std::abs(got[i] * network.nodes.back().scale - static_cast<double>(wanted[i])));
      }
    }
    EXPECT_LT(worst, 0.05 * range);
  }
  std::mt19937 random_{5};
};

TEST_F(QuantiseSums, SlopesOfAnySizeBeforeMeansWithPadding) {
  for (const float slope : {0.01F, 0.3F, 0.9F, 3.0F}) {
    SCOPED_TRACE(slope);
    expect_close(
        [&](OnnxBuilder& b, const std::string& x) {
          return b.node("AveragePool", {b.node("LeakyRelu", {x}, {{"alpha", slope}})},
                        {{"kernel_shape", Dims{3, 3}}, {"strides", Dims{3, 3}}, {"pads", Dims{1, 1, 1, 1}}});
        },
        36);
  }
}

TEST_F(QuantiseSums, PartsOfASumKeepItsScale) {
  expect_close(
      [](OnnxBuilder& b, const std::string& x) {
        const auto leaky = b.node("LeakyRelu", {x}, {{"alpha", 0.1F}});
        const auto first = b.node("Split", {leaky}, {{"axis", 1}});
        b.graph().mutable_node(b.graph().node_size() - 1)->add_output("second");
        return b.node("Concat", {"second", first}, {{"axis", 1}});
      },
      324);
}

TEST_F(QuantiseSums, AbsoluteValuesAndSlopesByChannel) {
  expect_close([](OnnxBuilder& b, const std::string& x) { return b.node("Abs", {x}); }, 324);
  expect_close(
      [](OnnxBuilder& b, const std::string& x) {
        return b.node("PRelu", {x, b.constant({4, 1, 1}, {0.25F, -0.5F, 0.9F, 0})});
      },
      324);
  expect_close(
      [](OnnxBuilder& b, const std::string& x) {
        return b.node("ReduceSum", {b.node("LeakyRelu", {x}), b.integers({2, 3})}, {{"keepdims", 0}});
      },
      4);
}

}  // namespace
}  // namespace ap::nn
