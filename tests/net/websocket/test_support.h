// Pairs of connected channels, checks of errors, and peers that speak TLS or TCP by hand.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "net/channel/channel.h"
#include "net/websocket/websocket.h"

namespace ap::net {

struct ChannelPair {
  std::unique_ptr<Channel> a;  ///< the client of a WebSocket pair
  std::unique_ptr<Channel> b;  ///< the server
};

/// One certificate for all tests.
const TlsIdentity& test_identity();
TlsTrust test_trust();

/// What a listener says about clients that it has lost.
class LostClients {
 public:
  /// For ListenerOptions::on_lost.
  std::function<void(const std::string&, const std::string&)> listen();
  /// The sentences, once there are so many; fewer after 30 s.
  std::vector<std::string> wait_for(std::size_t count);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> sentences_;
};

ChannelPair local_pair();
ChannelPair websocket_pair(const ChannelLimits& limits = {});

/// Bytes that depend on the seed and the position.
Bytes pattern(std::size_t size, std::uint64_t seed);

/// Runs `call`, which must throw an Error with this code whose text contains `part`.
void expect_error(const std::function<void()>& call, ErrorCode code, const std::string& part);

/// A TCP socket connected to 127.0.0.1:port, used by hand.
class RawSocket {
 public:
  explicit RawSocket(std::uint16_t port);
  explicit RawSocket(int descriptor, bool) : descriptor_(descriptor) {}
  ~RawSocket();
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;
  int get() const { return descriptor_; }
  void write(std::string_view bytes);
  /// Everything until the peer closes, at most 64 KiB.
  std::string read_all();
  /// Closes with a reset, as the kernel does for a process that died with unread data.
  void reset();

 private:
  int descriptor_;
};

/// A port that accepts TCP connections and nothing more.
class RawListener {
 public:
  RawListener();
  ~RawListener();
  std::uint16_t port() const { return port_; }
  std::unique_ptr<RawSocket> accept();

 private:
  int descriptor_;
  std::uint16_t port_;
};

/// A TLS client that does the WebSocket part by hand.
class RawTlsClient {
 public:
  explicit RawTlsClient(std::uint16_t port, int max_version = TLS1_3_VERSION);
  ~RawTlsClient();
  RawTlsClient(const RawTlsClient&) = delete;
  RawTlsClient& operator=(const RawTlsClient&) = delete;
  bool connected() const { return connected_; }
  void write(const Bytes& bytes);
  void write(std::string_view text) { write(Bytes(text.begin(), text.end())); }
  /// Exactly `count` bytes, or fewer if the peer closed.
  Bytes read(std::size_t count);
  /// Sends the upgrade request and returns the answer's head.
  std::string upgrade();
  RawSocket& socket() { return socket_; }

 private:
  RawSocket socket_;
  SSL_CTX* context_;
  SSL* ssl_;
  bool connected_;
};

/// What stands in front of a message's payload.
Bytes header(MessageType type, std::uint64_t payload_bytes);

/// A masked WebSocket frame (FIN, opcode) as a client sends it; the length field says `announced`.
Bytes masked_frame(std::uint8_t opcode, const Bytes& payload, std::uint64_t announced);

}  // namespace ap::net
