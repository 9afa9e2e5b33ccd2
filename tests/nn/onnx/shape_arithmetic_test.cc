// Shapes that a file computes, and weights that it computes from constants.
#include <gtest/gtest.h>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

/// The output's dimensions and values when x of 2x3x4 is reshaped to what `shape` writes down.
Tensor reshaped(const std::function<std::string(OnnxBuilder&)>& shape) {
  OnnxBuilder b({2, 3, 4});
  const auto x = b.node("Relu", {"input"});
  Tensor image{{2, 3, 4}, {}};
  for (int i = 0; i < 24; ++i) image.data.push_back(static_cast<float>(i));
  return output_of(import(b, b.node("Reshape", {x, shape(b)})), image);
}

TEST(ShapeArithmetic, TheBatchIsOne) {
  // x.view(x.size(0), x.size(1), -1), with everything that exporters put between.
  const Tensor got = reshaped([](OnnxBuilder& b) {
    const auto shape = b.node("Shape", {"input"});
    const auto at = [&](std::int64_t i) {
      const auto index = b.node("Constant", {}, {{"value", integer_tensor("", {}, {i})}});
      return b.node("Unsqueeze", {b.node("Gather", {shape, index}, {{"axis", 0}}), b.integers({0})});
    };
    return b.node("Concat", {at(0), at(1), b.integers({-1})}, {{"axis", 0}});
  });
  EXPECT_EQ(got.shape, (Shape{2, 12, 1}));
}

TEST(ShapeArithmetic, SlicesCastsAndProducts) {
  // tf2onnx: Cast(Slice(Cast(Shape))) and the product of the rest.
  const Tensor got = reshaped([](OnnxBuilder& b) {
    const auto shape = b.node("Cast", {b.node("Shape", {"input"})}, {{"to", 6}});
    const auto batch = b.node("Slice", {shape, b.integers({0}), b.integers({1}), b.integers({0})});
    const auto rest = b.node("Slice", {shape, b.integers({1}), b.integers({INT64_MAX}), b.integers({0})});
    const auto count =
        b.node("ReduceProd", {b.node("Cast", {rest}, {{"to", 1}})}, {{"axes", Dims{0}}, {"keepdims", 1}});
    const auto joined = b.node("Concat", {b.node("Cast", {batch}, {{"to", 1}}), count}, {{"axis", 0}});
    return b.node("Cast", {joined}, {{"to", 7}});
  });
  EXPECT_EQ(got.shape, (Shape{24, 1, 1}));
}

TEST(ShapeArithmetic, StartAndEndOfShape) {
  for (const auto& [start, end, wanted] :
       {std::tuple{1, 2, Shape{2, 12, 1}}, {-2, -1, Shape{3, 8, 1}}, {-3, 100, Shape{2, 3, 4}}}) {
    const Tensor got = reshaped([&](OnnxBuilder& b) {
      const auto part = b.node("Shape", {"input"}, {{"start", start}, {"end", end}});
      const bool all = end == 100;
      return b.node(
          "Concat",
          all ? std::vector{b.integers({1}), part} : std::vector{b.integers({1}), part, b.integers({-1})},
          {{"axis", 0}});
    });
    EXPECT_EQ(got.shape, wanted) << start << " to " << end;
  }
}

TEST(ShapeArithmetic, IntegerArithmeticIsThatOfIntegers) {
  // 7 / 2 = 3, -7 mod 4 = 1, min(5, 4) = 4, where(3 > 2, 2, 9) = 2; reshaped to {1, 3 * 2, 4 * 1}.
  const Tensor got = reshaped([](OnnxBuilder& b) {
    const auto three = b.node("Div", {b.integers({7}), b.integers({2})});
    const auto one = b.node("Mod", {b.integers({-7}), b.integers({4})});
    const auto four = b.node("Min", {b.integers({5}), b.integers({4})});
    const auto two =
        b.node("Where", {b.node("Greater", {three, b.integers({2})}), b.integers({2}), b.integers({9})});
    return b.node("Concat",
                  {b.integers({1}), b.node("Mul", {three, two}),
                   b.node("Sub", {b.node("Mul", {four, one}), b.integers({0})})},
                  {{"axis", 0}});
  });
  EXPECT_EQ(got.shape, (Shape{6, 4, 1}));
}

