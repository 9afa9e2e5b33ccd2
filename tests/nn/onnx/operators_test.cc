// Every operator, imported and run, against its definition.
#include <gtest/gtest.h>

#include "tests/nn/execute/naive_ops.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

using Names = std::vector<std::string>;

class OnnxOperators : public ::testing::Test {
 protected:
  int pick(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<unsigned>(high - low + 1));
  }
  std::mt19937 random_{2024};
};

TEST_F(OnnxOperators, ConvolutionOfAnyShapeMatchesTheDefinition) {
  for (int round = 0; round < 300; ++round) {
    const int groups = pick(1, 3), c_in = groups * pick(1, 3), c_out = groups * pick(1, 3);
    naive::ConvParameters p{pick(1, 4),
                            pick(1, 4),
                            pick(1, 3),
                            pick(1, 3),
                            pick(1, 2),
                            pick(1, 2),
                            {pick(0, 2), pick(0, 2), pick(0, 2), pick(0, 2)},
                            groups};
    const Shape in{c_in, pick(7, 11), pick(7, 11)};
    const Dims shape = {c_out, c_in / groups, p.kernel_h, p.kernel_w};
    const auto weights = random_floats(product(shape), random_);
    const bool with_bias = pick(0, 1) == 1;
    const auto bias = with_bias ? random_floats(static_cast<std::size_t>(c_out), random_)
                                : std::vector<float>(static_cast<std::size_t>(c_out), 0.0F);
    OnnxBuilder b({in.c, in.h, in.w});
    Names inputs = {"input", b.constant(shape, weights)};
    if (with_bias) inputs.push_back(b.constant({c_out}, bias));
    const auto out = b.node("Conv", inputs,
                            {{"strides", Dims{p.stride_h, p.stride_w}},
                             {"pads", Dims{p.pad.top, p.pad.left, p.pad.bottom, p.pad.right}},
                             {"dilations", Dims{p.dilation_h, p.dilation_w}},
                             {"group", groups}});
    const Tensor image = random_image(in, random_);
    const Tensor got = output_of(import(b, out), image), wanted = naive::conv(image, weights, bias, c_out, p);
    ASSERT_EQ(got.shape, wanted.shape) << "round " << round;
    expect_near(got.data, wanted.data);
  }
}

TEST_F(OnnxOperators, ConvolutionLargerThanOneTileMatchesTheDefinition) {
  const Shape in{40, 33, 29};
  const auto weights = random_floats(3 * 40 * 9, random_), bias = random_floats(3, random_);
  OnnxBuilder b({in.c, in.h, in.w});
  const auto out = b.node("Conv", {"input", b.constant({3, 40, 3, 3}, weights), b.constant({3}, bias)},
                          {{"pads", Dims{1, 1, 1, 1}}});
  const Tensor image = random_image(in, random_);
  const naive::ConvParameters p{3, 3, 1, 1, 1, 1, {1, 1, 1, 1}, 1};
  expect_near(output_of(import(b, out), image).data, naive::conv(image, weights, bias, 3, p).data, 1e-4);
}

TEST_F(OnnxOperators, AutoPadGivesTheSizesOfTheStandard) {
  struct Case {
    const char* kind;
    int size, kernel, stride, before, after;
  };
  // SAME: ceil(size / stride) outputs, the odd element behind (UPPER) or in front (LOWER).
  for (const Case& c :
       {Case{"SAME_UPPER", 7, 3, 2, 1, 1}, Case{"SAME_UPPER", 8, 3, 2, 0, 1},
        Case{"SAME_LOWER", 8, 3, 2, 1, 0}, Case{"SAME_UPPER", 5, 1, 3, 0, 0}, Case{"VALID", 8, 3, 2, 0, 0}}) {
    OnnxBuilder b({2, c.size, c.size});
    const auto weights = random_floats(static_cast<std::size_t>(2 * 2 * c.kernel * c.kernel), random_);
    const auto out = b.node("Conv", {"input", b.constant({2, 2, c.kernel, c.kernel}, weights)},
                            {{"auto_pad", c.kind}, {"strides", Dims{c.stride, c.stride}}});
    const Tensor image = random_image({2, c.size, c.size}, random_);
    const naive::ConvParameters p{
        c.kernel, c.kernel, c.stride, c.stride, 1, 1, {c.before, c.before, c.after, c.after}, 1};
    const Tensor got = output_of(import(b, out), image), wanted = naive::conv(image, weights, {0, 0}, 2, p);
    ASSERT_EQ(got.shape, wanted.shape) << c.kind << " " << c.size;
    expect_near(got.data, wanted.data);
  }
}

