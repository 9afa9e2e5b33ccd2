// What a server tells of its own cost: nothing, unless it was told to.
#include "protocol/hybrid/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "net/channel/recording_channel.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

struct Told {
  Report report;
  std::size_t messages = 0;
};

/// One inference with a server that shares `share`.
Told infer_with(ShareStatistics share) {
  const nn::QuantisedNetwork network = test::small_network();
  const package::Package package = test::packaged(network, plan::select_exact(network));
  const ServerModel server_model(package);
  const Model model(package.network, package.plan);
  auto [client_end, server_end] = net::make_local_channels();
  ServerOptions options;
  options.share_statistics = share;
  std::thread server([&, &channel = server_end] { serve_session(server_model, *channel, options); });
  net::RecordingChannel recorded(std::move(client_end), net::RecordingChannel::Keep::messages);
  Told told;
  {
    ClientSession session(model, package.id, recorded);
    session.infer(std::vector<std::int32_t>(model.size(0), 0));
    session.finish();
    told.report = session.report();
  }
  server.join();
  for (const net::RecordedMessage& m : recorded.messages()) told.messages += m.type == kStatistics;
  return told;
}

TEST(Statistics, NoneByDefault) {
  EXPECT_EQ(ServerOptions().share_statistics, ShareStatistics::none);
  const Told told = infer_with(ShareStatistics::none);
  EXPECT_EQ(told.messages, 0U);
  EXPECT_FALSE(told.report.server_told);
  EXPECT_EQ(told.report.offline.server_cpu_s, 0);
  EXPECT_EQ(told.report.server_peak_rss, 0U);
}

TEST(Statistics, OfTheSessionRoundedAndWithoutMemory) {
  const Told told = infer_with(ShareStatistics::session);
  EXPECT_EQ(told.messages, 2U) << "one a phase";
  EXPECT_TRUE(told.report.server_told);
  EXPECT_EQ(told.report.server_peak_rss, 0U);
  for (const LayerCost& layer : told.report.layers) {
    const double ms = layer.offline.server_cpu_s * 1e3;
    EXPECT_NEAR(ms, std::round(ms), 1e-6);
  }
}

TEST(Statistics, OfTheProcessWhenAsked) {
  const Told told = infer_with(ShareStatistics::process);
  EXPECT_EQ(told.messages, 2U);
  EXPECT_TRUE(told.report.server_told);
  EXPECT_GT(told.report.offline.server_cpu_s, 0);
  EXPECT_GT(told.report.server_peak_rss, std::uint64_t{1} << 20);
}

TEST(Statistics, RoundingForgetsTheMemory) {
  const ServerStatistics s = rounded({0.0126, {0.0004, 0.0016}, {1.0}, 12345});
  EXPECT_DOUBLE_EQ(s.cpu_s, 0.013);
  EXPECT_DOUBLE_EQ(s.linear_s[0], 0);
  EXPECT_DOUBLE_EQ(s.linear_s[1], 0.002);
  EXPECT_DOUBLE_EQ(s.activation_s[0], 1);
  EXPECT_EQ(s.peak_rss, 0U);
}

}  // namespace
}  // namespace ap::protocol
