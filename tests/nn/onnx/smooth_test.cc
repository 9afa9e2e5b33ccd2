// Curved activations as operators and as exporters write them out, and products of computed tensors.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

constexpr Dims::value_type kChannels = 3, kSide = 4;

/// The only smooth node of a graph that has nothing else but its input (and perhaps a factor).
const SmoothOp* only_smooth(const Graph& graph) {
  const SmoothOp* found = nullptr;
  for (const Node& node : graph.nodes) {
    if (std::holds_alternative<ProductOp>(node.op)) return nullptr;
    if (const auto* op = std::get_if<SmoothOp>(&node.op)) {
      if (found) return nullptr;
      found = op;
    }
  }
  return found;
}

/// Values from -6 to 6.
Tensor wide_image(const Shape& shape) {
  Tensor image{shape, std::vector<float>(static_cast<std::size_t>(shape.size()))};
  for (std::size_t i = 0; i < image.data.size(); ++i) {
    image.data[i] = -6 + 12 * static_cast<float>(i) / static_cast<float>(image.data.size() - 1);
  }
  return image;
}

double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Case {
  SmoothKind kind;
  double (*f)(double);
  std::function<std::string(OnnxBuilder&)> write;
  double tolerance = 1e-5;
};

TEST(OnnxSmooth, OperatorsAndWrittenOutFormsBecomeOneNode) {
  const std::vector<Case> cases = {
      {SmoothKind::sigmoid, sigmoid, [](OnnxBuilder& b) { return b.node("Sigmoid", {"input"}); }},
      {SmoothKind::tanh, [](double x) { return std::tanh(x); },
       [](OnnxBuilder& b) { return b.node("Tanh", {"input"}); }},
      {SmoothKind::softsign, [](double x) { return x / (1 + std::abs(x)); },
       [](OnnxBuilder& b) { return b.node("Softsign", {"input"}); }},
      {SmoothKind::softplus, [](double x) { return std::log(1 + std::exp(x)); },
       [](OnnxBuilder& b) { return b.node("Softplus", {"input"}); }},
      {SmoothKind::elu, [](double x) { return x > 0 ? x : 0.7 * (std::exp(x) - 1); },
       [](OnnxBuilder& b) {
         return b.node("Elu", {"input"}, {{"alpha", 0.7F}});
       }},
      {SmoothKind::celu, [](double x) { return x > 0 ? x : 2 * (std::exp(x / 2) - 1); },
       [](OnnxBuilder& b) {
         return b.node("Celu", {"input"}, {{"alpha", 2.0F}});
       }},
      {SmoothKind::selu,
       [](double x) { return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (std::exp(x) - 1)); },
       [](OnnxBuilder& b) { return b.node("Selu", {"input"}); }},
      {SmoothKind::gelu, gelu, [](OnnxBuilder& b) { return b.node("Gelu", {"input"}); }},
      {SmoothKind::gelu_tanh, gelu,
       [](OnnxBuilder& b) {
         return b.node("Gelu", {"input"}, {{"approximate", "tanh"}});
       },
       1e-3},
      {SmoothKind::mish, [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); },
       [](OnnxBuilder& b) { return b.node("Mish", {"input"}); }},
      {SmoothKind::mish, [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); },
       [](OnnxBuilder& b) {
         return b.node("Mul", {"input", b.node("Tanh", {b.node("Softplus", {"input"})})});
       }},
      {SmoothKind::silu, [](double x) { return x * sigmoid(x); },
       [](OnnxBuilder& b) {
         return b.node("Mul", {"input", b.node("Sigmoid", {"input"})});
       }},
      {SmoothKind::silu, [](double x) { return x * sigmoid(x); },
       [](OnnxBuilder& b) {
         return b.node("Mul", {b.node("Sigmoid", {"input"}), "input"});
       }},
      {SmoothKind::hard_swish, [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); },
       [](OnnxBuilder& b) { return b.node("HardSwish", {"input"}); }},
      {SmoothKind::hard_swish, [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); },
       [](OnnxBuilder& b) {
         const std::string sum = b.node("Add", {"input", b.scalar(3)});
         const std::string clip = b.node("Clip", {sum, b.scalar(0), b.scalar(6)});
         return b.node("Div", {b.node("Mul", {"input", clip}), b.scalar(6)});
       }},
      {SmoothKind::gelu, gelu,
       [](OnnxBuilder& b) {
         const std::string erf = b.node("Erf", {b.node("Div", {"input", b.scalar(1.4142135F)})});
         const std::string one = b.node("Add", {erf, b.scalar(1)});
         return b.node("Mul", {b.node("Mul", {"input", one}), b.scalar(0.5F)});
       }},
      {SmoothKind::gelu, gelu,
       [](OnnxBuilder& b) {
         const std::string erf = b.node("Erf", {b.node("Mul", {"input", b.scalar(0.70710677F)})});
         const std::string half = b.node("Mul", {"input", b.scalar(0.5F)});
         return b.node("Mul", {half, b.node("Add", {b.scalar(1), erf})});
       }},
      {SmoothKind::gelu_tanh, gelu,
       [](OnnxBuilder& b) {
         const std::string cube = b.node("Mul", {"input", b.node("Mul", {"input", "input"})});
         const std::string sum = b.node("Add", {"input", b.node("Mul", {cube, b.scalar(0.044715F)})});
         const std::string tanh = b.node("Tanh", {b.node("Mul", {sum, b.scalar(0.7978846F)})});
         const std::string half = b.node("Mul", {"input", b.scalar(0.5F)});
         return b.node("Mul", {half, b.node("Add", {tanh, b.scalar(1)})});
       },
       1e-3},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    OnnxBuilder b({kChannels, kSide, kSide});
    const Graph graph = import(b, cases[i].write(b));
    const SmoothOp* op = only_smooth(graph);
    ASSERT_NE(op, nullptr) << i;
    EXPECT_EQ(op->kind, cases[i].kind) << i;
    const Tensor image = wide_image(graph.input_shape());
    const Tensor out = output_of(graph, image);
    for (std::size_t k = 0; k < out.data.size(); ++k) {
      EXPECT_NEAR(out.data[k], cases[i].f(image.data[k]), cases[i].tolerance) << i << " at " << image.data[k];
    }
  }
}

