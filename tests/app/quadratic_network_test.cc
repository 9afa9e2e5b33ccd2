// Networks with quadratic activations from ONNX to private labels.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "net/channel/channel.h"
#include "protocol/hybrid/server.h"
#include "tests/app/small_network.h"
#include "tests/support/paths.h"

namespace ap::app {
namespace {

/// conv -> 0.1992 + 0.5002 x + 0.1997 x^2 -> conv -> ReLU6 -> fully connected: what a planner leaves that
/// replaces some of the ReLUs.
Bytes mixed_onnx() {
  std::mt19937 random(9);
  nn::OnnxBuilder b({1, kSmallSide, kSmallSide});
  const auto conv = [&](const std::string& in, std::int64_t from, std::int64_t to) {
    const auto weights = nn::random_floats(static_cast<std::size_t>(9 * from * to), random, -0.5F, 0.5F);
    return b.node("Conv", {in, b.constant({to, from, 3, 3}, weights)},
                  {{"kernel_shape", nn::Dims{3, 3}}, {"pads", nn::Dims{1, 1, 1, 1}}});
  };
  const std::string x = conv("input", 1, 3);
  const std::string square = b.node("Mul", {b.node("Mul", {x, x}), b.scalar(0.1997F)});
  const std::string line = b.node("Add", {b.node("Mul", {x, b.scalar(0.5002F)}), b.scalar(0.1992F)});
  const std::string y = conv(b.node("Add", {square, line}), 3, 3);
  const std::string relu6 = b.node("Clip", {y, b.scalar(0), b.scalar(6)});
  const std::int64_t features = 3 * kSmallSide * kSmallSide;
  const auto dense =
      nn::random_floats(static_cast<std::size_t>(kSmallClasses * features), random, -0.3F, 0.3F);
  return b.bytes(b.node(
      "Gemm", {b.node("Flatten", {relu6}, {{"axis", 1}}), b.constant({kSmallClasses, features}, dense)},
      {{"transB", 1}}));
}

/// Runs the images through a server in this process; how many labels are those of the clear network.
Agreement agreement(const Compiled& compiled, const std::vector<Image>& images, RunResult* run = nullptr) {
  const package::Package server = package::parse(compiled.files.server, "server.apm");
  const package::Package client = package::parse(compiled.files.client, "client.apm");
  const protocol::ServerModel model(server);
  auto [client_end, server_end] = net::make_local_channels();
  std::thread thread([&, &channel = server_end] { protocol::serve_session(model, *channel); });
  RunResult result = run_images(client, *client_end, images);
  thread.join();
  const Agreement agreed = compare_with_clear(server.network, images, result.logits);
  if (run) *run = std::move(result);
  return agreed;
}

TEST(QuadraticNetwork, MixedWithReluRunsEndToEnd) {
  const nn::Graph graph = nn::import_onnx_bytes(mixed_onnx(), "mixed");
  for (const char* policy : {"exact", "budget"}) {
    CompileOptions options;
    options.policy = policy;
    const Compiled compiled = compile(graph, small_images(32), nn::Normalization{}, options);
    const std::vector<Image> images = small_inputs(compiled.package, 12);
    RunResult run;
    const Agreement agreed = agreement(compiled, images, &run);
    EXPECT_GE(agreed.same_class, std::string(policy) == "exact" ? images.size() : images.size() - 2)
        << policy;
    std::vector<std::string> protocols;
    for (const protocol::LayerCost& layer : run.mean.layers) protocols.push_back(layer.protocol);
    EXPECT_EQ(std::ranges::count(protocols, "beaver"), 1);
    // The plan's bytes are those of the run, but for what a session pays once.
    for (std::size_t i = 0; i < run.mean.layers.size(); ++i) {
      if (protocols[i] != "beaver") continue;
      const protocol::LayerCost& layer = run.mean.layers[i];
      EXPECT_GT(layer.online.bytes_up + layer.online.bytes_down, 0u);
    }
  }
}

struct Published {
  const char* name;
  const char* train;
  const char* test;
  const char* normalization;
  std::int64_t images;
  bool slow;
};

class PublishedQuadratic : public testing::TestWithParam<Published> {};

TEST_P(PublishedQuadratic, PrivateLabelsAreTheClearOnes) {
  const Published& p = GetParam();
  if (p.slow && std::getenv("AP_SLOW") == nullptr) GTEST_SKIP() << "set AP_SLOW=1";
  const std::filesystem::path data = tests::shared_data();
  const std::filesystem::path model = data / "models" / (std::string(p.name) + ".onnx");
  if (!std::filesystem::exists(model)) GTEST_SKIP() << model << " is missing";
  const auto located = [&](const std::string& argument) {
    const auto colon = argument.find(':');
    return argument.substr(0, colon + 1) + (data / argument.substr(colon + 1)).string();
  };
  const nn::Graph graph = nn::import_onnx(model);
  const auto normalization = nn::Normalization::parse(p.normalization);
  CompileOptions options;
  const Compiled compiled = compile(graph, nn::load_dataset(located(p.train), {0, 64}, graph.input_shape()),
                                    normalization, options);
  const nn::Dataset test = nn::load_dataset(located(p.test), {0, p.images}, graph.input_shape());
  std::vector<Image> images;
  for (std::size_t i = 0; i < test.size(); ++i) {
    const auto values = nn::quantise_input(compiled.package.network, test.input(i, normalization).data);
    images.emplace_back(values.begin(), values.end());
  }
  EXPECT_EQ(agreement(compiled, images).same_class, images.size());
}

INSTANTIATE_TEST_SUITE_P(All, PublishedQuadratic,
                         testing::Values(Published{"cryptonets_mnist_square", "mnist-train:mnist",
                                                   "mnist:mnist", "scale=256", 20, false},
                                         Published{
                                             "minionn_cifar10_poly5", "cifar10:cifar10/data_batch_1.bin.xz",
                                             "cifar10:cifar10/test_batch_reordered.bin.xz", "", 10, true}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace ap::app