TEST_F(OnnxOperators, GemmAndMatMulMatchTheDefinition) {
  for (int round = 0; round < 60; ++round) {
    const int n_in = pick(1, 20), n_out = pick(1, 12), kind = pick(0, 2);
    const auto m = random_floats(static_cast<std::size_t>(n_in * n_out), random_);
    const auto c = random_floats(static_cast<std::size_t>(n_out), random_);
    OnnxBuilder b({n_in});
    std::string out;
    const float alpha = kind == 2 ? 1.0F : 0.5F, beta = kind == 2 ? 1.0F : -2.0F;
    if (kind == 2) {
      out =
          b.node("Add", {b.node("MatMul", {"input", b.constant({n_in, n_out}, m)}), b.constant({n_out}, c)});
    } else {
      const Dims dims = kind == 1 ? Dims{n_out, n_in} : Dims{n_in, n_out};
      out = b.node("Gemm", {"input", b.constant(dims, m), b.constant({1, n_out}, c)},
                   {{"alpha", alpha}, {"beta", beta}, {"transB", kind}});
    }
    const Tensor image = random_image({n_in, 1, 1}, random_);
    std::vector<float> wanted;
    for (int o = 0; o < n_out; ++o) {
      double sum = static_cast<double>(beta) * static_cast<double>(c[static_cast<std::size_t>(o)]);
      for (int i = 0; i < n_in; ++i) {
        const auto at = static_cast<std::size_t>(kind == 1 ? o * n_in + i : i * n_out + o);
        sum += static_cast<double>(alpha) * static_cast<double>(m[at]) *
               static_cast<double>(image.data[static_cast<std::size_t>(i)]);
      }
      wanted.push_back(static_cast<float>(sum));
    }
    const Graph graph = import(b, out);
    EXPECT_EQ(op_names(graph), (Names{"input", "fully_connected"}));
    expect_near(output_of(graph, image).data, wanted);
  }
}

TEST_F(OnnxOperators, PoolingMatchesTheDefinition) {
  for (int round = 0; round < 200; ++round) {
    Window w{pick(1, 4), pick(1, 4), pick(1, 3), pick(1, 3), {}};
    w.pad = {pick(0, w.kernel_h - 1), pick(0, w.kernel_w - 1), pick(0, w.kernel_h - 1),
             pick(0, w.kernel_w - 1)};
    if (w == Window{}) continue;  // computes nothing
    const Shape in{pick(1, 3), pick(5, 9), pick(5, 9)};
    const int kind = pick(0, 2);
    OnnxBuilder b({in.c, in.h, in.w});
    std::vector<Attribute> attributes = {{"kernel_shape", Dims{w.kernel_h, w.kernel_w}},
                                         {"strides", Dims{w.stride_h, w.stride_w}},
                                         {"pads", Dims{w.pad.top, w.pad.left, w.pad.bottom, w.pad.right}}};
    if (kind == 2) attributes.emplace_back("count_include_pad", 1);
    const auto out = b.node(kind == 0 ? "MaxPool" : "AveragePool", {"input"}, attributes);
    const Tensor image = random_image(in, random_);
    const Tensor got = output_of(import(b, out), image), wanted = naive::pool(image, w, kind);
    ASSERT_EQ(got.shape, wanted.shape);
    expect_near(got.data, wanted.data);
  }
}

TEST_F(OnnxOperators, CeilModeAddsThePartialWindow) {
  const Tensor image = random_image({1, 6, 6}, random_);
  OnnxBuilder b({1, 6, 6});
  const auto out =
      b.node("MaxPool", {"input"}, {{"kernel_shape", Dims{3, 3}}, {"strides", Dims{2, 2}}, {"ceil_mode", 1}});
  const Tensor got = output_of(import(b, out), image);
  EXPECT_EQ(got.shape, (Shape{1, 3, 3}));
  expect_near(got.data, naive::pool(image, {3, 3, 2, 2, {0, 0, 1, 1}}, 0).data);
  // A window that would start behind the image is left out: 5 pixels, kernel 1, stride 2, no padding: 3
  // outputs.
  OnnxBuilder exact({1, 5, 5});
  const auto same = exact.node("AveragePool", {"input"},
                               {{"kernel_shape", Dims{1, 1}}, {"strides", Dims{2, 2}}, {"ceil_mode", 1}});
  EXPECT_EQ(import(exact, same).output_shape(), (Shape{1, 3, 3}));
}

