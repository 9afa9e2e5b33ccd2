// Matrices with more outputs than a row of slots holds, or more inputs: what plans, predicts, simulates and runs a
// layer must see the same blocks.
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "analysis/cost/session_cost.h"
#include "analysis/prediction/predict.h"
#include "analysis/simulation/simulate.h"
#include "nn/execute/integer_executor.h"
#include "plan/packed_layers.h"
#include "plan/primes.h"
#include "planner/spaces/assemble_simd.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/server.h"
#include "tests/transcripts/packages.h"

namespace ap::protocol {
namespace {

/// Values that use the whole range of the input.
std::vector<std::int32_t> image_for(const nn::QuantisedNetwork& network) {
  std::vector<std::int32_t> image(static_cast<std::size_t>(network.input_shape().size()));
  const nn::QNode& input = network.nodes.front();
  for (std::size_t i = 0; i < image.size(); ++i) {
    image[i] = static_cast<std::int32_t>(input.low +
                                         static_cast<std::int64_t>(i * 97) % (input.high - input.low + 1));
  }
  return image;
}

std::vector<std::int64_t> clear_logits(const package::Package& package) {
  const auto logits = nn::IntegerExecutor(package.network).logits(image_for(package.network));
  return {logits.begin(), logits.end()};
}

/// One private inference; `report` receives what it sent.
std::vector<std::int64_t> private_logits(const package::Package& package, Report& report) {
  const ServerModel server_model(package);
  const Model model(nn::strip_weights(package.network), package.plan);
  auto [client_channel, server_channel] = net::make_local_channels();
  std::thread server([&, &channel = server_channel] { serve_session(server_model, *channel, {}); });
  ClientOptions options;
  options.weak = WeakParameters::allow_for_tests;
  ClientSession session(model, package.id, *client_channel, options);
  const SecretVector<std::int64_t> logits = session.infer(image_for(package.network));
  report = session.report();
  session.finish();
  server.join();
  return {logits.begin(), logits.end()};
}

/// Plan, simulation, prediction and private run agree on how layer `index` is blocked.
void expect_blocked(const package::Package& package, std::size_t index, std::size_t replies) {
  plan::validate(package.plan, package.network);
  const auto layers = plan::make_layers(package.plan, package.network);
  const linear::PackedLayer& layer = plan::packed(layers.at(index));
  EXPECT_EQ(layer.replies(), replies);
  EXPECT_EQ(layer.counts().replies, static_cast<std::int64_t>(replies));

  // A failed reply takes its own outputs along and no others; together they hold every output once.
  const noise::ErrorModel errors = plan::error_model(package.network, package.plan);
  const noise::DecryptionFailures& failures = errors.replies.at(index);
  ASSERT_EQ(failures.replies.size(), replies);
  EXPECT_GE(failures.rate, 0);  // this plan is wide: the rate is below what a double holds
  EXPECT_LT(failures.rate, 1e-9);
  std::set<std::uint32_t> outputs;
  std::size_t reads = 0;
  for (const auto& reply : failures.replies) {
    reads += reply.size();
    for (const noise::SlotRead& read : reply) {
      EXPECT_LT(read.slot, failures.n / 2);
      outputs.insert(read.output);
    }
  }
  EXPECT_EQ(reads, static_cast<std::size_t>(layer.geometry().out().size()));
  EXPECT_EQ(outputs.size(), reads);
  const std::vector<std::int32_t> image = image_for(package.network);
  plan::SimulateOptions once;
  once.seeds = {1};
  EXPECT_EQ(plan::simulate(package.network, package.plan, image, {}, once).images, 1U);

  const Model model(package.network, package.plan);
  const cost::Prediction predicted = predict(model, cost::typical_profile(), {}, 1);
  Report report;
  EXPECT_EQ(private_logits(package, report), clear_logits(package));
  EXPECT_NEAR(predicted.offline.bytes_up, static_cast<double>(report.offline.bytes_up), 1e-3);
  EXPECT_NEAR(predicted.offline.bytes_down, static_cast<double>(report.offline.bytes_down), 1e-3);
}

TEST(BlockedMatrices, ByHandAreSeenAlikeByAll) {
  const package::Package package = transcripts::long_package();
  expect_blocked(package, 0, 2);  // 1030 outputs in rows of 1024
  const auto layers = plan::make_layers(package.plan, package.network);
  EXPECT_EQ(plan::packed(layers[0]).describe(), "SIMD hybrid-baby-giant");
  EXPECT_EQ(plan::packed(layers[1]).describe(), "SIMD diagonal-baby-giant");
}

/// A network of one matrix, 4 to `outputs`.
nn::QuantisedNetwork wide_network(int outputs) {
  using namespace test;
  Prng prng(Seed{9});
  nn::QuantisedNetwork net;
  net.name = "wide";
  net.nodes.push_back(make_node("input", nn::QInput{}, {}, {4, 1, 1}));
  net.nodes[0].low = -8;
  net.nodes[0].high = 7;
  net.nodes.push_back(make_node("rows", make_linear(prng, {4, 1, 1}, {}, 1, outputs), {0}, {outputs, 1, 1}));
  nn::set_ranges(net, 2);
  return net;
}

// In a ring with room for it, by the planner's own numbers and at full security.
TEST(BlockedMatrices, PlannersProposeThem) {
  constexpr int kOutputs = 2050;
  constexpr std::uint32_t kDegree = 4096;
  const nn::QuantisedNetwork network = wide_network(kOutputs);
  const auto& weights = std::get<nn::QLinear>(network.nodes[1].op).weights;
  ASSERT_EQ(weights.size(), 4U * kOutputs);
  const std::int64_t bound = std::max(-network.nodes[1].low, network.nodes[1].high);
  const std::uint64_t p = plan::smallest_prime(bound, kDegree);
  plan::SimdOptions options;
  options.statistical_bits = 8;
  options.degrees = {kDegree};
  const auto candidates = plan::simd_candidates(network.nodes[1], p, -10, options);
  ASSERT_FALSE(candidates.empty());
  for (const plan::SimdCandidate& candidate : candidates) {
    // Either of two replies may fail.
    EXPECT_NEAR(candidate.choice.failure_log2, candidate.der_log2 + 1, 1e-9);
  }
  if (std::getenv("AP_SLOW") == nullptr)
    GTEST_SKIP() << "1023 rotation keys take long: set AP_SLOW to run it";
  const plan::Plan plan =
      plan::assemble_simd(network, "by hand", 0, {p, p}, std::span(&candidates.front(), 1));
  expect_blocked(test::packaged(network, plan), 0, 2);
}

}  // namespace
}  // namespace ap::protocol
