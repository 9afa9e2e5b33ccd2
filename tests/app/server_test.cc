#include "app/server.h"

#include <gtest/gtest.h>

#include <chrono>

#include "base/error.h"
#include "tests/app/running_server.h"

namespace ap::app {
namespace {

using namespace std::chrono_literals;

TEST(ParseListen, AcceptsTheUsualForms) {
  EXPECT_EQ(parse_listen("127.0.0.1:9000").host, "127.0.0.1");
  EXPECT_EQ(parse_listen("127.0.0.1:9000").port, 9000);
  EXPECT_EQ(parse_listen("[::1]:0").host, "::1");
  EXPECT_EQ(parse_listen(":443").host, "0.0.0.0");
  EXPECT_EQ(parse_listen("example.org:65535").port, 65535);
}

TEST(ParseListen, RefusesTheRest) {
  for (const char* text :
       {"", "host", "host:", "host:x", "host:65536", "host:-1", "host:80x", "::1:80", "host: 80"}) {
    EXPECT_THROW(parse_listen(text), Error) << text;
  }
}

class ServerTest : public testing::Test {
 protected:
  const Compiled compiled_ = compile_small();
  const package::Package client_ = package::parse(compiled_.files.client, "client.apm");
};

TEST_F(ServerTest, AnswersLikeTheClearNetwork) {
  ServerConfig config;
  config.share_statistics = protocol::ShareStatistics::process;
  RunningServer server(compiled_.package, config);
  const std::vector<Image> images = small_inputs(compiled_.package, 3);
  const auto channel = server.connect();
  const RunResult result = run_images(client_, *channel, images);
  const Agreement agreement = compare_with_clear(compiled_.package.network, images, result.logits);
  EXPECT_EQ(agreement.same_class, 3u);
  EXPECT_EQ(server->inferences(), 3u);
  EXPECT_GT(result.mean.offline.bytes_up, 0u);
  EXPECT_GT(result.mean.online.bytes_down, 0u);
  EXPECT_GT(result.mean.server_peak_rss, 0u);
  EXPECT_GT(result.client_peak_rss, 0u);
  EXPECT_EQ(result.mean.layers.size(), 3u) << "two linear layers and an activation";
}

TEST_F(ServerTest, ServesSeveralAtATime) {
  RunningServer server(compiled_.package);
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([&, c] {
      const std::vector<Image> images = small_inputs(compiled_.package, 2, static_cast<std::uint32_t>(c));
      const auto channel = server.connect();
      const RunResult result = run_images(client_, *channel, images);
      if (compare_with_clear(compiled_.package.network, images, result.logits).same_class == 2) ++good;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 4);
  EXPECT_EQ(server->inferences(), 8u);
}

TEST_F(ServerTest, TellsAFurtherClientThatItIsBusy) {
  ServerConfig config;
  config.max_sessions = 1;
  RunningServer server(compiled_.package, config);
  const protocol::Model model(client_.network, client_.plan);
  const auto first = server.connect();
  protocol::ClientSession holding(model, client_.id, *first);
  const auto second = server.connect();
  try {
    protocol::ClientSession refused(model, client_.id, *second);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
    EXPECT_NE(std::string(error.what()).find("no free place"), std::string::npos) << error.what();
  }
  // The first is not disturbed, and after it there is room again.
  holding.infer(small_inputs(compiled_.package, 1)[0]);
  holding.finish();
  first->close();
  server.expect_no_sessions();
  server.expect_serving(client_, compiled_.package);
}

TEST_F(ServerTest, RefusesAnotherPackage) {
  RunningServer server(compiled_.package);
  const Compiled other = compile_small(3);
  const auto channel = server.connect();
  try {
    run_images(package::parse(other.files.client, "client.apm"), *channel, small_inputs(other.package, 1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
    EXPECT_NE(std::string(error.what()).find("package"), std::string::npos) << error.what();
  }
  server.expect_serving(client_, compiled_.package);
}

TEST_F(ServerTest, WrongCertificateIsRefusedByTheClient) {
  RunningServer server(compiled_.package);
  const auto other = net::certificate_fingerprint(net::make_self_signed("127.0.0.1"));
  for (const net::TlsTrust& trust :
       {net::TlsTrust::pinned_certificate(other), net::TlsTrust::system_authorities()}) {
    try {
      net::connect("wss://" + server->address(), trust);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::security) << error.what();
    }
  }
  server.expect_serving(client_, compiled_.package);
}

TEST_F(ServerTest, SilentClientsAreDroppedAtTheDeadline) {
  ServerConfig config;
  config.deadline = 1'500ms;
  config.handshake = 1'500ms;
  RunningServer server(compiled_.package, config);
  const auto silent = server.connect();
  server.expect_serving(client_, compiled_.package);
  server.expect_no_sessions();
  // Silence in the middle of a session is no different.
  const protocol::Model model(client_.network, client_.plan);
  const auto stalled = server.connect();
  protocol::ClientSession session(model, client_.id, *stalled);
  server.expect_no_sessions();
  EXPECT_THROW(session.prepare(), Error);
  server.expect_serving(client_, compiled_.package);
}

TEST_F(ServerTest, HostileMessagesEndOneSessionOnly) {
  RunningServer server(compiled_.package);
  const Bytes huge(8 << 20, 0xff);
  for (const net::MessageType type :
       std::vector<net::MessageType>{protocol::kHello, protocol::kUpload, 0xffff}) {
    for (const ByteView payload : {ByteView(huge), ByteView(huge).first(1), ByteView()}) {
      const auto channel = server.connect();
      channel->set_deadline(5s);
      EXPECT_THROW(
          {
            channel->send(type, payload);
            channel->receive(protocol::kCommand, 0, 0);
          },
          Error);
    }
  }
  server.expect_no_sessions();
  server.expect_serving(client_, compiled_.package);
}

TEST_F(ServerTest, ClientWaitsNoLongerThanItsDeadlineForASilentServer) {
  const net::TlsIdentity identity = net::make_self_signed("127.0.0.1");
  net::Listener listener("127.0.0.1", 0, identity);
  std::unique_ptr<net::Channel> accepted;
  std::thread server([&] { accepted = listener.accept(10s); });
  const auto channel =
      net::connect(listener.url(), net::TlsTrust::pinned_certificate(net::certificate_fingerprint(identity)));
  server.join();
  channel->set_deadline(200ms);
  const auto start = std::chrono::steady_clock::now();
  try {
    run_images(client_, *channel, small_inputs(compiled_.package, 1));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
    EXPECT_NE(std::string(error.what()).find("0.2 s"), std::string::npos) << error.what();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
}

TEST_F(ServerTest, PortInUse) {
  RunningServer server(compiled_.package);
  ServerConfig config;
  config.listen = server->address();
  try {
    Server second(compiled_.package, config);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    EXPECT_NE(std::string(error.what()).find("use"), std::string::npos) << error.what();
  }
}

TEST_F(ServerTest, NeedsTheServersPackage) { EXPECT_THROW(Server(client_, {}), Error); }

TEST_F(ServerTest, RefusesAnImpossibleMemoryCeiling) {
  ServerConfig config;
  config.max_memory_bytes = 1'000'000;
  EXPECT_THROW(Server(compiled_.package, config), Error);
}

TEST_F(ServerTest, StopEndsRunningSessions) {
  auto server = std::make_unique<RunningServer>(compiled_.package);
  const auto channel = server->connect();
  const protocol::Model model(client_.network, client_.plan);
  protocol::ClientSession session(model, client_.id, *channel);
  server.reset();  // must not wait for the idle session's deadline of a minute
  EXPECT_THROW(session.infer(small_inputs(compiled_.package, 1)[0]), Error);
}

TEST_F(ServerTest, NoFileDescriptorLeaks) {
  RunningServer server(compiled_.package);
  server.expect_serving(client_, compiled_.package);
  server.expect_no_sessions();
  const std::size_t before = open_descriptors();
  for (int round = 0; round < 5; ++round) {
    server.expect_serving(client_, compiled_.package);
    const auto rude = server.connect();
    rude->send(protocol::kUpload, Bytes(100));
  }
  server.expect_no_sessions();
  // A session is over a moment before its thread has closed its last descriptor.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (open_descriptors() != before && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace ap::app
