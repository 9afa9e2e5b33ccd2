// Networks that are quantised already, and the list of operators.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "nn/onnx/operators.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

class QuantisedNetworks : public ::testing::Test {
 protected:
  std::string bytes(int type, const Dims& dims, const std::vector<int>& values) {
    onnx::TensorProto t;
    t.set_name("q" + std::to_string(counter_++));
    t.set_data_type(type);
    for (const auto d : dims) t.add_dims(d);
    for (const int v : values) t.add_int32_data(v);
    *b_.graph().add_initializer() = t;
    return t.name();
  }
  std::string uint8(const std::vector<int>& values) { return bytes(2, {}, values); }
  std::vector<float> run_on(const std::string& output, const std::vector<float>& x) {
    return output_of(import(b_, output), {{2, 1, 1}, x}).data;
  }
  OnnxBuilder b_{Dims{2}};
  int counter_ = 0;
};

TEST_F(QuantisedNetworks, QuantiserAndDequantiserKeepTheReluThatTheyStandFor) {
  const auto real = b_.node("MatMul", {"input", b_.constant({2, 2}, {1, 0, 0, 1})});
  const auto scale = b_.scalar(0.5F);
  const auto q = b_.node("QuantizeLinear", {real, scale, uint8({0})});
  EXPECT_EQ(run_on(b_.node("DequantizeLinear", {q, scale, uint8({0})}), {-3, 300}),
            (std::vector<float>{0, 127.5F}));
  const auto both = b_.node("QuantizeLinear", {real, scale, uint8({128})});
  EXPECT_EQ(run_on(b_.node("DequantizeLinear", {both, scale, uint8({128})}), {-3, 1}),
            (std::vector<float>{-3, 1}));
  // Another scale and zero point on the way out: (q - 100) * 2 with q = x / 0.5 + 128.
  EXPECT_EQ(run_on(b_.node("DequantizeLinear", {both, b_.scalar(2), uint8({100})}), {-3, 1}),
            (std::vector<float>{44, 60}));
}

TEST_F(QuantisedNetworks, QLinearMatMul) {
  const auto scale = b_.scalar(0.5F), zero = uint8({3});
  const auto q = b_.node("QuantizeLinear", {"input", scale, zero});
  const auto weights = bytes(3, {2, 2}, {1, -2, 3, 4});
  const auto product = b_.node("QLinearMatMul", {q, scale, zero, weights, b_.constant({1}, {0.1F}),
                                                 bytes(3, {1}, {1}), b_.scalar(0.25F), uint8({128})});
  expect_near(run_on(b_.node("DequantizeLinear", {product, b_.scalar(0.25F), uint8({128})}), {10, 20}),
              {4, 3});
}

TEST_F(QuantisedNetworks, QLinearConv) {
  OnnxBuilder b({1, 1, 2});
  const auto add = [&](int type, const Dims& dims, const std::vector<int>& values) {
    onnx::TensorProto t;
    t.set_name("q" + std::to_string(counter_++));
    t.set_data_type(type);
    for (const auto d : dims) t.add_dims(d);
    for (const int v : values) t.add_int32_data(v);
    *b.graph().add_initializer() = t;
    return t.name();
  };
  const auto scale = b.scalar(0.5F), zero = add(2, {}, {128});
  const auto q = b.node("QuantizeLinear", {"input", scale, zero});
  const auto out =
      b.node("QLinearConv", {q, scale, zero, add(3, {2, 1, 1, 1}, {4, -8}), b.constant({2}, {0.5F, 0.25F}),
                             add(3, {2}, {0, 0}), b.scalar(1), add(2, {}, {0}), add(6, {2}, {4, 8})});
  const Tensor got = output_of(import(b, b.node("DequantizeLinear", {out, b.scalar(1), add(2, {}, {0})})),
                               {{1, 1, 2}, {3, -1}});
  // 2 x + 1 and -2 x + 1, no negative result.
  expect_near(got.data, {7, 0, 0, 3});
}

TEST_F(QuantisedNetworks, DynamicQuantisation) {
  auto q = b_.node("DynamicQuantizeLinear", {"input"});
  auto* node = b_.graph().mutable_node(0);
  node->add_output("scale");
  node->add_output("zero");
  const auto product = b_.node("MatMulInteger", {q, bytes(3, {2, 1}, {5, -7}), "zero", bytes(3, {}, {1})});
  const auto factor = b_.node("Mul", {"scale", b_.scalar(0.5F)});
  const auto out = b_.node("Mul", {b_.node("Cast", {product}, {{"to", 1}}), factor});
  expect_near(run_on(out, {3, 1}), {2});
}

TEST(OnnxOperatorList, IsTheDocument) {
  std::ifstream file(tests::source_dir() / "docs" / "operators.md");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_EQ(text, operators_markdown()) << "autoprivacy inspect --operators > docs/operators.md";
}

TEST(OnnxOperatorList, FindsByName) {
  ASSERT_NE(find_operator("Conv"), nullptr);
  EXPECT_STREQ(find_operator("Conv")->name, "Conv");
  EXPECT_EQ(find_operator("Con"), nullptr);
  for (const Operator& o : operators()) EXPECT_EQ(find_operator(o.name), &o);
}

}  // namespace
}  // namespace ap::nn
