// Inputs of other layouts and types, and operators that move values, one by one.
#include <gtest/gtest.h>

#include <numeric>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

Tensor counting(const Shape& shape) {
  Tensor out{shape, std::vector<float>(static_cast<std::size_t>(shape.size()))};
  std::iota(out.data.begin(), out.data.end(), 0.0F);
  return out;
}

void set_type(OnnxBuilder& b, int type) {
  b.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(type);
}

TEST(OnnxLayouts, ChannelsLastOfAConvolution) {
  OnnxBuilder b({2, 3, 2});
  const auto turned =
      b.node("Transpose", {b.node("Mul", {"input", b.scalar(2)})}, {{"perm", Dims{0, 3, 1, 2}}});
  const auto conv = b.node("Conv", {turned, b.constant({1, 2, 1, 1}, {1, 10})});
  const auto back = b.node("Transpose", {b.node("Relu", {conv})}, {{"perm", Dims{0, 2, 3, 1}}});
  const Graph graph = import(b, b.node("Add", {back, b.constant({1}, {0.5F})}));
  EXPECT_EQ(graph.input_shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(graph.input_form, (InputForm{{2, 3, 2}, true}));
  EXPECT_EQ(op_names(graph)[1], "conv") << "the image lies as the convolution wants it";
  EXPECT_EQ(output_of(graph, counting({2, 2, 3})).data,
            (std::vector<float>{120.5F, 142.5F, 164.5F, 186.5F, 208.5F, 230.5F}));
}

TEST(OnnxLayouts, ChannelsLastOfAFlattenedImage) {
  OnnxBuilder b({5, 6, 3});
  std::vector<float> weights(90);
  std::iota(weights.begin(), weights.end(), 0.0F);
  const Graph graph =
      import(b, b.node("MatMul", {b.node("Flatten", {"input"}), b.constant({90, 1}, weights)}));
  EXPECT_EQ(graph.input_shape(), (Shape{3, 5, 6}));
  EXPECT_EQ(op_names(graph), (std::vector<std::string>{"input", "fully_connected"}));
  Tensor image{{3, 5, 6}, std::vector<float>(90)};
  image.data[static_cast<std::size_t>(2 * 30 + 4 * 6 + 1)] = 1;  // channel 2, row 4, column 1
  EXPECT_EQ(output_of(graph, image).data, (std::vector<float>{static_cast<float>((4 * 6 + 1) * 3 + 2)}));
  // Three channels in front stay in front, and so do images without channels.
  OnnxBuilder front({3, 8, 8}), none({8, 8});
  EXPECT_EQ(import(front, front.node("Relu", {front.node("Flatten", {"input"})})).input_form, InputForm{});
  EXPECT_EQ(import(none, none.node("Relu", {none.node("Flatten", {"input"})})).input_shape(),
            (Shape{1, 8, 8}));
}

TEST(OnnxLayouts, BiasAndMatrixOnTheLastDimension) {
  OnnxBuilder b({2, 2, 3});
  const auto turned = b.node("Transpose", {b.node("Relu", {"input"})}, {{"perm", Dims{0, 2, 3, 1}}});
  const auto product = b.node("MatMul", {turned, b.constant({2, 2}, {1, 0, 10, 1})});
  const auto sum = b.node("Add", {product, b.constant({2}, {100, 200})});
  const Graph graph = import(b, b.node("Transpose", {b.node("Relu", {sum})}, {{"perm", Dims{0, 3, 1, 2}}}));
  EXPECT_EQ(op_names(graph), (std::vector<std::string>{"input", "clip", "conv", "clip"}));
  EXPECT_EQ(output_of(graph, counting({2, 2, 3})).data,
            (std::vector<float>{160, 171, 182, 193, 204, 215, 206, 207, 208, 209, 210, 211}));
}

TEST(OnnxLayouts, ConstantsThatVaryOverTheImage) {
  OnnxBuilder b({1, 2, 2});
  const auto centred = b.node("Sub", {"input", b.constant({1, 2, 2}, {1, 2, 3, 4})});
  const auto scaled = b.node("Mul", {centred, b.constant({2, 1}, {2, -1})});
  const Tensor image{{1, 2, 2}, {5, 5, 5, 5}};
  EXPECT_EQ(output_of(import(b, scaled), image).data, (std::vector<float>{8, 6, -2, -1}));
  const auto flat = b.node("Gemm", {b.node("Flatten", {scaled}), b.constant({4, 1}, {1, 1, 1, 1})});
  const Graph graph = import(b, flat);
  EXPECT_EQ(op_names(graph), (std::vector<std::string>{"input", "fully_connected"}));
  EXPECT_EQ(output_of(graph, image).data, (std::vector<float>{11}));
}

TEST(OnnxLayouts, InputsOfOtherTypes) {
  for (const int type : {2, 3, 6, 10, 11}) {  // uint8, int8, int32, float16, double
    OnnxBuilder b({3});
    set_type(b, type);
    const auto real = b.node(
        "Cast", {b.node("Cast", {b.node("Flatten", {"input"})}, {{"to", type < 6 ? 6 : type}})}, {{"to", 1}});
    EXPECT_EQ(output_of(import(b, b.node("Mul", {real, b.scalar(0.5F)})), {{3, 1, 1}, {1, 2, 255}}).data,
              (std::vector<float>{0.5F, 1, 127.5F}));
  }
  OnnxBuilder integers({3}), cut({3});
  set_type(integers, 2);
  expect_contains(error_of([&] {
                    import(integers, integers.node("Add", {"input", "input"}));
                  }),
                  {"n0 (Add)", "Cast to float"});
  expect_contains(error_of([&] {
                    import(cut, cut.node("Relu", {cut.node("Cast", {"input"}, {{ "to", 7 }})}));
                  }),
                  {"n0 (Cast)", "int64"});
}

Tensor moved(const Dims& image, const std::function<std::string(OnnxBuilder&)>& build) {
  OnnxBuilder b(image);
  const Shape shape{static_cast<int>(image[0]), image.size() > 1 ? static_cast<int>(image[1]) : 1,
                    image.size() > 2 ? static_cast<int>(image[2]) : 1};
  const Graph graph = import(b, build(b));
  return output_of(graph, {graph.input_shape(), counting(shape).data});
}

TEST(OnnxLayouts, PartsRepeatsAndPicks) {
  EXPECT_EQ(moved({4, 1, 2},
                  [](OnnxBuilder& b) {
                    b.node("Split", {"input", b.integers({1, 3})}, {{"axis", 1}});
                    b.graph().mutable_node(0)->add_output("rest");
                    return b.node("Relu", {"rest"});
                  })
                .data,
            (std::vector<float>{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(moved({2, 1, 1},
                  [](OnnxBuilder& b) {
                    return b.node("Expand", {"input", b.integers({1, 2, 1, 3})});
                  })
                .data,
            (std::vector<float>{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(moved({1, 1, 2},
                  [](OnnxBuilder& b) {
                    return b.node("Tile", {"input", b.integers({1, 2, 1, 2})});
                  })
                .data,
            (std::vector<float>{0, 1, 0, 1, 0, 1, 0, 1}));
  const Tensor picked = moved({2, 2, 3}, [](OnnxBuilder& b) {
    return b.node("Gather", {"input", b.node("Constant", {}, {{"value", integer_tensor("", {}, {-1})}})},
                  {{"axis", 2}});
  });
  EXPECT_EQ(picked.shape, (Shape{2, 3, 1}));
  EXPECT_EQ(picked.data, (std::vector<float>{3, 4, 5, 9, 10, 11}));
}

TEST(OnnxLayouts, PaddingOfEveryMode) {
  const auto padded = [](const char* mode, const Dims& pads, std::vector<float> fill) {
    return moved({1, 1, 3},
                 [&](OnnxBuilder& b) {
                   std::vector<std::string> inputs = {"input", b.integers(pads)};
                   if (!fill.empty()) inputs.push_back(b.constant({}, fill));
                   return b.node("Pad", inputs, {{"mode", mode}});
                 })
        .data;
  };
  EXPECT_EQ(padded("reflect", {0, 0, 0, 2, 0, 0, 0, 1}, {}), (std::vector<float>{2, 1, 0, 1, 2, 1}));
  EXPECT_EQ(padded("edge", {0, 0, 0, 1, 0, 0, 0, 2}, {}), (std::vector<float>{0, 0, 1, 2, 2, 2}));
  EXPECT_EQ(padded("constant", {0, 0, 0, 1, 0, 0, 0, -1}, {9}), (std::vector<float>{9, 0, 1}));
}

TEST(OnnxLayouts, ResizeDepthAndSpace) {
  EXPECT_EQ(moved({1, 1, 2},
                  [](OnnxBuilder& b) {
                    return b.node("Resize", {"input", "", b.constant({4}, {1, 1, 2, 2})});
                  })
                .data,
            (std::vector<float>{0, 0, 1, 1, 0, 0, 1, 1}));
  EXPECT_EQ(moved({1, 1, 3},
                  [](OnnxBuilder& b) {
                    return b.node(
                        "Resize", {"input", "", b.constant({4}, {1, 1, 1, 2})},
                        {{"coordinate_transformation_mode", "align_corners"}, {"nearest_mode", "floor"}});
                  })
                .data,
            (std::vector<float>{0, 0, 0, 1, 1, 2}));
  EXPECT_EQ(moved({4, 1, 2},
                  [](OnnxBuilder& b) {
                    return b.node("DepthToSpace", {"input"}, {{"blocksize", 2}});
                  })
                .data,
            (std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7}));
  EXPECT_EQ(moved({1, 2, 2},
                  [](OnnxBuilder& b) {
                    return b.node("SpaceToDepth", {"input"}, {{"blocksize", 2}});
                  })
                .data,
            (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(
      moved({1, 1, 2},
            [](OnnxBuilder& b) {
              return b.node("Resize", {"input", "", b.constant({4}, {1, 1, 1, 2})}, {{"mode", "linear"}});
            })
          .data,
      (std::vector<float>{0, 0.25F, 0.75F, 1}));
  OnnxBuilder cubic({1, 2, 2});
  expect_contains(error_of([&] {
                    import(cubic, cubic.node("Resize", {"input", "", cubic.constant({4}, {1, 1, 2, 2})},
                                             {{ "mode",
                                                "cubic" }}));
                  }),
                  {"Resize", "nearest and linear"});
}

TEST(OnnxLayouts, ConcatenationAlongAnyAxis) {
  EXPECT_EQ(moved({1, 2, 2},
                  [](OnnxBuilder& b) {
                    return b.node("Concat",
                                  {"input", b.constant({1, 1, 2, 1}, {8, 9}), b.node("Neg", {"input"})},
                                  {{"axis", -1}});
                  })
                .data,
            (std::vector<float>{0, 1, 8, 0, -1, 2, 3, 9, -2, -3}));
}

}  // namespace
}  // namespace ap::nn
