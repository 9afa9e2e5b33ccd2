#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "net/channel/channel.h"
#include "protocol/he/client.h"
#include "protocol/he/messages.h"
#include "protocol/he/server.h"
#include "protocol/hybrid/greeting.h"
#include "tests/he_only/small_package.h"

namespace ap::protocol::he {
namespace {

using he_only::testing::small_package;
using he_only::testing::SmallPackage;

struct World {
  World() {
    he_only::testing::Builder b = he_only::testing::tiny();
    made = small_package(b);
    client = he_only::parse(made.files.client, "client.apm");
    model = std::make_unique<ServerModel>(he_only::parse(made.files.server, "server.apm"));
  }
  SmallPackage made;
  he_only::Package client;
  std::unique_ptr<ServerModel> model;
};
const World& world() {
  static const World w;
  return w;
}

// A server on a thread of its own; what it threw.
struct Server {
  explicit Server(ServerOptions options = {}) : options_(std::move(options)) {
    auto [ours, theirs] = net::make_local_channels();
    channel = std::move(ours);
    thread_ = std::thread([this, theirs = std::move(theirs)] {
      try {
        serve_session(*world().model, *theirs, options_);
      } catch (const Error& error) {
        failure = error.what();
        code = error.code();
      }
      theirs->close();
    });
  }
  ~Server() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  std::unique_ptr<net::Channel> channel;
  std::string failure;
  ErrorCode code = ErrorCode::internal;

 private:
  ServerOptions options_;
  std::thread thread_;
};

TEST(HeSession, EveryImageGetsTheScoresOfThePolynomialNetwork) {
  const World& w = world();
  std::size_t counted = 0, steps = 0;
  Server server({[&] {
                   ++counted;
                   return Permission{};
                 },
                 {},
                 {},
                 {}});
  ClientOptions options;
  options.on_step = [&](std::size_t done, std::size_t all) {
    EXPECT_LE(done, all);
    ++steps;
  };
  ClientSession session(w.client, *server.channel, options);
  session.send_keys();
  const std::uint64_t keys = session.keys_cost().bytes_up;
  for (std::size_t i = 0; i < w.made.images.size(); ++i) {
    const auto scores = session.infer(w.made.images[i]);
    ASSERT_EQ(scores.size(), 3U);
    for (std::size_t j = 0; j < 3; ++j)
      EXPECT_NEAR(scores[j], w.made.scores[i][j], 6 * w.made.shared.score_error);
  }
  // One message up and one answer down, besides words of a few bytes; the keys went once.
  EXPECT_GT(keys, session.image_cost().bytes_up);
  const std::uint64_t n = w.made.shared.program.contexts.front().n;
  EXPECT_LT(session.image_cost().bytes_up,
            n / 8 * 50 * (w.made.shared.program.contexts.front().data_primes.size() + 1));
  session.finish();
  server.join();
  EXPECT_EQ(server.failure, "");
  EXPECT_EQ(counted, w.made.images.size());
  EXPECT_EQ(steps, w.made.images.size() * w.made.shared.steps);
}

TEST(HeSession, RefusedImagesAreNotComputed) {
  Server server({[] { return Permission{PrepareAnswer::used_up, 7}; }, {}, [] { FAIL(); }, {}});
  ClientSession session(world().client, *server.channel);
  try {
    session.infer(world().made.images[0]);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
    EXPECT_NE(std::string(error.what()).find("all 7 inferences"), std::string::npos);
  }
  session.finish();
}

// A client that speaks by hand: greeting, nonces, then whatever a test sends.
struct Hostile {
  Hostile() {
    greet_server(*server.channel, world().client.id, {}, {});
    server.channel->send(protocol::kNonce, Bytes(32));
    server.channel->receive_exactly(protocol::kNonce, 32);
  }
  void command(Command c) {
    const auto byte = static_cast<std::uint8_t>(c);
    server.channel->send(kCommand, {&byte, 1});
  }
  std::string end() {
    server.join();
    EXPECT_EQ(server.code, ErrorCode::peer) << server.failure;
    return server.failure;
  }
  Server server;
};

TEST(HeSession, ImagesWithoutKeysAreRefused) {
  Hostile client;
  client.command(Command::infer);
  const he_only::Contexts contexts(world().client.shared.program, {});
  const std::size_t bytes = he_only::request_bytes(contexts, world().client.shared.program.input_context,
                                                   world().client.shared.ends);
  client.server.channel->send(kRequest, Bytes(32 + bytes));
  EXPECT_NE(client.end().find("keys"), std::string::npos);
}

TEST(HeSession, PiecesOfAWrongSizeAndBadResiduesAreRefused) {
  {
    Hostile client;
    client.command(Command::keys);
    client.server.channel->send(kKeyPiece, Bytes(100));
    client.end();
  }
  {
    Hostile client;
    client.command(Command::keys);
    const he_only::Contexts contexts(world().client.shared.program, {});
    const std::uint64_t first =
        he_only::EvaluationKeys(world().client.shared.program, contexts).part_bytes().front();
    client.server.channel->send(kKeyPiece, Bytes(first, 0xff));
    EXPECT_NE(client.end().find("prime"), std::string::npos);
  }
  {
    Hostile client;
    const std::uint8_t byte = 9;
    client.server.channel->send(kCommand, {&byte, 1});
    EXPECT_NE(client.end().find("unknown command 9"), std::string::npos);
  }
}

}  // namespace
}  // namespace ap::protocol::he