TEST_F(OnnxOperators, GlobalAverageInBothSpellings) {
  const Tensor image = random_image({3, 4, 5}, random_);
  const auto wanted = naive::pool(image, {4, 5, 1, 1, {}}, 1).data;
  OnnxBuilder b({3, 4, 5});
  expect_near(output_of(import(b, b.node("GlobalAveragePool", {"input"})), image).data, wanted);
  OnnxBuilder r({3, 4, 5});
  const auto mean = r.node("ReduceMean", {"input"}, {{"axes", Dims{-1, 2}}, {"keepdims", 0}});
  const Graph graph = import(r, mean);
  EXPECT_EQ(graph.output_shape(), (Shape{3, 1, 1}));
  expect_near(output_of(graph, image).data, wanted);
}

TEST_F(OnnxOperators, ReluAndClipInBothSpellings) {
  const Tensor image = random_image({2, 3, 3}, random_);
  const auto clipped = [&](float low, float high) {
    std::vector<float> out = image.data;
    for (float& v : out) v = std::min(std::max(v, low), high);
    return out;
  };
  OnnxBuilder relu({2, 3, 3}), old({2, 3, 3}), both({2, 3, 3}), upper({2, 3, 3});
  expect_near(output_of(import(relu, relu.node("Relu", {"input"})), image).data, clipped(0, 100));
  const auto by_attribute = old.node("Clip", {"input"}, {{"min", -0.5F}, {"max", 0.25F}});
  expect_near(output_of(import(old, by_attribute), image).data, clipped(-0.5F, 0.25F));
  const auto by_input = both.node("Clip", {"input", both.scalar(-0.5F), both.scalar(0.25F)});
  expect_near(output_of(import(both, by_input), image).data, clipped(-0.5F, 0.25F));
  const auto no_low = upper.node("Clip", {"input", "", upper.scalar(0.25F)});
  expect_near(output_of(import(upper, no_low), image).data, clipped(-100, 0.25F));
}

TEST_F(OnnxOperators, PolynomialsBecomeOneQuadraticNode) {
  const Tensor image = random_image({2, 3, 3}, random_);
  const auto check = [&](OnnxBuilder& b, const std::string& out, double c0, double c1, double c2) {
    const Graph graph = import(b, out);
    EXPECT_EQ(op_names(graph), (Names{"input", "quadratic"}));
    std::vector<float> wanted;
    for (const float x : image.data) wanted.push_back(static_cast<float>(c0 + c1 * x + c2 * x * x));
    expect_near(output_of(graph, image).data, wanted);
  };
  OnnxBuilder square({2, 3, 3}), power({2, 3, 3}), horner({2, 3, 3}), sum({2, 3, 3}), shifted({2, 3, 3});
  check(square, square.node("Mul", {"input", "input"}), 0, 0, 1);
  check(power, power.node("Pow", {"input", power.scalar(2)}), 0, 0, 1);
  const auto inner =
      horner.node("Add", {horner.node("Mul", {horner.scalar(0.25F), "input"}), horner.scalar(0.5F)});
  check(horner, horner.node("Sub", {horner.node("Mul", {inner, "input"}), horner.scalar(2)}), -2, 0.5, 0.25);
  const auto linear = sum.node("Add", {sum.node("Mul", {"input", sum.scalar(0.5F)}), sum.scalar(0.125F)});
  const auto quadratic = sum.node("Mul", {sum.node("Mul", {"input", sum.scalar(0.25F)}), "input"});
  check(sum, sum.node("Add", {linear, quadratic}), 0.125, 0.5, 0.25);
  // (1 - x)^2 / 2
  const auto base = shifted.node("Sub", {shifted.scalar(1), "input"});
  check(shifted, shifted.node("Div", {shifted.node("Mul", {base, base}), shifted.scalar(2)}), 0.5, -1, 0.5);
}

