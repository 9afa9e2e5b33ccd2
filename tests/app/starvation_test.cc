// Clients that connect and give nothing, against those that want something.
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "protocol/hybrid/greeting.h"
#include "tests/app/running_server.h"
#include "tests/net/websocket/test_support.h"

namespace ap::app {
namespace {

using namespace std::chrono_literals;

class Starvation : public testing::Test {
 protected:
  /// A session that has greeted and wants nothing.
  std::unique_ptr<net::Channel> greeted(RunningServer& server) {
    auto channel = server.connect();
    greet(*channel);
    return channel;
  }
  void greet(net::Channel& channel) {
    ByteWriter hello;
    hello.u16(protocol::kProtocolVersion);
    hello.raw(client_.id);
    channel.send(protocol::kHello, hello.bytes());
    const Bytes welcome = channel.receive(protocol::kWelcome, 0, 100);
    ASSERT_EQ(welcome.at(0), static_cast<std::uint8_t>(protocol::Welcome::ready));
    channel.send(protocol::kNonce, Bytes(32, 1));
    channel.receive_exactly(protocol::kNonce, 32);
  }
  static void probe(net::Channel& channel, std::size_t bytes = 1) {
    channel.send(protocol::kCommand, Bytes{static_cast<std::uint8_t>(protocol::Command::probe)});
    channel.send(protocol::kProbe, Bytes(bytes));
    channel.receive_exactly(protocol::kProbe, bytes);
  }
  /// The channel ends, and its client is told why.
  static void expect_sent_away(net::Channel& channel, const std::string& reason) {
    channel.set_deadline(20s);
    net::expect_error([&] { channel.receive(0x7777, 0, 1); }, ErrorCode::peer, reason);
  }

  const Compiled compiled_ = compile_small();
  const package::Package client_ = package::parse(compiled_.files.client, "client.apm");
};

TEST_F(Starvation, ConnectionsWithoutAGreetingTakeNoSessions) {
  ServerConfig config;
  config.max_sessions = 1;
  RunningServer server(compiled_.package, config);
  const std::uint16_t port = parse_listen(server->address()).port;
  std::vector<std::unique_ptr<net::RawSocket>> silent;
  std::vector<std::unique_ptr<net::Channel>> speechless;
  for (int i = 0; i < 200; ++i) silent.push_back(std::make_unique<net::RawSocket>(port));
  for (int i = 0; i < 20; ++i) speechless.push_back(server.connect());
  for (int i = 0; i < 5; ++i) {
    server.expect_serving(client_, compiled_.package);
    server.expect_no_sessions();
  }
  EXPECT_EQ(server->sessions(), 0u);
}

TEST_F(Starvation, IdleSessionsGiveTheirPlaceToNewcomers) {
  ServerConfig config;
  config.max_sessions = 2;
  RunningServer server(compiled_.package, config);
  const auto first = greeted(server);
  std::this_thread::sleep_for(2'200ms);
  probe(*first);  // what anybody may do for ever is no work
  const auto second = greeted(server);
  server.expect_serving(client_, compiled_.package);
  expect_sent_away(*first, "idle, and its place is needed");
}

TEST_F(Starvation, SessionsThatWorkKeepTheirPlace) {
  ServerConfig config;
  config.max_sessions = 1;
  RunningServer server(compiled_.package, config);
  const protocol::Model model(client_.network, client_.plan);
  const auto channel = server.connect();
  protocol::ClientSession session(model, client_.id, *channel);
  const auto image = small_inputs(compiled_.package, 1)[0];
  session.infer(image);
  std::this_thread::sleep_for(2'500ms);  // longer than one may be idle that has never prepared anything
  const auto other = server.connect();
  net::expect_error([&] { protocol::ClientSession refused(model, client_.id, *other); }, ErrorCode::peer,
                    "no free place");
  session.infer(image);
  session.finish();
}

TEST_F(Starvation, ProbesDoNotRenewTheIdleLimit) {
  ServerConfig config;
  config.idle = 600ms;
  RunningServer server(compiled_.package, config);
  const auto channel = greeted(server);
  net::expect_error(
      [&] {
        for (int i = 0; i < 40; ++i) {
          probe(*channel, 100'000);
          std::this_thread::sleep_for(100ms);
        }
      },
      ErrorCode::peer, "it prepared and classified nothing for 0.6 s");
  server.expect_no_sessions();
}

TEST_F(Starvation, UnknownStoredInferencesDoNotRenewTheIdleLimit) {
  ServerConfig config;
  config.idle = 600ms;
  RunningServer server(compiled_.package, config);
  const auto channel = greeted(server);
  net::expect_error(
      [&] {
        for (int i = 0; i < 40; ++i) {
          channel->send(protocol::kCommand, Bytes{static_cast<std::uint8_t>(protocol::Command::use)});
          channel->send(protocol::kPreprocessingId, Bytes(16, static_cast<std::uint8_t>(i)));
          channel->receive_exactly(protocol::kPreprocessingAnswer, 1);
          std::this_thread::sleep_for(100ms);
        }
      },
      ErrorCode::peer, "it prepared and classified nothing for 0.6 s");
}

TEST_F(Starvation, ProbesAreFew) {
  RunningServer server(compiled_.package);
  const auto channel = greeted(server);
  for (int i = 0; i < protocol::kMaxProbes; ++i) probe(*channel);
  EXPECT_THROW(probe(*channel), Error);
  server.expect_serving(client_, compiled_.package);
}

TEST_F(Starvation, SessionsHaveALifetime) {
  ServerConfig config;
  config.lifetime = 500ms;
  RunningServer server(compiled_.package, config);
  const auto channel = greeted(server);
  expect_sent_away(*channel, "its session has lasted too long");
}

TEST_F(Starvation, TheEndOfTheServerWaitsForNobody) {
  ServerConfig config;
  config.max_sessions = 20;
  std::vector<std::unique_ptr<net::Channel>> deaf, speechless;
  std::vector<std::unique_ptr<net::RawSocket>> silent;
  std::chrono::steady_clock::time_point start;
  {
    RunningServer server(compiled_.package, config);
    const std::uint16_t port = parse_listen(server->address()).port;
    for (int i = 0; i < 20; ++i) deaf.push_back(greeted(server));
    for (int i = 0; i < 20; ++i) speechless.push_back(server.connect());
    for (int i = 0; i < 50; ++i) silent.push_back(std::make_unique<net::RawSocket>(port));
    start = std::chrono::steady_clock::now();
  }
  // One second for all together; one after the other it was a second each.
  EXPECT_LT(std::chrono::steady_clock::now() - start, 15s);
  expect_sent_away(*deaf.back(), "the server is stopping");
}

}  // namespace
}  // namespace ap::app
