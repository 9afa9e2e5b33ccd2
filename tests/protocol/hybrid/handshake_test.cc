// The two greetings: parties that do not fit each other part with one sentence that says why.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "base/error.h"
#include "net/channel/channel.h"
#include "package/package.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/greeting.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

package::Package packaged(plan::Reveal reveal) {
  const nn::QuantisedNetwork network = test::small_network();
  plan::Plan plan = plan::select_exact(network);
  plan.reveal = reveal;
  if (reveal == plan::Reveal::label) plan.argmax_protocol = "auto";
  return test::packaged(network, plan);
}

/// Greets as a client of `client` and gives the sentence that ends the session; empty if it does not end.
std::string greet(const package::Package& client, net::Channel& channel) {
  const Model model(client.network, client.plan);
  try {
    ClientSession session(model, client.id, channel);
    session.finish();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
    return error.what();
  }
  return "";
}

/// What a client of `package` says to a server that sends this greeting.
std::string answer_to(const package::Package& package, Welcome status, int version,
                      std::uint8_t statistics = 0) {
  auto [client_end, server_end] = net::make_local_channels();
  ByteWriter welcome;
  welcome.u8(static_cast<std::uint8_t>(status));
  welcome.u16(static_cast<std::uint16_t>(version));
  welcome.raw(package.id);
  if (status == Welcome::ready) welcome.u8(statistics);
  server_end->send(kWelcome, welcome.bytes());
  server_end->send(kNonce, Bytes(32));
  const std::string sentence = greet(package, *client_end);
  // Whatever it thinks of the server, what it said is the greeting of every version: u16 version, package id.
  const Bytes hello = server_end->receive_exactly(kHello, 2 + 32);
  EXPECT_EQ(hello[0] | hello[1] << 8, kProtocolVersion);
  EXPECT_TRUE(std::equal(package.id.begin(), package.id.end(), hello.begin() + 2));
  return sentence;
}

std::string other_version_sentence(int server) {
  return "the server speaks protocol version " + std::to_string(server) + ", this client " +
         std::to_string(kProtocolVersion) + "; use matching versions";
}

TEST(Handshake, ClientNamesBothVersions) {
  const package::Package package = packaged(plan::Reveal::logits);
  for (const int version : {0, kProtocolVersion - 1, kProtocolVersion + 1, 65535}) {
    EXPECT_EQ(answer_to(package, Welcome::other_version, version), other_version_sentence(version));
  }
  EXPECT_EQ(answer_to(package, Welcome::ready, kProtocolVersion), "");
  // A server that takes a client of a version that is not its own does not follow the protocol.
  EXPECT_EQ(answer_to(package, Welcome::ready, kProtocolVersion + 1),
            other_version_sentence(kProtocolVersion + 1));
}

TEST(Handshake, ClientRefusesUnknownStatistics) {
  const package::Package package = packaged(plan::Reveal::logits);
  EXPECT_EQ(answer_to(package, Welcome::ready, kProtocolVersion, 2), "");
  EXPECT_EQ(answer_to(package, Welcome::ready, kProtocolVersion, 3),
            "the server's greeting promises the unknown kind 3 of statistics");
}

TEST(Handshake, ServerRefusesOtherVersionsBeforeItLooksAtThePackage) {
  const package::Package package = packaged(plan::Reveal::logits);
  const ServerModel model(package);
  for (const int version : {0, kProtocolVersion - 1, kProtocolVersion + 1, 65535}) {
    auto [client_end, server_end] = net::make_local_channels();
    ByteWriter hello;
    hello.u16(static_cast<std::uint16_t>(version));
    hello.raw(package::PackageId{});
    client_end->send(kHello, hello.bytes());
    // It returns: nothing is expected of such a client any more.
    ServerOptions options;
    std::string reason;
    options.on_refusal = [&](const std::string& sentence) { reason = sentence; };
    serve_session(model, *server_end, options);
    EXPECT_EQ(reason, "refused: the client speaks protocol version " + std::to_string(version) +
                          ", this server " + std::to_string(kProtocolVersion));
    const Bytes welcome = client_end->receive_exactly(kWelcome, 1 + 2 + 32);
    EXPECT_EQ(welcome[0], static_cast<std::uint8_t>(Welcome::other_version));
    EXPECT_EQ(welcome[1] | welcome[2] << 8, kProtocolVersion);
  }
}

