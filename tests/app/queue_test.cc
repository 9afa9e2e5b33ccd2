// Clients that wait for a place, over real connections: whose turn it is, what they are told, and who cannot fill the queue.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "app/connect.h"
#include "app/waiting_room.h"
#include "base/error.h"
#include "protocol/hybrid/greeting.h"
#include "tests/app/running_server.h"
#include "tests/net/websocket/test_support.h"

namespace ap::app {
namespace {

using namespace std::chrono_literals;
using protocol::Waiting;

class Queue : public testing::Test {
 protected:
  ServerConfig one_place(std::size_t queue) const {
    ServerConfig config;
    config.max_sessions = 1;
    config.queue = queue;
    return config;
  }
  /// A session that keeps its place: it has prepared something.
  struct Holder {
    std::unique_ptr<net::Channel> channel;
    std::unique_ptr<protocol::ClientSession> session;
    void leave() {
      session->finish();
      channel->close();
    }
  };
  Holder hold(RunningServer& server) const {
    Holder holder;
    holder.channel = server.connect();
    holder.session = std::make_unique<protocol::ClientSession>(model_, client_.id, *holder.channel);
    holder.session->prepare();
    return holder;
  }
  /// One image of a client that waits so long; the error's sentence, or nothing.
  std::string classify(RunningServer& server, std::chrono::milliseconds patience,
                       const std::function<void(const Waiting&)>& on_wait = {}) const {
    SessionOptions options;
    options.patience = patience;
    options.on_wait = on_wait;
    const std::vector<Image> images = small_inputs(compiled_.package, 1);
    try {
      const auto channel = server.connect_to_wait();
      const RunResult result = run_images(client_, *channel, images, options);
      EXPECT_EQ(compare_with_clear(compiled_.package.network, images, result.logits).same_class, 1u);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::peer);
      return error.what();
    }
    return "";
  }
  /// A client that has said hello and reads nothing yet.
  std::unique_ptr<net::Channel> greeted(RunningServer& server) const {
    auto channel = server.connect_to_wait();
    ByteWriter hello;
    hello.u16(protocol::kProtocolVersion);
    hello.raw(client_.id);
    channel->send(protocol::kHello, hello.bytes());
    return channel;
  }
  /// Status and place of the next greeting.
  static std::pair<int, int> next(net::Channel& channel) {
    channel.set_deadline(20s);
    const Bytes welcome = channel.receive(protocol::kWelcome, 35, 43);
    return {welcome[0], welcome.size() == 43 ? welcome[35] : 0};
  }

  const Compiled compiled_ = compile_small();
  const package::Package client_ = package::parse(compiled_.files.client, "client.apm");
  const protocol::Model model_{client_.network, client_.plan};
};

constexpr int kReady = 0, kBusy = 3, kWaiting = 4;

TEST_F(Queue, AClientGetsThePlaceThatBecomesFree) {
  RunningServer server(compiled_.package, one_place(4));
  Holder holder = hold(server);
  std::atomic<int> told{0};
  std::thread client([&] {
    EXPECT_EQ(classify(server, 60s,
                       [&](const Waiting& waiting) {
                         EXPECT_EQ(waiting.place, 1u);
                         EXPECT_GE(waiting.about.count(), 1);
                         ++told;
                       }),
              "");
  });
  while (told < 2) std::this_thread::sleep_for(10ms);  // again every two seconds
  EXPECT_EQ(server->sessions(), 1u);
  holder.leave();
  client.join();
  EXPECT_EQ(server->inferences(), 1u);
}

TEST_F(Queue, PlacesAreInTheOrderOfArrivalAndMoveUp) {
  RunningServer server(compiled_.package, one_place(4));
  Holder holder = hold(server);
  const auto first = greeted(server);
  EXPECT_EQ(next(*first), std::pair(kWaiting, 1));
  auto second = greeted(server);
  EXPECT_EQ(next(*second), std::pair(kWaiting, 2));
  const auto third = greeted(server);
  EXPECT_EQ(next(*third), std::pair(kWaiting, 3));
  second.reset();  // goes
  while (true) {
    const auto [status, place] = next(*third);
    ASSERT_EQ(status, kWaiting);
    if (place == 2) break;
  }
  holder.leave();
  while (true) {
    const auto [status, place] = next(*first);
    if (status == kReady) break;
    ASSERT_EQ(place, 1);
  }
  while (next(*third).second != 1) {
  }
}

TEST_F(Queue, PatienceEndsWithASentence) {
  RunningServer server(compiled_.package, one_place(4));
  Holder holder = hold(server);
  const auto start = std::chrono::steady_clock::now();
  const std::string sentence = classify(server, 1s);
  EXPECT_NE(sentence.find("no free place for another session now: after"), std::string::npos) << sentence;
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20s);
  holder.leave();
  server.expect_no_sessions();
  server.expect_serving(client_, compiled_.package);
}

