// The network transport against silent, broken, foreign and hostile peers.
#include "net/websocket/websocket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "net/websocket/framing.h"
#include "tests/net/websocket/test_support.h"

namespace ap::net {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// Generous against slow machines, and still far below the 60 s after which a deadline would speak.
constexpr auto kAtOnce = 30s;

Bytes join(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

ChannelLimits quick_limits() {
  ChannelLimits limits;
  limits.handshake = 300ms;
  limits.goodbye = 200ms;
  return limits;
}

/// Accepts `count` clients on a thread of its own and keeps their channels open.
class Acceptor {
 public:
  Acceptor(Listener& listener, int count) {
    thread_ = std::thread([this, &listener, count] {
      for (int i = 0; i < count; ++i) channels_.push_back(listener.accept(30s));
    });
  }
  ~Acceptor() {
    if (thread_.joinable()) thread_.join();
  }
  Channel& channel() {
    if (thread_.joinable()) thread_.join();
    return *channels_.front();
  }

 private:
  std::vector<std::unique_ptr<Channel>> channels_;
  std::thread thread_;
};

/// A server's channel whose client speaks by hand.
struct HostileClient {
  Listener listener{"127.0.0.1", 0, test_identity()};
  Acceptor acceptor{listener, 1};
  RawTlsClient client{listener.port()};
  HostileClient() { EXPECT_TRUE(client.upgrade().starts_with("HTTP/1.1 101")); }
  Channel& channel() { return acceptor.channel(); }
};

TEST(WebSocket, TwoPartiesThatSendBeforeTheyReceiveDoNotBlock) {
  ChannelPair pair = websocket_pair();
  constexpr std::size_t kSize = 200 << 20;
  const auto talk = [](Channel& channel) {
    channel.set_deadline(60s);
    channel.send(7, Bytes(kSize, 0x5a));
    return channel.receive_exactly(7, kSize) == Bytes(kSize, 0x5a);
  };
  bool good = false;
  std::thread other([&] { good = talk(*pair.b); });
  EXPECT_TRUE(talk(*pair.a));
  other.join();
  EXPECT_TRUE(good);
}

TEST(WebSocket, FullQueuesStopTheSenderAndLoseNothing) {
  ChannelLimits limits;
  limits.outbound_bytes = 2 << 20;
  limits.inbound_bytes = 4 << 20;
  ChannelPair pair = websocket_pair(limits);
  pair.a->set_deadline(300ms);
  std::uint64_t sent = 0;
  // The kernel's buffers take some too; 256 MiB are more than all of them together.
  expect_error(
      [&] {
        for (; sent < 1024; ++sent) pair.a->send(1, pattern(256 << 10, sent));
      },
      ErrorCode::peer, "took nothing for 0.3 s while we sent message type 1");
  ASSERT_GT(sent, 20u);
  ASSERT_LT(sent, 1024u);
  for (std::uint64_t i = 0; i < sent; ++i)
    ASSERT_EQ(pair.b->receive_exactly(1, 256 << 10), pattern(256 << 10, i));
  pair.a->send(2, pattern(10, 1));
  EXPECT_EQ(pair.b->receive_exactly(2, 10), pattern(10, 1));
}

TEST(WebSocket, DestructorDoesNotWaitForAPeerThatTakesNothing) {
  ChannelLimits limits = quick_limits();
  limits.handshake = 30s;
  limits.inbound_bytes = 1 << 20;
  ChannelPair pair = websocket_pair(limits);
  pair.a->set_deadline(200ms);
  try {
    for (int i = 0; i < 1000; ++i) pair.a->send(1, pattern(1 << 20, 1));
  } catch (const Error&) {
  }
  const auto start = Clock::now();
  pair.a.reset();
  EXPECT_LT(Clock::now() - start, kAtOnce);
}

TEST(WebSocket, NamesBothEnds) {
  ChannelPair pair = websocket_pair();
  EXPECT_TRUE(pair.a->peer().starts_with("the server at wss://127.0.0.1:")) << pair.a->peer();
  EXPECT_TRUE(pair.b->peer().starts_with("the client at 127.0.0.1:")) << pair.b->peer();
}

TEST(WebSocket, AcceptReturnsNullAfterItsWaitAndAfterStop) {
  Listener listener("127.0.0.1", 0, test_identity());
  EXPECT_EQ(listener.accept(10ms), nullptr);
  std::thread stopper([&] {
    std::this_thread::sleep_for(20ms);
    listener.stop();
  });
  EXPECT_EQ(listener.accept(std::chrono::milliseconds::max()), nullptr);
  stopper.join();
  EXPECT_EQ(listener.accept(10s), nullptr);
}

TEST(WebSocket, PortInUseIsAnInputError) {
  Listener listener("127.0.0.1", 0, test_identity());
  expect_error([&] { Listener again("127.0.0.1", listener.port(), test_identity()); }, ErrorCode::input,
               fmt::format("port {} of 127.0.0.1 is already in use", listener.port()));
}

TEST(WebSocket, UnknownHostsAreNamed) {
  expect_error([&] { Listener nowhere("no.such.host.invalid", 0, test_identity()); }, ErrorCode::input,
               "no.such.host.invalid");
  expect_error([&] { Listener nowhere("192.0.2.1", 0, test_identity()); }, ErrorCode::input, "192.0.2.1");
}

TEST(WebSocket, NoServerIsAPeerError) {
  std::uint16_t free_port = 0;
  { free_port = Listener("127.0.0.1", 0, test_identity()).port(); }
  expect_error([&] { connect(fmt::format("wss://127.0.0.1:{}", free_port), test_trust()); }, ErrorCode::peer,
               fmt::format("the server at wss://127.0.0.1:{} does not answer", free_port));
}

TEST(WebSocket, SilentServerIsGivenUp) {
  RawListener silent;
  expect_error([&] { connect(fmt::format("wss://127.0.0.1:{}", silent.port()), test_trust(), 200ms); },
               ErrorCode::peer, "did not complete the TLS and WebSocket handshakes within 0.2 s");
}

TEST(WebSocket, ServerThatSpeaksNoTlsIsNamed) {
  RawListener foreign;
  std::thread server([&] { foreign.accept()->write("SSH-2.0-OpenSSH_9.2 and more of it\r\n"); });
  expect_error([&] { connect(fmt::format("wss://127.0.0.1:{}", foreign.port()), test_trust()); },
               ErrorCode::peer, fmt::format("the server at wss://127.0.0.1:{}", foreign.port()));
  server.join();
}

/// Lets one honest client through.
void expect_serving(Listener& listener) {
  std::unique_ptr<Channel> client;
  std::thread connector([&] { client = connect(listener.url(), test_trust(), 30s); });
  const auto served = listener.accept(30s);
  connector.join();
  ASSERT_NE(served, nullptr);
  client->send(1, pattern(5, 5));
  EXPECT_EQ(served->receive_exactly(1, 5), pattern(5, 5));
}

/// A listener whose lost clients are told.
struct Watched {
  explicit Watched(const ChannelLimits& limits = {}) {
    options.limits = limits, options.on_lost = lost.listen();
  }
  LostClients lost;
  ListenerOptions options;
  Listener& listener() {
    if (!listener_) listener_ = std::make_unique<Listener>("127.0.0.1", 0, test_identity(), options);
    return *listener_;
  }
  /// The one client that came was lost for this.
  void expect_lost(const std::string& part) {
    const auto sentences = lost.wait_for(1);
    ASSERT_EQ(sentences.size(), 1u);
    EXPECT_TRUE(sentences[0].starts_with("the client at 127.0.0.1:")) << sentences[0];
    EXPECT_NE(sentences[0].find(part), std::string::npos) << sentences[0];
  }

 private:
  std::unique_ptr<Listener> listener_;
};

TEST(WebSocket, SilentClientDelaysNobodyElse) {
  Watched watched(quick_limits());
  RawSocket silent(watched.listener().port());
  expect_serving(watched.listener());
  watched.expect_lost("did not complete the TLS and WebSocket handshakes within 0.3 s");
}

TEST(WebSocket, GarbageAndPlainHttpInsteadOfTlsFailThatClientOnly) {
  for (const std::string& text :
       {std::string("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), std::string(300, '\xff'),
        std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10), std::string("x")}) {
    Watched watched;
    RawSocket client(watched.listener().port());
    client.write(text);
    ::shutdown(client.get(), SHUT_WR);
    watched.expect_lost("TLS");
    client.read_all();
    expect_serving(watched.listener());
  }
}

/// Sends a request by hand, which must be refused with this answer and for this reason.
void expect_refusal(const std::string& request, const std::string& answer, const std::string& reason) {
  Watched watched;
  {
    RawTlsClient client(watched.listener().port());
    client.write(request);
    const Bytes head = client.read(answer.size());
    EXPECT_EQ(std::string(head.begin(), head.end()), answer) << request.substr(0, 100);
  }
  watched.expect_lost(reason);
  expect_serving(watched.listener());
}

const std::string kUpgrade =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

TEST(WebSocket, RequestsThatAreNoUpgradeAreToldWhy) {
  expect_refusal("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 426 ", "no WebSocket upgrade");
  expect_refusal("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 413 ",
                 "with a body");
  expect_refusal(kUpgrade + "Content-Length: 999999999999\r\n\r\n", "HTTP/1.1 413 ", "with a body");
  expect_refusal(kUpgrade + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 400 ",
                 "malformed");
  expect_refusal("no HTTP at all\r\n\r\n", "HTTP/1.1 400 ", "malformed HTTP request");
  expect_refusal("GET / HTTP/1.1\r\nHost: x\r\nCookie: " + std::string(15000, 'x'), "HTTP/1.1 431 ",
                 "too large a header");
}

TEST(WebSocket, DataBehindTheUpgradeRequestIsRefusedAndNotSwallowed) {
  const Bytes frame = masked_frame(2, join(header(7, 1), {42}), kHeaderBytes + 1);
  expect_refusal(kUpgrade + "\r\n" + std::string(frame.begin(), frame.end()), "HTTP/1.1 400 ",
                 "sent data behind its upgrade request");
}

TEST(WebSocket, Tls12IsRefused) {
  Watched watched;
  RawTlsClient client(watched.listener().port(), TLS1_2_VERSION);
  EXPECT_FALSE(client.connected());
  watched.expect_lost("does not speak TLS 1.3 with us");
}

TEST(WebSocket, UntrustedCertificatesAreRefused) {
  Listener listener("127.0.0.1", 0, test_identity());
  expect_error([&] { connect(listener.url(), TlsTrust::system_authorities()); }, ErrorCode::security,
               "showed a certificate that is not trusted");
  const TlsIdentity other = make_self_signed("localhost");
  expect_error([&] { connect(listener.url(), TlsTrust::pinned_certificate(certificate_fingerprint(other))); },
               ErrorCode::security, "another certificate than the one with the given fingerprint");
  const std::string file = testing::TempDir() + "other-authority.pem";
  std::unique_ptr<FILE, int (*)(FILE*)> out(fopen(file.c_str(), "w"), fclose);
  fputs(other.certificate_pem.c_str(), out.get());
  out.reset();
  expect_error([&] { connect(listener.url(), TlsTrust::authorities_in(file)); }, ErrorCode::security,
               "showed a certificate that is not trusted");
  expect_error([&] { connect(listener.url(), TlsTrust::authorities_in("/nonexistent.pem")); },
               ErrorCode::input, "/nonexistent.pem");
}

TEST(WebSocket, CertificateFileIsTrustedForItsNamesOnly) {
  const std::string file = testing::TempDir() + "authority.pem";
  std::unique_ptr<FILE, int (*)(FILE*)> out(fopen(file.c_str(), "w"), fclose);
  fputs(test_identity().certificate_pem.c_str(), out.get());
  out.reset();
  Listener listener("127.0.0.1", 0, test_identity());
  Acceptor acceptor(listener, 2);
  EXPECT_NE(connect(listener.url(), TlsTrust::authorities_in(file), 30s), nullptr);
  // 127.0.0.2 reaches no listener bound to 127.0.0.1, so this one takes any address.
  Listener everywhere("0.0.0.0", 0, test_identity());
  expect_error(
      [&] { connect(fmt::format("wss://127.0.0.2:{}", everywhere.port()), TlsTrust::authorities_in(file)); },
      ErrorCode::security, "IP address mismatch");
  EXPECT_NE(connect(fmt::format("wss://localhost:{}", listener.port()), TlsTrust::authorities_in(file), 30s),
            nullptr);
}

TEST(WebSocket, HugeWebSocketFrameIsRefusedBeforeItComes) {
  HostileClient hostile;
  hostile.client.write(masked_frame(2, header(7, 4), std::uint64_t{1} << 62));
  expect_error([&] { hostile.channel().receive(7, 0, SIZE_MAX); }, ErrorCode::peer,
               "sent a WebSocket message of more than 1048576 bytes");
}

TEST(WebSocket, FragmentsThatAddUpToTooMuchAreRefused) {
  HostileClient hostile;
  const Bytes half(600'000, 1);
  Bytes first = masked_frame(2, half, half.size());
  first[0] = 0x02;  // not the last fragment
  hostile.client.write(first);
  // Only the start of the second: what it announces is too much already.
  hostile.client.write(masked_frame(0, Bytes(10, 1), half.size()));
  expect_error([&] { hostile.channel().receive(7, 0, SIZE_MAX); }, ErrorCode::peer,
               "sent a WebSocket message of more than 1048576 bytes");
}

TEST(WebSocket, HugeAnnouncedMessageIsRefusedBeforeItIsAllocated) {
  HostileClient hostile;
  hostile.client.write(masked_frame(2, header(7, std::uint64_t{1} << 62), kHeaderBytes));
  expect_error([&] { hostile.channel().receive(7, 0, 1 << 20); }, ErrorCode::peer,
               "sent 4611686018427387904 bytes of message type 7 where 0 to 1048576 are due");
}

TEST(WebSocket, FramesOfAnotherSizeThanTheHeaderSaysAreRefused) {
  for (const std::size_t size : {0u, 3u, 5u}) {  // 4 announced
    HostileClient hostile;
    const Bytes frame = join(header(7, 4), Bytes(size, 1));
    hostile.client.write(masked_frame(2, frame, frame.size()));
    expect_error([&] { hostile.channel().receive_exactly(7, 4); }, ErrorCode::peer,
                 fmt::format("sent a frame of {} bytes where 14 are due", 10 + size));
  }
  HostileClient later;  // the second of two frames
  const Bytes first = join(header(7, kMaxFrameBytes), Bytes(kMaxFrameBytes - kHeaderBytes, 1));
  later.client.write(masked_frame(2, first, first.size()));
  later.client.write(masked_frame(2, Bytes(9, 1), 9));
  expect_error([&] { later.channel().receive_exactly(7, kMaxFrameBytes); }, ErrorCode::peer,
               "sent a frame of 9 bytes where 10 are due");
}

TEST(WebSocket, ShortEmptyTextAndUnmaskedFramesAreRefused) {
  const auto refused = [](const Bytes& bytes, const std::string& part) {
    HostileClient hostile;
    hostile.client.write(bytes);
    expect_error([&] { hostile.channel().receive(7, 0, 100); }, ErrorCode::peer, part);
  };
  refused(masked_frame(2, Bytes(9, 1), 9), "a message header of 10 bytes is due");
  refused(masked_frame(2, {}, 0), "text or empty");
  refused(masked_frame(1, Bytes(12, 'a'), 12), "text or empty");
  refused(Bytes{0x82, 0x01, 0x00}, "broke the WebSocket protocol");
}

TEST(WebSocket, FloodOfTinyFramesStopsAtTheInboundLimit) {
  ListenerOptions options;
  options.limits.inbound_bytes = 1 << 20;
  Listener listener("127.0.0.1", 0, test_identity(), options);
  Acceptor acceptor(listener, 1);
  RawTlsClient client(listener.port());
  client.upgrade();
  Bytes flood;
  for (int i = 0; i < 20'000; ++i)
    flood = join(std::move(flood), masked_frame(2, header(7, 0), kHeaderBytes));
  std::thread flooder([&] { client.write(flood); });
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(acceptor.channel().receive_exactly(7, 0).empty());
  flooder.join();
}

TEST(WebSocket, PeerThatDiesInsideAMessageIsNoticedAtOnce) {
  const auto die = [](const std::function<void(RawTlsClient&)>& how) {
    HostileClient hostile;
    const Bytes part = join(header(7, 5 << 20), Bytes(kMaxFrameBytes - kHeaderBytes, 1));
    hostile.client.write(masked_frame(2, part, part.size()));
    hostile.client.write(masked_frame(2, Bytes(1000, 1), kMaxFrameBytes));
    const auto start = Clock::now();
    std::thread killer([&] {
      std::this_thread::sleep_for(50ms);
      how(hostile.client);
    });
    expect_error([&] { hostile.channel().receive_exactly(7, 5 << 20); }, ErrorCode::peer,
                 "broke off the connection while we waited for message type 7");
    EXPECT_LT(Clock::now() - start, kAtOnce);
    killer.join();
    expect_error([&] { hostile.channel().send(8, Bytes(100)); }, ErrorCode::peer,
                 "while we sent message type 8");
    expect_error([&] { hostile.channel().receive_exactly(7, 1); }, ErrorCode::peer, "while we waited");
  };
  die([](RawTlsClient& client) { client.socket().reset(); });
  die([](RawTlsClient& client) { ::shutdown(client.socket().get(), SHUT_RDWR); });
}

TEST(WebSocket, KilledPeerWakesABlockedSender) {
  HostileClient hostile;  // reads nothing
  std::thread killer([&] {
    std::this_thread::sleep_for(200ms);
    hostile.client.socket().reset();
  });
  const auto start = Clock::now();
  expect_error(
      [&] {
        for (;;) hostile.channel().send(7, Bytes(8 << 20));
      },
      ErrorCode::peer, "broke off the connection while we sent message type 7");
  EXPECT_LT(Clock::now() - start, kAtOnce);
  killer.join();
}

TEST(WebSocket, SilenceInsideAMessageEndsTheConnection) {
  HostileClient hostile;
  const Bytes part = join(header(7, 5 << 20), Bytes(kMaxFrameBytes - kHeaderBytes, 1));
  hostile.client.write(masked_frame(2, part, part.size()));
  hostile.channel().set_deadline(1s);
  expect_error([&] { hostile.channel().receive_exactly(7, 5 << 20); }, ErrorCode::peer,
               "sent nothing for 1 s");
  expect_error([&] { hostile.channel().receive_exactly(7, 5 << 20); }, ErrorCode::peer,
               "was ended after an earlier error");
}

TEST(WebSocket, PingsAreAnswered) {
  HostileClient hostile;
  hostile.client.write(masked_frame(9, {'h', 'i'}, 2));
  EXPECT_EQ(hostile.client.read(4), (Bytes{0x8a, 0x02, 'h', 'i'}));
  const Bytes frame = join(header(7, 1), {42});
  hostile.client.write(masked_frame(2, frame, frame.size()));
  EXPECT_EQ(hostile.channel().receive_exactly(7, 1), Bytes{42});
}

TEST(WebSocket, ManyClientsAtOnce) {
  Listener listener("127.0.0.1", 0, test_identity());
  constexpr int kClients = 16;
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&, i] {
      const auto client = connect(listener.url(), test_trust(), 30s);
      client->send(1, pattern(100'000, static_cast<std::uint64_t>(i)));
      EXPECT_EQ(client->receive_exactly(2, 100'000), pattern(100'000, static_cast<std::uint64_t>(i)));
    });
  }
  for (int i = 0; i < kClients; ++i) {
    auto channel = listener.accept(30s);
    ASSERT_NE(channel, nullptr);
    threads.emplace_back([served = std::move(channel)] {
      served->send(2, served->receive_exactly(1, 100'000));
      served->close();  // waits, unlike the destructor, as long as a busy machine takes
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ap::net
