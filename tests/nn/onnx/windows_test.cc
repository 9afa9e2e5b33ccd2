// Convolutions and pools beyond the plain window: borders, dilation, one dimension, large kernels, reductions.
#include <gtest/gtest.h>

#include <numeric>

#include "tests/nn/execute/naive_ops.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

Tensor counting(const Shape& shape) {
  Tensor out{shape, std::vector<float>(static_cast<std::size_t>(shape.size()))};
  std::iota(out.data.begin(), out.data.end(), 1.0F);
  return out;
}

class OnnxWindows : public ::testing::Test {
 protected:
  std::mt19937 random_{7};
};

TEST_F(OnnxWindows, OneDimension) {
  // x * [1 2] with stride 2 over 1..6, padded by one on the left: 0+2, 2+6, 4+10.
  OnnxBuilder b({1, 6});
  const auto conv =
      b.node("Conv", {"input", b.constant({1, 1, 2}, {1, 2})}, {{"strides", Dims{2}}, {"pads", Dims{1, 0}}});
  const Graph graph = import(b, b.node("MaxPool", {conv}, {{"kernel_shape", Dims{2}}}));
  EXPECT_EQ(graph.input_shape(), (Shape{1, 1, 6}));
  EXPECT_EQ(graph.input_form, (InputForm{{1, 6}, false}));
  EXPECT_EQ(output_of(graph, counting({1, 1, 6})).data, (std::vector<float>{8, 14}));
  OnnxBuilder channels({2, 4});
  const Graph two = import(
      channels, channels.node("GlobalAveragePool",
                              {channels.node("Conv", {"input", channels.constant({1, 2, 1}, {1, 10})})}));
  EXPECT_EQ(two.input_shape(), (Shape{2, 1, 4}));
  EXPECT_EQ(output_of(two, counting({2, 1, 4})).data, (std::vector<float>{2.5F + 65}));
}

TEST_F(OnnxWindows, PaddingAsLargeAsTheKernel) {
  const auto weights = random_floats(9, random_);
  for (const int pad : {3, 5}) {
    OnnxBuilder b({1, 4, 5});
    const auto out =
        b.node("Conv", {"input", b.constant({1, 1, 3, 3}, weights)}, {{"pads", Dims{pad, pad, 0, pad}}});
    const Graph graph = import(b, out);
    const Tensor image = random_image({1, 4, 5}, random_);
    const naive::ConvParameters p{3, 3, 1, 1, 1, 1, {pad, pad, 0, pad}, 1};
    expect_near(output_of(graph, image).data, naive::conv(image, weights, {0}, 1, p).data);
    EXPECT_LT(std::get<ConvOp>(graph.nodes.back().op).window.pad.top, 3);
  }
}

TEST_F(OnnxWindows, KernelsTooLargeForTheIntegerNetworkBecomePatches) {
  const auto weights = random_floats(2 * 2 * 80, random_);
  OnnxBuilder b({2, 200});
  const auto out = b.node("Conv", {"input", b.constant({2, 2, 80}, weights)},
                          {{"strides", Dims{4}}, {"pads", Dims{3, 1}}});
  const Graph graph = import(b, out);
  for (const Node& node : graph.nodes) {
    const auto* conv = std::get_if<ConvOp>(&node.op);
    EXPECT_TRUE(!conv || conv->window.kernel_w == 1);
  }
  const Tensor image = random_image({2, 1, 200}, random_);
  const naive::ConvParameters p{1, 80, 1, 4, 1, 1, {0, 3, 0, 1}, 1};
  expect_near(output_of(graph, image).data, naive::conv(image, weights, {0, 0}, 2, p).data, 1e-4);
}

TEST_F(OnnxWindows, TransposedConvolution) {
  // Each of 1 2 3 4 spreads {10 20; 30 40} with stride 2; one row is cut off above, one column is added behind.
  OnnxBuilder b({1, 2, 2});
  const auto out =
      b.node("ConvTranspose", {"input", b.constant({1, 1, 2, 2}, {10, 20, 30, 40}), b.constant({1}, {0.5F})},
             {{"strides", Dims{2, 2}}, {"pads", Dims{1, 0, 0, 0}}, {"output_padding", Dims{0, 1}}});
  const Tensor got = output_of(import(b, out), counting({1, 2, 2}));
  EXPECT_EQ(got.shape, (Shape{1, 3, 5}));
  EXPECT_EQ(got.data, (std::vector<float>{30.5F, 40.5F, 60.5F, 80.5F, 0.5F, 30.5F, 60.5F, 40.5F, 80.5F, 0.5F,
                                          90.5F, 120.5F, 120.5F, 160.5F, 0.5F}));
}

