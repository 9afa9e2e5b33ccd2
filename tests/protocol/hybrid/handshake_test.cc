// The two greetings: parties that do not fit each other part with one sentence that says why.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "net/channel/channel.h"
#include "package/package.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
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

}  // namespace
}  // namespace ap::protocol
