#include "nn/onnx/graph_passes.h"

#include <gtest/gtest.h>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

using Names = std::vector<std::string>;

class GraphPasses : public ::testing::Test {
 protected:
  void SetUp() override {
    graph_.name = std::string("g");
    add(InputOp{}, {}, {3, 5, 5});
  }
  int add(Op op, std::vector<int> inputs, Shape shape) {
    graph_.nodes.push_back(
        {fmt::format("node{}", graph_.nodes.size()), std::move(op), std::move(inputs), shape});
    return static_cast<int>(graph_.nodes.size()) - 1;
  }
  std::vector<float> floats(int count) { return random_floats(static_cast<std::size_t>(count), random_); }
  int conv(int from, int c_out, const Window& w, int groups = 1) {
    const Shape in = graph_.nodes[static_cast<std::size_t>(from)].shape;
    return add(ConvOp{w, groups, floats(c_out * in.c / groups * w.kernel_h * w.kernel_w), floats(c_out)},
               {from}, {c_out, w.out_h(in.h), w.out_w(in.w)});
  }
  int affine(int from) {
    const Shape in = graph_.nodes[static_cast<std::size_t>(from)].shape;
    return add(AffineOp{floats(in.c), floats(in.c)}, {from}, in);
  }
  /// Simplifies to the operations `names` and checks that the function is the same.
  void expect_simplified(int output, const Names& names) {
    const Tensor image = random_image(graph_.input_shape(), random_);
    const Tensor before = run(graph_, image)[static_cast<std::size_t>(output)];
    simplify(graph_, output);
    validate(graph_);
    EXPECT_EQ(op_names(graph_), names);
    const Tensor after = output_of(graph_, image);
    EXPECT_EQ(after.shape, before.shape);
    expect_near(after.data, before.data);
  }
  Graph graph_;
  std::mt19937 random_{3};
};

TEST_F(GraphPasses, AffineFoldsIntoTheConvolutionBefore) {
  const int out = affine(affine(conv(0, 6, {3, 3, 2, 1, {1, 1, 0, 1}}, 3)));
  expect_simplified(add(ClipOp{0, 6}, {out}, graph_.nodes.back().shape), {"input", "conv", "clip"});
}

TEST_F(GraphPasses, AffineOfALayerWithAnotherReaderIsALayerOfItsOwn) {
  const int c = conv(0, 4, {3, 3, 1, 1, {1, 1, 1, 1}});
  const int a = affine(c);
  expect_simplified(add(AddOp{}, {a, c}, graph_.nodes.back().shape), {"input", "conv", "conv", "add"});
}

TEST_F(GraphPasses, AffineThatIsTheOutputOrSharedFolds) {
  const int c = conv(0, 4, {1, 1, 1, 1, {}});
  const int a = affine(c);
  const int r = add(ClipOp{0, 1}, {a}, graph_.nodes.back().shape);
  expect_simplified(add(AddOp{}, {r, a}, graph_.nodes.back().shape), {"input", "conv", "clip", "add"});
}

TEST_F(GraphPasses, AffineFoldsIntoLayersAfterItUnlessPaddingTellsTheDifference) {
  const int a = affine(0);
  const int same = conv(a, 6, {3, 3, 1, 1, {}}, 3);
  const int padded = conv(a, 6, {3, 3, 1, 1, {1, 1, 1, 1}});
  const int pool = add(MaxPoolOp{{3, 3, 1, 1, {}}}, {padded}, {6, 3, 3});
  expect_simplified(add(AddOp{}, {same, pool}, {6, 3, 3}),
                    {"input", "affine", "conv", "conv", "max_pool", "add"});
}

TEST_F(GraphPasses, AffineFoldsIntoAFullyConnectedLayerAfterIt) {
  const int a = affine(0);
  expect_simplified(add(FullyConnectedOp{floats(75 * 4), floats(4)}, {a}, {4, 1, 1}),
                    {"input", "fully_connected"});
}

TEST_F(GraphPasses, ZeroPaddingFoldsIntoTheConvolution) {
  GatherOp pad;
  for (int c = 0; c < 3; ++c) {
    for (int y = -1; y < 5; ++y) {
      for (int x = 0; x < 7; ++x) pad.index.push_back(y >= 0 && x < 5 ? (c * 5 + y) * 5 + x : -1);
    }
  }
  const int padded = add(pad, {0}, {3, 6, 7});
  expect_simplified(conv(padded, 2, {3, 3, 2, 2, {0, 1, 1, 0}}), {"input", "conv"});
  EXPECT_EQ(std::get<ConvOp>(graph_.nodes[1].op).window.pad, (Padding{1, 1, 1, 2}));
}