TEST_F(OnnxOperators, SquareOfASquareTakesTwoNodes) {
  OnnxBuilder b({3});
  const auto square = b.node("Mul", {"input", "input"});
  const Graph graph = import(b, b.node("Mul", {square, square}));
  EXPECT_EQ(op_names(graph), (Names{"input", "quadratic", "quadratic"}));
  expect_near(output_of(graph, {{3, 1, 1}, {1, -2, 3}}).data, {1, 16, 81});
}

TEST_F(OnnxOperators, SumsDifferencesAndChannelConstants) {
  const Tensor image = random_image({2, 2, 2}, random_);
  OnnxBuilder b({2, 2, 2});
  const auto relu = b.node("Relu", {"input"});
  const auto scaled = b.node("Mul", {b.constant({2, 1, 1}, {2, 3}), "input"});
  const auto shifted = b.node("Sub", {b.constant({1, 2, 1, 1}, {1, -1}), b.node("Neg", {scaled})});
  const auto out =
      b.node("Sub", {b.node("Add", {relu, shifted}), b.node("Div", {relu, b.constant({2, 1, 1}, {4, 5})})});
  std::vector<float> wanted;
  for (std::size_t i = 0; i < 8; ++i) {
    const float x = image.data[i], r = std::max(0.0F, x);
    wanted.push_back(i < 4 ? r + 2 * x + 1 - r / 4 : r + 3 * x - 1 - r / 5);
  }
  expect_near(output_of(import(b, out), image).data, wanted);
}

TEST_F(OnnxOperators, BatchNormalizationMatchesTheDefinition) {
  const auto gamma = random_floats(3, random_), beta = random_floats(3, random_),
             mean = random_floats(3, random_), variance = random_floats(3, random_, 0.5F, 2.0F);
  const Tensor image = random_image({3, 4, 4}, random_);
  OnnxBuilder b({3, 4, 4});
  const auto out = b.node("BatchNormalization",
                          {"input", b.constant({3}, gamma), b.constant({3}, beta), b.constant({3}, mean),
                           b.constant({3}, variance)},
                          {{"epsilon", 0.01F}});
  std::vector<float> wanted;
  for (std::size_t i = 0; i < image.data.size(); ++i) {
    const std::size_t c = i / 16;
    wanted.push_back((image.data[i] - mean[c]) / std::sqrt(variance[c] + 0.01F) * gamma[c] + beta[c]);
  }
  const Graph graph = import(b, out);
  EXPECT_EQ(op_names(graph), (Names{"input", "affine"}));
  expect_near(output_of(graph, image).data, wanted);
}

TEST_F(OnnxOperators, SliceFollowsNumpy) {
  Tensor image{{2, 3, 4}, {}};
  for (int i = 0; i < 24; ++i) image.data.push_back(static_cast<float>(i));
  OnnxBuilder b({2, 3, 4});
  // x[:, :, ::-2, -3:100]
  const auto out = b.node("Slice", {"input", b.integers({-1, -3}), b.integers({-100, 100}),
                                    b.integers({2, 3}), b.integers({-2, 1})});
  const Tensor got = output_of(import(b, out), image);
  EXPECT_EQ(got.shape, (Shape{2, 2, 3}));
  EXPECT_EQ(got.data, (std::vector<float>{9, 10, 11, 1, 2, 3, 21, 22, 23, 13, 14, 15}));
  OnnxBuilder old({2, 3, 4});
  const auto attributes =
      old.node("Slice", {"input"}, {{"starts", Dims{1}}, {"ends", Dims{2}}, {"axes", Dims{1}}});
  EXPECT_EQ(output_of(import(old, attributes), image).data,
            std::vector<float>(image.data.begin() + 12, image.data.end()));
}

