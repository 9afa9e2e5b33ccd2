// The network transport: messages over WebSocket over TLS 1.3. Every connection has one background thread
// that sends and receives, so that transfer overlaps computation and two parties that both send cannot block
// each other.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "net/channel.h"
#include "net/credentials.h"
#include "net/tls.h"

namespace ap::net {

/// What one connection may take.
struct ChannelLimits {
  std::size_t outbound_bytes = std::size_t{64} << 20;  ///< queued by send() before it blocks
  std::size_t inbound_bytes = std::size_t{256} << 20;  ///< received ahead of receive() before reading pauses
  std::chrono::milliseconds handshake{10'000};  ///< for TCP (client), TLS and WebSocket handshakes together
  std::chrono::milliseconds goodbye{1'000};     ///< for the closing handshake, and for the whole destructor
};

/// Connects to wss://host[:port][/path] and waits for all handshakes, at most `wait` (a slow name server may
/// add its own time).
/// @throws Error(input) for a bad URL, Error(peer) if no server answers or it does not admit us,
/// Error(security) if its certificate is not trusted.
std::unique_ptr<Channel> connect(const std::string& url, const TlsTrust& trust,
                                 std::chrono::milliseconds wait = std::chrono::seconds(10),
                                 const ChannelLimits& limits = {}, const Credentials& credentials = {});

/// A server's open port.
class Listener {
 public:
  /// Binds and listens at once; port 0 takes any free port.
  /// @throws Error(input) if the host is unknown, the port is taken, or the identity cannot be used.
  /// `ask_certificate`: clients are asked for a certificate, which `admit` of accept() then gets to see.
  Listener(const std::string& host, std::uint16_t port, const TlsIdentity& identity,
           const ChannelLimits& limits = {}, bool ask_certificate = false);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const;
  /// "wss://host:port", as given to the constructor.
  std::string url() const;

  /// The next client, or null when `wait` has passed or stop() was called. Returns before the client's
  /// handshakes, which run on the channel's own thread within limits.handshake: a silent client delays nobody
  /// else, and the first call on its channel throws. So it does for a client that `admit` refuses (status
  /// 401); without `admit` all are let in.
  std::unique_ptr<Channel> accept(std::chrono::milliseconds wait, Admission admit = {});

  /// Makes a waiting accept(), and every later one, return null. Safe from any thread.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ap::net