TEST_F(OnnxWindows, MaximaWithDilationStrideOfOneElementAndLargeWindows) {
  const Tensor image = counting({1, 4, 4});
  const auto pooled = [&](std::vector<Attribute> attributes) {
    OnnxBuilder b({1, 4, 4});
    return output_of(import(b, b.node("MaxPool", {"input"}, attributes)), image).data;
  };
  EXPECT_EQ(pooled({{"kernel_shape", Dims{2, 2}}, {"dilations", Dims{2, 2}}}),
            (std::vector<float>{11, 12, 15, 16}));
  EXPECT_EQ(pooled({{"kernel_shape", Dims{1, 1}}, {"strides", Dims{2, 2}}}),
            (std::vector<float>{1, 3, 9, 11}));
  const Tensor large = random_image({2, 20, 20}, random_);
  for (const int k : {9, 13}) {
    OnnxBuilder b({2, 20, 20});
    const auto out =
        b.node("MaxPool", {"input"},
               {{"kernel_shape", Dims{k, k}}, {"pads", Dims{2, 1, 3, 4}}, {"strides", Dims{2, 1}}});
    const Graph graph = import(b, out);
    expect_near(output_of(graph, large).data, naive::pool(large, {k, k, 2, 1, {2, 1, 3, 4}}, 0).data);
    for (const Node& node : graph.nodes) {
      if (const auto* pool = std::get_if<MaxPoolOp>(&node.op)) {
        EXPECT_LE(pool->window.kernel_h * pool->window.kernel_w, 64);
      }
    }
  }
}

TEST_F(OnnxWindows, GlobalMaximumOfAnySize) {
  for (const Shape shape : {Shape{2, 8, 8}, Shape{2, 28, 28}, Shape{1, 70, 3}}) {
    const Tensor image = random_image(shape, random_);
    OnnxBuilder b({shape.c, shape.h, shape.w});
    const Tensor got = output_of(import(b, b.node("GlobalMaxPool", {"input"})), image);
    const std::ptrdiff_t plane = shape.size() / shape.c;
    for (int c = 0; c < shape.c; ++c) {
      EXPECT_EQ(got.data[static_cast<std::size_t>(c)],
                *std::max_element(image.data.begin() + c * plane, image.data.begin() + (c + 1) * plane));
    }
  }
}

TEST_F(OnnxWindows, MeansWhoseDivisorsVaryAtTheBorder) {
  // 3x3 windows around each of 1..9: corners average 4 elements, edges 6.
  OnnxBuilder b({1, 3, 3});
  const auto out =
      b.node("AveragePool", {"input"}, {{"kernel_shape", Dims{3, 3}}, {"pads", Dims{1, 1, 1, 1}}});
  const Graph graph = import(b, out);
  expect_near(output_of(graph, counting({1, 3, 3})).data, {3, 3.5F, 4, 4.5F, 5, 5.5F, 6, 6.5F, 7});
  for (const Node& node : graph.nodes) {
    if (const auto* pool = std::get_if<AveragePoolOp>(&node.op)) {
      EXPECT_TRUE(pool->count_include_pad || pool->window.pad == Padding{});
    }
  }
  // ceil_mode with padding that counts: the last window covers 4, the padding behind, but nothing beyond it.
  OnnxBuilder ceil({1, 1, 4});
  const auto last = ceil.node("AveragePool", {"input"},
                              {{"kernel_shape", Dims{1, 3}},
                               {"strides", Dims{1, 2}},
                               {"pads", Dims{0, 1, 0, 0}},
                               {"ceil_mode", 1},
                               {"count_include_pad", 1}});
  expect_near(output_of(import(ceil, last), counting({1, 1, 4})).data, {1, 3});
  OnnxBuilder more({1, 1, 5});
  const auto partial = more.node("AveragePool", {"input"},
                                 {{"kernel_shape", Dims{1, 4}},
                                  {"strides", Dims{1, 3}},
                                  {"pads", Dims{0, 0, 0, 1}},
                                  {"ceil_mode", 1},
                                  {"count_include_pad", 1}});
  expect_near(output_of(import(more, partial), counting({1, 1, 5})).data, {2.5F, 3});
}

TEST_F(OnnxWindows, ReductionsOverAnyDimensions) {
  const Tensor image = counting({2, 2, 3});  // 1..6, 7..12
  const auto reduced = [&](const char* op, const Dims& axes, int keepdims) {
    OnnxBuilder b({2, 2, 3});
    return output_of(import(b, b.node(op, {"input"}, {{"axes", axes}, {"keepdims", keepdims}})), image);
  };
  EXPECT_EQ(reduced("ReduceMean", {1}, 1).data, (std::vector<float>{4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(reduced("ReduceMean", {-1}, 0).data, (std::vector<float>{2, 5, 8, 11}));
  EXPECT_EQ(reduced("ReduceMean", {2}, 0).shape, (Shape{2, 3, 1}));
  EXPECT_EQ(reduced("ReduceSum", {1, 3}, 0).data, (std::vector<float>{30, 48}));
  EXPECT_EQ(reduced("ReduceMax", {1, 2}, 1).data, (std::vector<float>{10, 11, 12}));
  EXPECT_EQ(reduced("ReduceMin", {2, 3}, 0).data, (std::vector<float>{1, 7}));
  EXPECT_EQ(reduced("ReduceSumSquare", {3}, 0).data, (std::vector<float>{14, 77, 194, 365}));
}

}  // namespace
}  // namespace ap::nn
