#include "app/compile.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/app/small_network.h"

namespace ap::app {
namespace {

TEST(Compile, WritesTwoPackagesOfOneNetwork) {
  const Compiled compiled = compile_small();
  const package::Package server = package::parse(compiled.files.server, "server.apm");
  const package::Package client = package::parse(compiled.files.client, "client.apm");
  EXPECT_EQ(server.role, Party::server);
  EXPECT_EQ(client.role, Party::client);
  EXPECT_EQ(server.id, client.id);
  EXPECT_EQ(server.id, compiled.package.id);
  EXPECT_EQ(client.labels, (std::vector<std::string>{"cat", "dog", "fish"}));
  EXPECT_EQ(nn::Normalization::parse(client.normalization), nn::Normalization{});
  EXPECT_EQ(client.plan.policy, "exact");
}

TEST(Compile, SameInputSamePackage) { EXPECT_EQ(compile_small().files.server, compile_small().files.server); }

TEST(Compile, AccuracyComesFromTheLabels) {
  const auto graph = nn::import_onnx_bytes(small_onnx(), "small");
  const Compiled compiled = compile_small();
  nn::Dataset data = small_images(40);
  // Labels that are what the integer network says, but for four images.
  for (std::size_t i = 0; i < data.size(); ++i) {
    const std::vector<std::int32_t> image =
        nn::quantise_input(compiled.package.network, data.input(i, nn::Normalization{}).data);
    const auto logits = nn::integer_logits(compiled.package.network, image);
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    data.labels[i] = static_cast<int>(i < 4 ? (best + 1) % kSmallClasses : best);
  }
  const Accuracy accuracy = measure_accuracy(graph, compiled.package.network, data, nn::Normalization{});
  EXPECT_EQ(accuracy.images, 40u);
  ASSERT_TRUE(accuracy.clear.has_value());
  EXPECT_DOUBLE_EQ(*accuracy.clear, 0.9);
  EXPECT_NEAR(*accuracy.in_float, 0.9, 0.15);
  data.labels.clear();
  const Accuracy unknown = measure_accuracy(graph, compiled.package.network, data, nn::Normalization{});
  EXPECT_FALSE(unknown.clear.has_value());
  EXPECT_FALSE(unknown.in_float.has_value());
}

void expect_refused(const CompileOptions& options, const std::string& word) {
  try {
    compile(nn::import_onnx_bytes(small_onnx(), "small"), small_images(4), nn::Normalization{}, options);
    FAIL() << word;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
  }
}

TEST(Compile, RefusesWhatIsNotThere) {
  CompileOptions options;
  options.policy = "fastest";
  expect_refused(options, "fastest");
  expect_refused(options, "exact");
  // A policy that the caller has to bring along (libtorch) was not.
  options.policy = "ddpg";
  expect_refused(options, "autoprivacy-search");
  options.policy = "exact";
  options.activation = "tlc";
  expect_refused(options, "tlc");
  expect_refused(options, "auto, gc, ot");
  options.activation = "gc";
  options.labels = {"one", "two"};
  expect_refused(options, "3 outputs");
}

TEST(Compile, BaselinesShareModuloPrimesAndGarble) {
  const auto graph = nn::import_onnx_bytes(small_onnx(), "small");
  for (const char* policy : {"delphi", "darl", "autoprivacy"}) {
    CompileOptions options;
    options.policy = policy;
    const Compiled compiled = compile(graph, small_images(16), nn::Normalization{}, options);
    const package::Package client = package::parse(compiled.files.client, "client.apm");
    EXPECT_EQ(client.plan.policy, policy);
    EXPECT_TRUE(client.plan.groups.empty());
    EXPECT_EQ(client.plan.batch_groups, compiled.package.plan.batch_groups);
    for (const plan::LinearChoice& c : client.plan.linears) EXPECT_NE(c.simd(), nullptr);
    for (const plan::ActivationChoice& c : client.plan.activations) EXPECT_EQ(c.protocol, "gc");
    // The notes speak of the weights.
    EXPECT_FALSE(compiled.package.plan.notes.empty());
    EXPECT_TRUE(client.plan.notes.empty());
    options.activation = "ot";
    expect_refused(options, "gc or auto");
  }
  CompileOptions options;
  options.policy = "published";
  expect_refused(options, "--policy autoprivacy");
  options.policy = "exact";
  options.flooding_by_rule = true;
  expect_refused(options, "darl");
  options.flooding_by_rule = false;
  options.policy = "autoprivacy";
  options.der_log2 = 0;
  expect_refused(options, "-40 to -1");
  options.der_log2 = -7;
  options.strict = true;
  expect_refused(options, "--strict");
}

TEST(Compile, SearchesForBudgets) {
  CompileOptions options;
  options.policy = "dp";
  options.search.max_loss = 0.1;
  const auto graph = nn::import_onnx_bytes(small_onnx(), "small");
  const Compiled dp = compile(graph, small_images(16), nn::Normalization{}, options);
  EXPECT_EQ(dp.package.plan.policy, "dp");
  ASSERT_TRUE(dp.search);
  EXPECT_GE(dp.search->simulations, 1U);
  options.policy = "exact";
  // The figure is that of a whole session, the search compares layers: on a toy both are the same to a percent.
  EXPECT_LT(dp.latency, 1.02 * compile(graph, small_images(16), nn::Normalization{}, options).latency);
  options.policy = "greedy";
  options.search.max_seconds = 1e-9;
  expect_refused(options, "layer");
  options.strict = true;
  expect_refused(options, "--strict");
}

// Offline and online together, which is what is reported, and not the sum over layers that the search compares by.
TEST(Compile, ABoundOnTheLatencyIsKeptByTheFigureReported) {
  const auto graph = nn::import_onnx_bytes(small_onnx(), "small");
  const auto compiled = [&](const CompileOptions& options) {
    return compile(graph, small_images(16), nn::Normalization{}, options);
  };
  CompileOptions options;
  options.reveal = "label";  // its argmax is no layer's
  options.policy = "greedy";
  options.search.simulations = 20;
  options.search.max_loss = 1;
  const double fastest = compiled(options).latency;
  options.search.max_loss.reset();
  options.search.max_seconds = 1e6;
  const double slowest = compiled(options).latency;
  ASSERT_LT(fastest, slowest);
  options.search.max_seconds = (fastest + slowest) / 2;
  const Compiled bounded = compiled(options);
  EXPECT_LE(bounded.latency, *options.search.max_seconds);
  EXPECT_DOUBLE_EQ(bounded.latency, bounded.predicted.offline.seconds + bounded.predicted.online.seconds);
  // Below the fastest there is nothing, whatever layers by themselves would say.
  options.search.max_seconds = 0.5 * fastest;
  expect_refused(options, "no plan");
}

TEST(Compile, StrictLowersTheFailureRate) {
  CompileOptions options;
  options.strict = true;
  const Compiled strict =
      compile(nn::import_onnx_bytes(small_onnx(), "small"), small_images(16), nn::Normalization{}, options);
  EXPECT_LE(strict.package.plan.failure_log2, -128);
  EXPECT_LE(compile_small().package.plan.failure_log2, -40);
}

}  // namespace
}  // namespace ap::app
