#include "app/simulate.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/app/small_network.h"

namespace ap::app {
namespace {

TEST(SimulatePackage, GivesTheAccuracyOfTheIntegersAndOfTheErrors) {
  const Compiled compiled = compile_small();
  const package::Package package = package::parse(compiled.files.server, "server.apm");
  const nn::Dataset data = small_images(60, 4);
  const plan::Simulation s = simulate(package, data, 3, 7);
  EXPECT_EQ(s.images, 60u);
  EXPECT_EQ(s.seeds, (std::vector<std::uint64_t>{7, 8, 9}));
  const auto graph = nn::import_onnx_bytes(small_onnx(), "small");
  EXPECT_EQ(s.top1_clear, measure_accuracy(graph, package.network, data, nn::Normalization{}).clear);
  ASSERT_TRUE(s.top1_mean.has_value());
  EXPECT_GE(*s.top1_mean, s.top1_interval.low);
  EXPECT_LE(*s.top1_mean, s.top1_interval.high);
  EXPECT_GT(s.agreement_mean, 0.9) << "policy exact hardly errs";
  EXPECT_EQ(s.wrapped, 0);
  EXPECT_EQ(simulate(package, data, 3, 7).top1, s.top1);
}

TEST(SimulatePackage, RefusesWhatItCannotRun) {
  const Compiled compiled = compile_small();
  const package::Package server = package::parse(compiled.files.server, "server.apm");
  const package::Package client = package::parse(compiled.files.client, "client.apm");
  EXPECT_THROW(simulate(client, small_images(2), 1, 1), Error);
  EXPECT_THROW(simulate(server, small_images(2), 0, 1), Error);
  EXPECT_THROW(simulate(server, nn::Dataset{}, 1, 1), Error);
}

}  // namespace
}  // namespace ap::app
