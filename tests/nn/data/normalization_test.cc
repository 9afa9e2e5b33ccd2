#include "nn/data/normalization.h"

#include <gtest/gtest.h>

#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

TEST(Normalization, ParsesAndPrints) {
  EXPECT_EQ(Normalization::parse(""), Normalization{});
  const auto n = Normalization::parse("  scale=127.5 std=0.5,0.25,1e-3\tmean=-1,0,.1 ");
  EXPECT_EQ(n, (Normalization{127.5, {-1, 0, 0.1}, {0.5, 0.25, 0.001}}));
  EXPECT_EQ(Normalization::parse(n.to_string()), n);
  EXPECT_EQ(n.to_string(), "scale=127.5 mean=-1,0,0.1 std=0.5,0.25,0.001");
  EXPECT_EQ(Normalization{}.to_string(), "mean=0 std=1");
  EXPECT_EQ(Normalization::parse("mean=0 std=1"), Normalization{});
  for (const Pixel kind : {Pixel::byte, Pixel::number}) {
    EXPECT_DOUBLE_EQ(n.apply(255, 1, kind), 8);
    EXPECT_DOUBLE_EQ(n.apply(0, 0, kind), 2);
  }
}

TEST(Normalization, WithoutAScaleOnlyBytesAreDivided) {
  const auto n = Normalization::parse("mean=0.5 std=2");
  EXPECT_DOUBLE_EQ(n.apply(255, 2, Pixel::byte), 0.25);
  EXPECT_DOUBLE_EQ(n.apply(255, 2, Pixel::number), 127.25);
  EXPECT_DOUBLE_EQ(Normalization::parse("scale=255").apply(255, 0, Pixel::number), 1);
}

TEST(Normalization, RefusesWhatMakesNoSense) {
  for (const char* text :
       {"scale=0", "scale=-1", "scale=1,2", "scale=nan", "std=0", "std=1,-1", "std=inf", "mean=", "mean=1,",
        "mean=a", "mean=1x", "size=3", "mean", "scale=1 scale=1", "mean = 1"}) {
    expect_contains(error_of([&] { Normalization::parse(text); }), {"normalization"});
  }
  expect_contains(error_of([] { Normalization::parse("mean=1,2").check(3); }),
                  {"mean has 2 values", "3 channels"});
  EXPECT_NO_THROW(Normalization::parse("mean=1,2,3 std=2").check(3));
}

}  // namespace
}  // namespace ap::nn
