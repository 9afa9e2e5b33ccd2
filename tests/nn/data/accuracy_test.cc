#include "nn/data/accuracy.h"

#include <gtest/gtest.h>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

TEST(Accuracy, ArgmaxTakesTheFirstOfEquals) {
  const std::vector<float> a = {1, 3, 3, 2};
  const std::vector<std::int64_t> b = {-5, -7};
  EXPECT_EQ(argmax(std::span<const float>(a)), 1);
  EXPECT_EQ(argmax(std::span<const std::int64_t>(b)), 0);
  EXPECT_EQ(top_k(std::span<const float>(a), 3), (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(top_k(std::span<const float>(a), 9), (std::vector<std::size_t>{1, 2, 3, 0}));
}

TEST(Accuracy, Top1CountsRightRows) {
  const std::vector<float> logits = {1, 2, 5, 4, 0, 1, 3, 2};
  const auto predicted = predictions(std::span<const float>(logits), 2);
  EXPECT_EQ(predicted, (std::vector<int>{1, 0, 1, 0}));
  EXPECT_EQ(top1(predicted, std::vector<int>{1, 1, 1, 0}), 0.75);
  expect_contains(error_of([&] { top1(predicted, std::vector<int>{}); }), {"4 images", "0 labels"});
}

}  // namespace
}  // namespace ap::nn