/// A second SiLU reads the first: each is a function of what stands right before it.
TEST(OnnxSmooth, SiluBehindSilu) {
  OnnxBuilder b({kChannels, kSide, kSide});
  const std::string first = b.node("Mul", {"input", b.node("Sigmoid", {"input"})});
  const Graph graph = import(b, b.node("Mul", {first, b.node("Sigmoid", {first})}));
  ASSERT_EQ(graph.nodes.size(), 3U);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_EQ(std::get<SmoothOp>(graph.nodes[i].op).kind, SmoothKind::silu);
}

TEST(OnnxSmooth, ProductsOfComputedTensors) {
  for (const bool broadcast : {false, true}) {
    for (const bool turned : {false, true}) {
      OnnxBuilder b({kChannels, kSide, kSide});
      const std::string x = b.node("Relu", {"input"});
      const std::string pooled = broadcast ? b.node("GlobalAveragePool", {x}) : x;
      const std::string gate = b.node("Sigmoid", {b.node("Mul", {pooled, b.scalar(0.5F)})});
      const Graph graph = import(
          b, b.node("Mul", turned ? std::vector<std::string>{gate, x} : std::vector<std::string>{x, gate}));
      ASSERT_TRUE(std::holds_alternative<ProductOp>(graph.nodes.back().op));
      const Tensor image = wide_image(graph.input_shape());
      const Tensor out = output_of(graph, image);
      const std::size_t plane = kSide * kSide;
      for (std::size_t i = 0; i < out.data.size(); ++i) {
        double of = std::max(0.0F, image.data[i]);
        if (broadcast) {
          of = 0;
          for (std::size_t k = 0; k < plane; ++k) of += std::max(0.0F, image.data[i / plane * plane + k]);
          of /= static_cast<double>(plane);
        }
        EXPECT_NEAR(out.data[i], std::max(0.0F, image.data[i]) * sigmoid(of / 2), 1e-5);
      }
    }
  }
}

/// A gate for each row is repeated over the row.
TEST(OnnxSmooth, ProductsOfTensorsOfTwoShapes) {
  OnnxBuilder b({kChannels, kSide, kSide});
  const std::string rows = b.node("AveragePool", {"input"}, {{"kernel_shape", Dims{1, kSide}}});
  const Graph graph = import(b, b.node("Mul", {"input", rows}));
  const Tensor image = wide_image(graph.input_shape());
  const Tensor out = output_of(graph, image);
  ASSERT_EQ(out.data.size(), image.data.size());
  for (std::size_t i = 0; i < out.data.size(); ++i) {
    double mean = 0;
    for (std::size_t k = 0; k < kSide; ++k) mean += image.data[i / kSide * kSide + k] / kSide;
    EXPECT_NEAR(out.data[i], image.data[i] * mean, 1e-4);
  }
}

TEST(OnnxSmooth, WhatCannotBeRunIsRefused) {
  OnnxBuilder c({kChannels, kSide, kSide});
  const std::string elu = c.node("Elu", {"input"}, {{"alpha", -1.0F}});
  expect_contains(error_of([&] { import(c, elu); }), {"(Elu)", "positive"});
}

}  // namespace
}  // namespace ap::nn