/// What is revealed is part of the package: neither party can be talked into more, or less.
TEST(Handshake, PartiesMustAgreeOnWhatIsRevealed) {
  const package::Package logits = packaged(plan::Reveal::logits), label = packaged(plan::Reveal::label);
  for (const bool swapped : {false, true}) {
    const ServerModel model(swapped ? label : logits);
    auto [client_end, server_end] = net::make_local_channels();
    std::thread server([&, channel = server_end.get()] { serve_session(model, *channel); });
    EXPECT_EQ(greet(swapped ? logits : label, *client_end),
              "the server serves another package than this client.apm; use the client.apm that was compiled "
              "with it");
    server.join();
  }
}

/// What a client that waits so long hears of a server that sends these greetings; and how it ends.
struct Heard {
  std::vector<std::uint32_t> places;
  std::string error;
};
Heard wait_for(const std::function<void(net::Channel& server, const package::PackageId& id)>& greetings,
               std::chrono::milliseconds patience = std::chrono::seconds(60)) {
  auto [client_end, server_end] = net::make_local_channels();
  const package::PackageId id{1, 2, 3};
  greetings(*server_end, id);
  client_end->set_deadline(std::chrono::milliseconds(200));
  Heard heard;
  try {
    greet_server(*client_end, id, patience,
                 [&](const Waiting& waiting) { heard.places.push_back(waiting.place); });
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
    heard.error = error.what();
  }
  return heard;
}

TEST(Handshake, AClientWaitsForItsPlace) {
  using std::chrono::seconds;
  const Heard heard = wait_for([](net::Channel& server, const package::PackageId& id) {
    for (const std::size_t place : {3, 2, 2, 1}) answer_waiting(server, id, place, seconds(5));
    answer_greeting(server, id, Welcome::ready);
  });
  EXPECT_EQ(heard.error, "");
  EXPECT_EQ(heard.places, (std::vector<std::uint32_t>{3, 2, 2, 1}));

  const auto waiting = [](net::Channel& server, const package::PackageId& id) {
    answer_waiting(server, id, 3, seconds(20));
  };
  EXPECT_EQ(
      wait_for(waiting, seconds(0)).error,
      "the server has no free place for another session now: after 0 s 2 clients are still before this one, "
      "which may take 20 s; try again later, or wait longer");
  EXPECT_NE(wait_for(waiting).error.find("0.2 s"), std::string::npos) << "a silent server is no queue";
}

TEST(Handshake, AFullQueueSaysWhenToComeAgain) {
  const auto sentence = [](std::chrono::seconds again) {
    return wait_for(
               [&](net::Channel& server, const package::PackageId& id) { answer_busy(server, id, again); })
        .error;
  };
  EXPECT_EQ(sentence(std::chrono::seconds(30)),
            "the server has no free place for another session now; try again in about 30 s");
  EXPECT_EQ(sentence(std::chrono::hours(2000)),
            "the server has no free place for another session now; try again in about 86400 s");
}

TEST(Handshake, ClientRefusesImpossibleQueues) {
  const auto raw = [](std::uint32_t place, std::uint32_t seconds, std::size_t bytes) {
    return wait_for([&](net::Channel& server, const package::PackageId& id) {
             ByteWriter welcome;
             welcome.u8(static_cast<std::uint8_t>(Welcome::waiting));
             welcome.u16(kProtocolVersion);
             welcome.raw(id);
             welcome.u32(place);
             welcome.u32(seconds);
             server.send(kWelcome, ByteView(welcome.bytes()).first(bytes));
           })
        .error;
  };
  constexpr std::size_t kWhole = 1 + 2 + 32 + 4 + 4;
  EXPECT_NE(raw(0, 1, kWhole).find("which cannot be"), std::string::npos);
  EXPECT_NE(raw(kMaxPlace + 1, 1, kWhole).find("which cannot be"), std::string::npos);
  EXPECT_NE(raw(1, kMaxWaitSeconds + 1, kWhole).find("which cannot be"), std::string::npos);
  EXPECT_NE(raw(1, 1, kWhole - 1).find("the server's greeting"), std::string::npos);
}

TEST(Handshake, AServerOfSeveralNetworksNamesNone) {
  EXPECT_EQ(wait_for([](net::Channel& server, const package::PackageId&) {
              answer_greeting(server, {}, Welcome::other_package);
            }).error,
            "the server serves several networks, and none is that of this client.apm (package 010203" +
                std::string(58, '0') + "); use the client.apm that was compiled with one of them");
}

}  // namespace
}  // namespace ap::protocol