TEST_F(Queue, ClientsThatDoNotSayThatTheyWaitAreToldAtOnce) {
  RunningServer server(compiled_.package, one_place(4));
  const Holder holder = hold(server);
  const auto channel = server.connect();
  net::expect_error([&] { protocol::ClientSession refused(model_, client_.id, *channel); }, ErrorCode::peer,
                    "the server has no free place for another session now; try again later");
}

TEST_F(Queue, WithoutAQueueAClientIsToldWhenToComeAgain) {
  RunningServer server(compiled_.package, one_place(0));
  Holder holder = hold(server);
  const std::string sentence = classify(server, 10s);
  EXPECT_NE(sentence.find("try again in about"), std::string::npos) << sentence;

  // And with patience it does.
  std::atomic<int> attempts{0}, told{0};
  std::thread client([&] {
    while_busy(
        60s,
        [&](std::chrono::milliseconds) {
          ++attempts;
          const auto channel = server.connect_to_wait();
          protocol::ClientSession session(model_, client_.id, *channel);
          session.finish();
        },
        [&](const Waiting& waiting) {
          EXPECT_EQ(waiting.place, 0u);
          ++told;
        });
  });
  while (told == 0) std::this_thread::sleep_for(10ms);
  holder.leave();
  client.join();
  EXPECT_GE(attempts, 2);
}

TEST_F(Queue, OneAddressCannotFillIt) {
  RunningServer server(compiled_.package, one_place(4));
  const Holder holder = hold(server);
  std::vector<std::unique_ptr<net::Channel>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(greeted(server));
    EXPECT_EQ(next(*waiting.back()), std::pair(kWaiting, i + 1));
  }
  const auto further = greeted(server);
  const auto [status, again] = next(*further);
  EXPECT_EQ(status, kBusy);
}

TEST_F(Queue, NobodyWaitsForEver) {
  ServerConfig config = one_place(4);
  config.queue_wait = 500ms;
  RunningServer server(compiled_.package, config);
  const Holder holder = hold(server);
  const auto waiting = greeted(server);
  EXPECT_EQ(next(*waiting).first, kWaiting);
  int status = kWaiting;
  while (status == kWaiting) status = next(*waiting).first;
  EXPECT_EQ(status, kBusy);
}

TEST_F(Queue, AnIdleSessionGivesItsPlaceToWhoWaits) {
  RunningServer server(compiled_.package, one_place(4));
  const auto idle = greeted(server);
  EXPECT_EQ(next(*idle).first, kReady);
  EXPECT_EQ(classify(server, 60s), "") << "after the 2 s of a session that has prepared nothing";
}

TEST_F(Queue, TheEndOfTheServerEndsTheWait) {
  auto server = std::make_unique<RunningServer>(compiled_.package, one_place(4));
  const Holder holder = hold(*server);
  const auto waiting = greeted(*server);
  EXPECT_EQ(next(*waiting).first, kWaiting);
  server.reset();
  EXPECT_THROW(
      {
        for (;;) next(*waiting);
      },
      Error);
}

TEST_F(Queue, ManyClientsShareFewPlaces) {
  ServerConfig config;
  config.max_sessions = 2;
  config.queue = 16;
  RunningServer server(compiled_.package, config);
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int i = 0; i < 12; ++i) clients.emplace_back([&] { good += classify(server, 120s).empty() ? 1 : 0; });
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 12);
  EXPECT_EQ(server->inferences(), 12u);
}

TEST(WaitingRoomEstimate, IsRoundedUpAndKnowsNothingAtFirst) {
  EXPECT_EQ(WaitingRoom::estimate(1, 0, 1), 5s);
  EXPECT_EQ(WaitingRoom::estimate(1, 0.1, 1), 1s);
  EXPECT_EQ(WaitingRoom::estimate(3, 2.0, 1), 10s);
  EXPECT_EQ(WaitingRoom::estimate(3, 2.0, 2), 5s);
  EXPECT_EQ(WaitingRoom::estimate(1000, 100.0, 1), 3600s);
}

}  // namespace
}  // namespace ap::app
