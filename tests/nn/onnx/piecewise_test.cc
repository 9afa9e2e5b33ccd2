// Activations that ReLU and Clip express exactly.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

const Tensor kImage{{2, 1, 3}, {-2, -0.5F, 0, 0.25F, 1, 3}};

std::vector<float> result(const std::function<std::string(OnnxBuilder&)>& build) {
  OnnxBuilder b({2, 1, 3});
  return output_of(import(b, build(b)), kImage).data;
}

std::vector<float> wanted(const std::function<double(double)>& f) {
  std::vector<float> out;
  for (const float x : kImage.data) out.push_back(static_cast<float>(f(static_cast<double>(x))));
  return out;
}

TEST(OnnxPiecewise, OneSlopeForNegativeValues) {
  for (const float a : {0.01F, 0.3F, 1.0F, 2.0F, -0.5F, 0.0F}) {
    expect_near(result([&](OnnxBuilder& b) {
                  return b.node("LeakyRelu", {"input"}, {{"alpha", a}});
                }),
                wanted([&](double x) { return x > 0 ? x : static_cast<double>(a) * x; }));
  }
}

TEST(OnnxPiecewise, ALeakyReluNeedsNoLayerOfItsOwn) {
  OnnxBuilder b({1, 2, 2});
  const auto conv = b.node("Conv", {"input", b.constant({1, 1, 1, 1}, {2})});
  const auto leaky = b.node("LeakyRelu", {conv}, {{"alpha", 0.25F}});
  const auto out = b.node("Conv", {leaky, b.constant({1, 1, 2, 2}, {1, 1, 1, 1})});
  EXPECT_EQ(op_names(import(b, out)), (std::vector<std::string>{"input", "conv", "clip", "average_pool",
                                                                "average_pool", "add", "conv"}));
}

TEST(OnnxPiecewise, SlopesByChannelAndByElement) {
  const auto prelu = [](const Dims& dims, const std::vector<float>& slopes) {
    return result([&](OnnxBuilder& b) { return b.node("PRelu", {"input", b.constant(dims, slopes)}); });
  };
  EXPECT_EQ(prelu({2, 1, 1}, {0.5F, -1}), (std::vector<float>{-1, -0.25F, 0, 0.25F, 1, 3}));
  EXPECT_EQ(prelu({1, 1, 3}, {0.5F, 4, 1}), (std::vector<float>{-1, -2, 0, 0.25F, 1, 3}));
  EXPECT_EQ(prelu({}, {2}), (std::vector<float>{-4, -1, 0, 0.25F, 1, 3}));
}

TEST(OnnxPiecewise, AbsoluteValuesAndExtrema) {
  const auto unary = [](const char* op) {
    return result([&](OnnxBuilder& b) { return b.node(op, {"input"}); });
  };
  expect_near(unary("Abs"), wanted([](double x) { return std::abs(x); }));
  expect_near(unary("HardSigmoid"),
              wanted([](double x) { return std::min(1.0, std::max(0.0, 0.2 * x + 0.5)); }));
  const auto with = [](const char* op, const Dims& dims, const std::vector<float>& limits) {
    return result([&](OnnxBuilder& b) { return b.node(op, {b.constant(dims, limits), "input"}); });
  };
  EXPECT_EQ(with("Max", {1}, {-1}), (std::vector<float>{-1, -0.5F, 0, 0.25F, 1, 3}));
  EXPECT_EQ(with("Min", {}, {0.5F}), (std::vector<float>{-2, -0.5F, 0, 0.25F, 0.5F, 0.5F}));
  EXPECT_EQ(with("Max", {2, 1, 1}, {-1, 2}), (std::vector<float>{-1, -0.5F, 0, 2, 2, 3}));
  const auto computed = [](const char* op) {
    return result([&](OnnxBuilder& b) {
      return b.node(op,
                    {"input", b.node("Add", {b.node("Neg", {b.node("Relu", {"input"})}), b.scalar(0.5F)})});
    });
  };
  expect_near(computed("Max"), wanted([](double x) { return std::max(x, 0.5 - std::max(x, 0.0)); }));
  expect_near(computed("Min"), wanted([](double x) { return std::min(x, 0.5 - std::max(x, 0.0)); }));
}

TEST(OnnxPiecewise, SumsAndMeansOfMany) {
  const auto of = [](const char* op) {
    return result([&](OnnxBuilder& b) {
      return b.node(op, {"input", b.node("Relu", {"input"}), b.constant({1, 1, 3}, {1, 2, 3}), "input"});
    });
  };
  EXPECT_EQ(of("Sum"), (std::vector<float>{-3, 1, 3, 1.75F, 5, 12}));
  EXPECT_EQ(of("Mean"), (std::vector<float>{-0.75F, 0.25F, 0.75F, 0.4375F, 1.25F, 3}));
}

TEST(OnnxPiecewise, ChoicesBetweenLinesThatMeet) {
  const auto chosen = [](const char* comparison, bool swapped, float limit,
                         const std::function<std::vector<std::string>(OnnxBuilder&)>& branches) {
    return result([&](OnnxBuilder& b) {
      const auto constant = b.scalar(limit);
      const auto condition = b.node(comparison, swapped ? std::vector<std::string>{constant, "input"}
                                                        : std::vector<std::string>{"input", constant});
      const auto both = branches(b);
      return b.node("Where", {condition, both[0], both[1]});
    });
  };
  const auto relu = wanted([](double x) { return std::max(x, 0.0); });
  EXPECT_EQ(chosen("Greater", false, 0,
                   [](OnnxBuilder& b) {
                     return std::vector<std::string>{"input", b.scalar(0)};
                   }),
            relu);
  EXPECT_EQ(chosen("LessOrEqual", false, 0,
                   [](OnnxBuilder& b) {
                     return std::vector<std::string>{b.scalar(0), "input"};
                   }),
            relu);
  EXPECT_EQ(chosen("Less", true, 0,
                   [](OnnxBuilder& b) {
                     return std::vector<std::string>{"input", b.scalar(0)};
                   }),
            relu);
  expect_near(chosen("GreaterOrEqual", false, 1,
                     [](OnnxBuilder& b) {
                       return std::vector<std::string>{
                           b.node("Sub", {b.node("Mul", {"input", b.scalar(3)}), b.scalar(4)}),
                           b.node("Neg", {"input"})};
                     }),
              wanted([](double x) { return x >= 1 ? 3 * x - 4 : -x; }));
  expect_contains(error_of([&] {
                    chosen("Greater", false, 1, [](OnnxBuilder& b) {
                      return std::vector<std::string>{"input", b.scalar(0)};
                    });
                  }),
                  {"Where", "jumps from 0 to 1"});
}

}  // namespace
}  // namespace ap::nn
