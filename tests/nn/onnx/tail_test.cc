// What is left out behind the logits.
#include <gtest/gtest.h>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

/// The operations and notes of a network whose logits are followed by what `tail` adds.
Graph with_tail(const std::function<std::string(OnnxBuilder&, const std::string&)>& tail) {
  OnnxBuilder b({2});
  const auto logits = b.node("Gemm", {"input", b.constant({2, 3}, {1, 0, 1, 0, 1, 1})});
  return import(b, tail(b, logits));
}

TEST(OnnxTail, OrderKeepingOperatorsAndViewsBehindThemAreLeftOut) {
  using Tail = std::function<std::string(OnnxBuilder&, const std::string&)>;
  const std::pair<const char*, Tail> tails[] = {
      {"Softmax", [](OnnxBuilder& b, const auto& x) { return b.node("Identity", {b.node("Softmax", {x})}); }},
      {"Sigmoid",
       [](OnnxBuilder& b, const auto& x) {
         return b.node("Reshape", {b.node("Sigmoid", {x}), b.integers({3})});
       }},
      {"Tanh", [](OnnxBuilder& b, const auto& x) { return b.node("Tanh", {x}); }},
      {"Exp",
       [](OnnxBuilder& b, const auto& x) {
         const auto shifted = b.node("Sub", {x, b.node("ReduceMax", {x}, {{"axes", Dims{1}}})});
         const auto e = b.node("Exp", {shifted});
         return b.node("Div", {e, b.node("ReduceSum", {e, b.integers({1})})});
       }},
      {"ArgMax",
       [](OnnxBuilder& b, const auto& x) {
         return b.node("Cast", {b.node("ArgMax", {b.node("LogSoftmax", {x})}, {{"axis", 1}})}, {{"to", 6}});
       }},
      {"Greater", [](OnnxBuilder& b, const auto& x) {
         return b.node("Greater", {b.node("Sigmoid", {x}), b.scalar(0.5F)});
       }}};
  for (const auto& [name, tail] : tails) {
    const Graph graph = with_tail(tail);
    EXPECT_EQ(op_names(graph), (std::vector<std::string>{"input", "fully_connected"})) << name;
    EXPECT_EQ(output_of(graph, {{2, 1, 1}, {1, 10}}).data, (std::vector<float>{1, 10, 11})) << name;
    const bool noted =
        std::any_of(graph.notes.begin(), graph.notes.end(), [name = name](const std::string& note) {
          return note.find(name) != std::string::npos && note.find("logits") != std::string::npos;
        });
    EXPECT_TRUE(noted) << name;
  }
}

TEST(OnnxTail, WhatChangesTheOrderStays) {
  const Graph clipped = with_tail([](OnnxBuilder& b, const auto& x) { return b.node("Relu", {x}); });
  EXPECT_EQ(op_names(clipped).back(), "clip");
  EXPECT_TRUE(clipped.notes.empty());
  // A sum that is not one of exponentials may be negative.
  expect_contains(error_of([&] {
                    with_tail([](OnnxBuilder& b, const auto& x) {
                      return b.node("Div", {x, b.node("ReduceSum", {x, b.integers({1})})});
                    });
                  }),
                  {"Div", "division by a constant"});
  // Views alone change nothing and need no note.
  const Graph flat = with_tail([](OnnxBuilder& b, const auto& x) { return b.node("Flatten", {x}); });
  EXPECT_TRUE(flat.notes.empty());
}

}  // namespace
}  // namespace ap::nn
