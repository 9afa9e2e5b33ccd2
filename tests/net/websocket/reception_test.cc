// The pool in which clients wait until they have greeted: who gets in, who must go, and what a client costs.
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "net/websocket/client_address.h"
#include "net/websocket/framing.h"
#include "tests/net/websocket/test_support.h"

namespace ap::net {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kGreetingBytes = 64;

struct Door {
  explicit Door(const std::function<void(ListenerOptions&)>& change = {}) {
    options.first_message_bytes = kGreetingBytes;
    options.on_lost = lost.listen();
    if (change) change(options);
    listener = std::make_unique<Listener>("127.0.0.1", 0, test_identity(), options);
  }
  std::unique_ptr<Channel> connect_one() { return connect(listener->url(), test_trust(), 30s); }
  /// A client that greets is accepted and can go on talking.
  void expect_serving() {
    const auto client = connect_one();
    client->send(1, pattern(20, 1));
    const auto served = listener->accept(30s);
    ASSERT_NE(served, nullptr);
    EXPECT_EQ(served->receive_exactly(1, 20), pattern(20, 1));
    client->send(2, pattern(3 << 20, 2));
    EXPECT_EQ(served->receive_exactly(2, 3 << 20), pattern(3 << 20, 2));
    served->send(3, pattern(1000, 3));
    EXPECT_EQ(client->receive_exactly(3, 1000), pattern(1000, 3));
  }
  void expect_pending(std::size_t count) {
    for (int i = 0; i < 3000 && listener->pending() != count; ++i) std::this_thread::sleep_for(10ms);
    EXPECT_EQ(listener->pending(), count);
  }
  ListenerOptions options;
  LostClients lost;
  std::unique_ptr<Listener> listener;
};

std::size_t open_descriptors() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(Reception, AClientIsAcceptedOnceItHasGreeted) {
  Door door;
  const auto client = door.connect_one();
  EXPECT_EQ(door.listener->accept(100ms), nullptr);
  EXPECT_EQ(door.listener->pending(), 1u);
  client->send(1, pattern(20, 1));
  const auto served = door.listener->accept(30s);
  ASSERT_NE(served, nullptr);
  EXPECT_EQ(served->address(), "127.0.0.1");
  EXPECT_EQ(served->receive_exactly(1, 20), pattern(20, 1));
  EXPECT_EQ(door.listener->pending(), 0u);
}

TEST(Reception, GreetingsThatAreTooLongAreRefusedBeforeTheyAreRead) {
  Door door;
  const auto client = door.connect_one();
  client->send(1, Bytes(kGreetingBytes, 1));
  const auto lost = door.lost.wait_for(1);
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_NE(lost[0].find("sent a WebSocket message of more than 64 bytes before it had greeted"),
            std::string::npos)
      << lost[0];
  door.expect_serving();
}

TEST(Reception, OneDeadlineIsForAllOfTlsUpgradeAndGreeting) {
  Door door([](ListenerOptions& options) { options.limits.handshake = 400ms; });
  RawSocket silent(door.listener->port());
  RawTlsClient no_request(door.listener->port());
  RawTlsClient no_greeting(door.listener->port());
  no_greeting.upgrade();
  RawTlsClient half_greeting(door.listener->port());
  half_greeting.upgrade();
  half_greeting.write(masked_frame(2, Bytes(5, 1), 30));
  const auto lost = door.lost.wait_for(4);
  ASSERT_EQ(lost.size(), 4u);
  for (const std::string& sentence : lost) {
    EXPECT_NE(
        sentence.find("did not complete the TLS and WebSocket handshakes and its greeting within 0.4 s"),
        std::string::npos)
        << sentence;
  }
  door.expect_pending(0);
  door.expect_serving();
}

TEST(Reception, ManySilentConnectionsKeepNobodyOut) {
  Door door([](ListenerOptions& options) {
    options.max_pending = 20;
    options.max_pending_per_address = 10;
    options.limits.handshake = 120s;  // so that nobody goes for that reason, however busy the machine
  });
  const std::size_t before = open_descriptors();
  std::vector<std::unique_ptr<RawSocket>> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(std::make_unique<RawSocket>(door.listener->port()));
  door.lost.wait_for(90);
  door.expect_pending(10);
  // Those that were cut off are closed a moment later.
  for (int i = 0; i < 3000 && open_descriptors() > before + 110; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(open_descriptors(), before + 100 + 10) << "ours, and one for each that waits";
  for (int i = 0; i < 5; ++i) door.expect_serving();
  for (const std::string& sentence : door.lost.wait_for(90))
    EXPECT_NE(sentence.find("was cut off for newer ones"), std::string::npos) << sentence;
}

TEST(Reception, TheOldestGoFirst) {
  Door door([](ListenerOptions& options) { options.max_pending = options.max_pending_per_address = 3; });
  RawTlsClient first(door.listener->port());
  first.upgrade();
  std::this_thread::sleep_for(1100ms);  // its time to be quick is over
  std::vector<std::unique_ptr<RawSocket>> later;
  for (int i = 0; i < 3; ++i) later.push_back(std::make_unique<RawSocket>(door.listener->port()));
  EXPECT_EQ(first.read(1), Bytes{}) << "the first was cut off";
  door.expect_pending(3);
  door.expect_serving();
}

TEST(Reception, BeforeItsTimeIsOverWhoHasComeFurtherStays) {
  Door door([](ListenerOptions& options) { options.max_pending = options.max_pending_per_address = 3; });
  const auto client = door.connect_one();
  std::vector<std::unique_ptr<RawSocket>> silent;
  for (int i = 0; i < 10; ++i) silent.push_back(std::make_unique<RawSocket>(door.listener->port()));
  client->send(1, pattern(20, 1));
  const auto served = door.listener->accept(30s);
  ASSERT_NE(served, nullptr);
  EXPECT_EQ(served->receive_exactly(1, 20), pattern(20, 1));
}

TEST(Reception, LeavingDoesNotWaitAndTheGoodbyeArrivesWithItsReason) {
  Door door;
  const auto client = door.connect_one();
  client->send(1, pattern(20, 1));
  auto served = door.listener->accept(30s);
  served->send(2, pattern(100, 2));
  served->leave(30s, "it is late");
  served.reset();
  EXPECT_EQ(client->receive_exactly(2, 100), pattern(100, 2));
  expect_error([&] { client->receive_exactly(2, 100); }, ErrorCode::peer,
               "closed the connection (\"it is late\")");
  door.expect_pending(0);
}

TEST(Reception, WhoDoesNotLetGoIsCutOff) {
  Door door;
  RawTlsClient deaf(door.listener->port());
  deaf.upgrade();
  const Bytes frame = header(1, 0);
  deaf.write(masked_frame(2, frame, frame.size()));
  auto served = door.listener->accept(30s);
  ASSERT_NE(served, nullptr);
  served->leave(300ms);
  served.reset();
  EXPECT_EQ(door.listener->pending(), 1u);
  door.expect_pending(0);
}

TEST(Reception, ProgressCountsWaitingAndParts) {
  Door door;
  RawTlsClient client(door.listener->port());
  client.upgrade();
  client.write(masked_frame(2, header(1, 0), kHeaderBytes));
  auto served = door.listener->accept(30s);
  served->receive_exactly(1, 0);
  const auto before = served->progress();
  EXPECT_EQ(before.bytes_in, kHeaderBytes);
  client.write(masked_frame(2, Bytes(50'000, 1), 100'000));  // half a frame
  served->set_deadline(300ms);
  EXPECT_THROW(served->receive(1, 0, 1 << 20), Error);
  const auto after = served->progress();
  EXPECT_GE(after.waited - before.waited, 300ms);
  EXPECT_EQ(after.bytes_in - before.bytes_in, 50'000u);
}

TEST(ClientAddress, OneSubscriberIsOneUnit) {
  const auto unit = [](const char* text) { return address_unit(boost::asio::ip::make_address(text)); };
  EXPECT_EQ(unit("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(unit("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(unit("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(unit("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
  EXPECT_NE(unit("2001:db8:1:3::1"), "2001:db8:1:2::/64");
}

}  // namespace
}  // namespace ap::net