TEST(ShapeArithmetic, PadsAsPyTorchComputesThem) {
  // [left, right, top, bottom] -> ONNX's order, through ConstantOfShape, Reshape, a reversed Slice and a Transpose.
  OnnxBuilder b({1, 2, 2});
  const auto zeros = b.node("ConstantOfShape", {b.integers({4})}, {{"value", integer_tensor("", {1}, {0})}});
  const auto all = b.node("Concat", {b.integers({1, 0, 0, 1}), zeros}, {{"axis", 0}});
  const auto pairs = b.node("Reshape", {all, b.integers({-1, 2})});
  const auto turned = b.node(
      "Slice", {pairs, b.integers({-1}), b.integers({INT64_MIN + 1}), b.integers({0}), b.integers({-1})});
  const auto pads = b.node(
      "Cast", {b.node("Reshape", {b.node("Transpose", {turned}, {{"perm", Dims{1, 0}}}), b.integers({-1})})},
      {{"to", 7}});
  const Tensor got =
      output_of(import(b, b.node("Pad", {b.node("Relu", {"input"}), pads})), {{1, 2, 2}, {1, 2, 3, 4}});
  EXPECT_EQ(got.shape, (Shape{1, 3, 3}));
  EXPECT_EQ(got.data, (std::vector<float>{0, 1, 2, 0, 3, 4, 0, 0, 0}));
}

TEST(ShapeArithmetic, WeightsMayBeComputed) {
  OnnxBuilder b({2});
  const auto turned = b.node("Transpose", {b.constant({2, 2}, {1, 2, 3, 4})});
  const auto weights = b.node("Mul", {turned, b.node("Sqrt", {b.constant({1}, {4})})});  // {2 6; 4 8}
  const auto bias = b.node("Unsqueeze", {b.constant({2}, {1, -1}), b.integers({0})});
  const auto out = b.node("Gemm", {"input", weights, bias});
  EXPECT_EQ(output_of(import(b, out), {{2, 1, 1}, {1, 10}}).data, (std::vector<float>{43, 85}));
}

TEST(ShapeArithmetic, QuantisedWeightsWithAScaleForEachOutput) {
  OnnxBuilder b({2});
  onnx::TensorProto w;
  w.set_name("w");
  w.set_data_type(onnx::TensorProto::INT8);
  w.add_dims(2), w.add_dims(2);
  const signed char bytes[] = {1, -2, 3, -128};
  w.set_raw_data(bytes, 4);
  *b.graph().add_initializer() = w;
  const auto weights =
      b.node("DequantizeLinear", {"w", b.constant({2}, {0.5F, 2})}, {{"axis", 1}});  // {.5 -4; 1.5 -256}
  EXPECT_EQ(output_of(import(b, b.node("MatMul", {"input", weights})), {{2, 1, 1}, {2, 1}}).data,
            (std::vector<float>{2.5F, -264}));
}

TEST(ShapeArithmetic, DivisionByZeroAndEndlessRangesAreRefused) {
  OnnxBuilder b({3});
  const auto zero = b.node("Div", {b.integers({1}), b.integers({0})});
  expect_contains(error_of([&] { import(b, b.node("Reshape", {"input", zero})); }), {"Div", "zero"});
  const auto one = [&](std::int64_t v) {
    return b.node("Constant", {}, {{"value", integer_tensor("", {}, {v})}});
  };
  const auto range = b.node("Range", {one(0), one(INT64_MAX), one(1)});
  expect_contains(error_of([&] { import(b, b.node("Reshape", {"input", range})); }), {"Range", "too far"});
  const auto huge = b.node("ConstantOfShape", {b.integers({1 << 20, 1 << 20})});
  expect_contains(error_of([&] { import(b, b.node("Add", {"input", huge})); }), {"ConstantOfShape"});
}

}  // namespace
}  // namespace ap::nn
