// Who a client is: what it shows in the handshakes reaches the server's decision, and a refusal reaches the
// client.
#include "net/websocket/credentials.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/websocket/tls.h"
#include "net/websocket/websocket.h"
#include "tests/net/websocket/test_support.h"

namespace ap::net {
namespace {

using namespace std::chrono_literals;

std::string token_of(const ShownCredentials& shown) { return {shown.token.begin(), shown.token.end()}; }

/// A server that accepts one client after the other, decides by `admit`, and answers a message of type 7.
class AdmittingServer {
 public:
  explicit AdmittingServer(const std::function<bool(const ShownCredentials&)>& admit,
                           bool ask_certificate = true)
      : listener_("127.0.0.1", 0, test_identity(), options(admit, ask_certificate)) {
    thread_ = std::thread([this] {
      while (!stopping_) {
        const auto channel = listener_.accept(50ms);
        if (!channel) continue;
        try {
          channel->set_deadline(20s);
          channel->send(7, channel->receive_exactly(7, 3));
          channel->close();
        } catch (const Error&) {  // the client may go at any time
        }
      }
    });
  }
  ~AdmittingServer() { stop(); }
  void stop() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::uint16_t port() const { return listener_.port(); }

  /// Connects and lets a message go there and back.
  void visit(const Credentials& credentials) {
    const auto channel = connect(listener_.url(), test_trust(), 20s, {}, credentials);
    channel->set_deadline(20s);
    channel->send(7, Bytes{1, 2, 3});
    EXPECT_EQ(channel->receive_exactly(7, 3), (Bytes{1, 2, 3}));
    channel->close();
  }

  LostClients lost;  ///< those that were not let in

 private:
  ListenerOptions options(const std::function<bool(const ShownCredentials&)>& admit, bool ask_certificate) {
    ListenerOptions options;
    options.ask_certificate = ask_certificate;
    if (admit) {
      options.admit = [admit](const ShownCredentials& shown) {
        return admit(shown) ? std::any(token_of(shown)) : std::any();
      };
    }
    options.on_lost = lost.listen();
    return options;
  }

  Listener listener_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

Credentials with_token(std::string_view token) {
  Credentials credentials;
  credentials.token.assign(token.begin(), token.end());
  return credentials;
}
Credentials with_certificate(const TlsIdentity& identity) {
  Credentials credentials;
  credentials.certificate = identity;
  return credentials;
}
TEST(Credentials, TheTokenArrives) {
  AdmittingServer server([](const ShownCredentials& shown) { return token_of(shown) == "abc123"; });
  server.visit(with_token("abc123"));
  expect_error([&] { server.visit(with_token("abc124")); }, ErrorCode::peer, "does not know the token");
  expect_error([&] { server.visit({}); }, ErrorCode::peer, "only clients that it knows");
  server.visit(with_token("abc123"));
  const auto lost = server.lost.wait_for(2);
  ASSERT_EQ(lost.size(), 2u);
  for (const std::string& sentence : lost) {
    EXPECT_NE(sentence.find("was refused: it has no token"), std::string::npos) << sentence;
  }
}

TEST(Credentials, TheCertificateArrives) {
  const TlsIdentity known = make_self_signed("client"), other = make_self_signed("client");
  const std::string fingerprint = certificate_fingerprint(known);
  AdmittingServer server(
      [&](const ShownCredentials& shown) { return shown.certificate_sha256 == fingerprint; });
  server.visit(with_certificate(known));
  expect_error([&] { server.visit(with_certificate(other)); }, ErrorCode::peer, "does not know");
  expect_error([&] { server.visit({}); }, ErrorCode::peer, "only clients that it knows");
}

TEST(Credentials, ACertificateWithoutItsKeyIsNotShown) {
  const TlsIdentity known = make_self_signed("client");
  TlsIdentity stolen = make_self_signed("client");
  stolen.certificate_pem = known.certificate_pem;
  std::atomic<int> asked{0};
  AdmittingServer server([&](const ShownCredentials&) {
    ++asked;
    return true;
  });
  expect_error([&] { server.visit(with_certificate(stolen)); }, ErrorCode::input, "client's private key");
  EXPECT_EQ(asked, 0);
}

TEST(Credentials, AServerThatAsksForNothingLetsAllIn) {
  AdmittingServer server({}, false);
  server.visit({});
  server.visit(with_token("abc123"));
  server.visit(with_certificate(make_self_signed("client")));
}

TEST(Credentials, NothingIsAskedOfAServerThatDoesNotAskForCertificates) {
  std::string seen = "unset";
  AdmittingServer server(
      [&](const ShownCredentials& shown) {
        seen = shown.certificate_sha256 + "/" + token_of(shown);
        return true;
      },
      false);
  server.visit(with_certificate(make_self_signed("client")));
  server.stop();
  EXPECT_EQ(seen, "/");
}

/// By hand, as a client of another make might ask.
std::string answer_to(std::uint16_t port, const std::string& header) {
  RawTlsClient client(port);
  EXPECT_TRUE(client.connected());
  client.write("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + header +
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  const Bytes head = client.read(12);
  return {head.begin(), head.end()};
}

TEST(Credentials, OtherFormsOfTheHeader) {
  AdmittingServer server([](const ShownCredentials& shown) { return token_of(shown) == "abc123"; });
  EXPECT_EQ(answer_to(server.port(), "Authorization: Bearer abc123\r\n"), "HTTP/1.1 101");
  EXPECT_EQ(answer_to(server.port(), "authorization: bearer abc123\r\n"), "HTTP/1.1 101");
  for (const char* header :
       {"", "Authorization: \r\n", "Authorization: Bearer\r\n", "Authorization: Basic abc123\r\n",
        "Authorization: abc123\r\n", "Authorization: Bearer abc123 \r\nAuthorization: Bearer x\r\n",
        "Authorization: Bearer abc1234\r\n"}) {
    const std::string answer = answer_to(server.port(), header);
    if (std::string_view(header).find("Bearer abc123 ") != std::string_view::npos) {
      EXPECT_TRUE(answer == "HTTP/1.1 101" || answer == "HTTP/1.1 401")
          << "either line may be taken, no other";
    } else {
      EXPECT_EQ(answer, "HTTP/1.1 401") << header;
    }
  }
}

}  // namespace
}  // namespace ap::net
