#include "app/client.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/app/small_network.h"

namespace ap::app {
namespace {

TEST(Client, TopClassesAreOrderedAndStable) {
  const Logits logits = {5, -1, 9, 5, 9};
  EXPECT_EQ(top_classes(logits, 5), (std::vector<std::size_t>{2, 4, 0, 3, 1}));
  EXPECT_EQ(top_classes(logits, 2), (std::vector<std::size_t>{2, 4}));
  EXPECT_EQ(top_classes(logits, 99).size(), 5u);
  EXPECT_EQ(best_class(logits), 2u);
  // A single output decides between two classes.
  EXPECT_EQ(best_class(Logits{-7}), 0u);
  EXPECT_EQ(best_class(Logits{0}), 0u);
  EXPECT_EQ(best_class(Logits{1}), 1u);
  EXPECT_EQ(best_class(Logits{(std::int64_t{1} << 62) - 1}), 1u);
  EXPECT_EQ(best_class(Logits{-(std::int64_t{1} << 61), -3, (std::int64_t{1} << 61) - 1}), 2u);
}

TEST(Client, MeanReportAveragesEveryFigure) {
  protocol::Report a, b;
  a.offline = {1.0, 2.0, 3.0, 100, 200};
  b.offline = {3.0, 4.0, 5.0, 300, 401};
  a.online = b.online = {0.5, 0.25, 0.125, 8, 16};
  a.layers = {{1, "conv", "linear", "he", a.offline, a.online}};
  b.layers = {{1, "conv", "linear", "he", b.offline, b.online}};
  a.server_peak_rss = 10;
  b.server_peak_rss = 7;
  const protocol::Report mean = mean_report(std::vector{a, b});
  EXPECT_DOUBLE_EQ(mean.offline.seconds, 2.0);
  EXPECT_DOUBLE_EQ(mean.offline.client_cpu_s, 3.0);
  EXPECT_DOUBLE_EQ(mean.offline.server_cpu_s, 4.0);
  EXPECT_EQ(mean.offline.bytes_up, 200u);
  EXPECT_EQ(mean.offline.bytes_down, 301u) << "300.5 rounds up";
  EXPECT_DOUBLE_EQ(mean.online.seconds, 0.5);
  EXPECT_EQ(mean.online.bytes_up, 8u);
  ASSERT_EQ(mean.layers.size(), 1u);
  EXPECT_EQ(mean.layers[0].name, "conv");
  EXPECT_DOUBLE_EQ(mean.layers[0].offline.seconds, 2.0);
  EXPECT_EQ(mean.server_peak_rss, 10u);
}

TEST(Client, AgreementCountsLabelsAndTheLargestError) {
  const Compiled compiled = compile_small();
  const std::vector<Image> images = small_inputs(compiled.package, 5);
  std::vector<Logits> logits;
  for (const Image& image : images) {
    const auto exact = nn::integer_logits(compiled.package.network, image);
    logits.emplace_back(exact.begin(), exact.end());
  }
  Agreement agreement = compare_with_clear(compiled.package.network, images, logits);
  EXPECT_EQ(agreement.same_class, 5u);
  EXPECT_EQ(agreement.max_logit_error, 0);
  logits[2][0] -= 3;
  const std::size_t wrong = (best_class(logits[4]) + 1) % kSmallClasses;
  logits[4][wrong] += 1'000'000;
  agreement = compare_with_clear(compiled.package.network, images, logits);
  EXPECT_EQ(agreement.same_class, best_class(logits[2]) == 0 ? agreement.same_class : 4u);
  EXPECT_EQ(agreement.max_logit_error, 1'000'000);
}

TEST(Client, PeakMemoryIsPlausible) {
  EXPECT_GT(peak_rss_bytes(), std::uint64_t{1} << 20);
  EXPECT_LT(peak_rss_bytes(), std::uint64_t{1} << 40);
}

}  // namespace
}  // namespace ap::app