TEST_F(GraphPasses, PaddingOfChannelsStaysAGather) {
  GatherOp pad;
  for (int i = 0; i < 100; ++i) pad.index.push_back(i < 75 ? i : -1);
  expect_simplified(conv(add(pad, {0}, {4, 5, 5}), 2, {1, 1, 1, 1, {}}), {"input", "gather", "conv"});
}

TEST_F(GraphPasses, GathersMergeAndVanish) {
  GatherOp reversed, shifted;
  for (int i = 0; i < 75; ++i) reversed.index.push_back(74 - i);
  for (int i = 0; i < 75; ++i) shifted.index.push_back(i - 1);
  const int twice = add(reversed, {add(reversed, {0}, {3, 5, 5})}, {3, 5, 5});
  const int r = add(ClipOp{0, 1}, {twice}, {3, 5, 5});
  expect_simplified(add(shifted, {add(reversed, {r}, {75, 1, 1})}, {75, 1, 1}), {"input", "clip", "gather"});
}

TEST_F(GraphPasses, FullyConnectedLayersReadThroughGathers) {
  GatherOp reversed;
  for (int i = 0; i < 75; ++i) reversed.index.push_back(i == 7 ? -1 : 74 - i);
  const int g = add(reversed, {add(ClipOp{0, 1}, {0}, {3, 5, 5})}, {75, 1, 1});
  expect_simplified(add(FullyConnectedOp{floats(75 * 4), floats(4)}, {g}, {4, 1, 1}),
                    {"input", "clip", "fully_connected"});
}

TEST_F(GraphPasses, OneFactorForAllIsThatOfAMean) {
  const int c = conv(0, 4, {3, 3, 1, 1, {1, 1, 1, 1}});
  const Shape shape = graph_.nodes.back().shape;
  const int half = add(AffineOp{std::vector<float>(4, 0.5F), std::vector<float>(4)}, {c}, shape);
  const int mean = add(AveragePoolOp{{5, 5, 1, 1, {}}, true}, {add(AddOp{}, {half, c}, shape)}, {4, 1, 1});
  const int sum = add(AffineOp{std::vector<float>(4, 25.0F), std::vector<float>(4)}, {mean}, {4, 1, 1});
  expect_simplified(add(ClipOp{0, 1}, {sum}, {4, 1, 1}),
                    {"input", "conv", "average_pool", "add", "average_pool", "clip"});
  EXPECT_EQ(std::get<AveragePoolOp>(graph_.nodes[2].op).factor, 0.5F);
  EXPECT_EQ(std::get<AveragePoolOp>(graph_.nodes[4].op).factor, 25.0F);
}

TEST_F(GraphPasses, ActivationsAndSumsGoBeforeReorderings) {
  GatherOp reversed;
  for (int i = 0; i < 75; ++i) reversed.index.push_back(74 - i);
  const int first = conv(0, 3, {1, 1, 1, 1, {}}), second = conv(0, 3, {3, 3, 1, 1, {1, 1, 1, 1}});
  const int sum =
      add(AddOp{}, {add(reversed, {first}, {75, 1, 1}), add(reversed, {second}, {75, 1, 1})}, {75, 1, 1});
  const int scaled =
      add(AffineOp{std::vector<float>(75, -2.0F), std::vector<float>(75, 1.0F)}, {sum}, {75, 1, 1});
  const int relu = add(ClipOp{0, 1}, {scaled}, {75, 1, 1});
  expect_simplified(add(reversed, {relu}, {3, 5, 5}), {"input", "conv", "conv", "add", "affine", "clip"});
}

TEST_F(GraphPasses, JoinedHeadsAreOneLayer) {
  const int a = add(FullyConnectedOp{floats(75 * 4), floats(4)}, {0}, {4, 1, 1});
  const int b = add(FullyConnectedOp{floats(75 * 2), floats(2)}, {0}, {2, 1, 1});
  expect_simplified(add(ConcatOp{}, {a, b}, {6, 1, 1}), {"input", "fully_connected"});
}

TEST_F(GraphPasses, PaddingAsLargeAsTheKernelStaysAGather) {
  GatherOp pad;
  for (int c = 0; c < 3; ++c) {
    for (int y = -1; y < 6; ++y) {
      for (int x = -1; x < 6; ++x)
        pad.index.push_back(y >= 0 && y < 5 && x >= 0 && x < 5 ? (c * 5 + y) * 5 + x : -1);
    }
  }
  expect_simplified(conv(add(pad, {0}, {3, 7, 7}), 2, {1, 1, 1, 1, {}}), {"input", "gather", "conv"});
}

TEST_F(GraphPasses, OutputMustDependOnTheInputAndDiffer) {
  expect_contains(error_of([&] { simplify(graph_, 0); }), {"computes nothing"});
}

}  // namespace
}  // namespace ap::nn