TEST_F(OnnxOperators, PadTransposeAndConcatMoveValues) {
  const Tensor image{{1, 2, 2}, {1, 2, 3, 4}};
  OnnxBuilder pad({1, 2, 2});
  const auto padded = pad.node("Pad", {"input", pad.integers({0, 1, 0, -1, 0, 0, 1, 0})});
  const Tensor p = output_of(import(pad, padded), image);
  EXPECT_EQ(p.shape, (Shape{2, 3, 1}));
  EXPECT_EQ(p.data, (std::vector<float>{0, 0, 0, 2, 4, 0}));
  OnnxBuilder transpose({1, 2, 2});
  const auto turned = transpose.node("Transpose", {"input"}, {{"perm", Dims{0, 3, 2, 1}}});
  const Tensor t = output_of(import(transpose, turned), image);
  EXPECT_EQ(t.shape, (Shape{2, 2, 1}));
  EXPECT_EQ(t.data, (std::vector<float>{1, 3, 2, 4}));
  OnnxBuilder concat({1, 2, 2});
  const auto joined =
      concat.node("Concat", {"input", concat.node("Relu", {"input"}), "input"}, {{"axis", -3}});
  const Tensor c = output_of(import(concat, joined), image);
  EXPECT_EQ(c.shape, (Shape{3, 2, 2}));
  EXPECT_EQ(c.data, (std::vector<float>{1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4}));
}

TEST_F(OnnxOperators, ViewsCostNothing) {
  const auto weights = random_floats(24 * 3, random_);
  const Tensor image = random_image({2, 3, 4}, random_);
  const auto build = [&](auto flatten) {
    OnnxBuilder b({2, 3, 4});
    const auto flat = flatten(b, b.node("Relu", {"input"}));
    const Graph graph = import(b, b.node("Gemm", {flat, b.constant({24, 3}, weights)}));
    EXPECT_EQ(op_names(graph), (Names{"input", "clip", "fully_connected"}));
    return output_of(graph, image).data;
  };
  const auto wanted = build([](OnnxBuilder& b, const std::string& x) { return b.node("Flatten", {x}); });
  EXPECT_EQ(wanted, build([](OnnxBuilder& b, const std::string& x) {
              return b.node("Reshape", {b.node("Dropout", {x}), b.integers({0, -1})});
            }));
  EXPECT_EQ(wanted, build([](OnnxBuilder& b, const std::string& x) {
              const auto wide =
                  b.node("Unsqueeze", {b.node("Reshape", {x, b.integers({-1, 24})})}, {{"axes", Dims{1}}});
              return b.node("Identity", {b.node("Squeeze", {wide, b.integers({1})})});
            }));
  // The shape written out as a computation, as exporters do for x.view(x.size(0), -1).
  EXPECT_EQ(wanted, build([](OnnxBuilder& b, const std::string& x) {
              const auto index = b.node("Constant", {}, {{"value", integer_tensor("", {}, {0})}});
              const auto size = b.node("Gather", {b.node("Shape", {x}), index}, {{"axis", 0}});
              const auto list = b.node("Unsqueeze", {size}, {{"axes", Dims{0}}});
              return b.node("Reshape", {x, b.node("Concat", {list, b.integers({24})}, {{"axis", 0}})});
            }));
}

TEST_F(OnnxOperators, ReshapeBetweenConvolutionsKeepsRowMajorOrder) {
  const auto w = random_floats(4 * 4, random_);
  const Tensor image = random_image({2, 2, 4}, random_);
  OnnxBuilder b({2, 2, 4});
  const auto relu = b.node("Relu", {"input"});
  const auto seen = b.node("Reshape", {relu, b.integers({0, 4, 2, 2})});
  const Graph graph = import(b, b.node("Conv", {seen, b.constant({4, 4, 1, 1}, w)}));
  Tensor reshaped = image;
  for (float& v : reshaped.data) v = std::max(v, 0.0F);
  reshaped.shape = {4, 2, 2};
  expect_near(output_of(graph, image).data,
              naive::conv(reshaped, w, {0, 0, 0, 0}, 4, {1, 1, 1, 1, 1, 1, {}, 1}).data);
}

TEST_F(OnnxOperators, LastSoftmaxIsLeftOutWithANote) {
  OnnxBuilder b({4});
  const auto relu = b.node("Relu", {"input"});
  const Graph graph = import(b, b.node("Softmax", {relu}, {{"axis", 1}}));
  EXPECT_EQ(op_names(graph), (Names{"input", "clip"}));
  ASSERT_EQ(graph.notes.size(), 1U);
  expect_contains(graph.notes[0], {"Softmax", "logits"});
}

}  // namespace
}  // namespace ap::nn
