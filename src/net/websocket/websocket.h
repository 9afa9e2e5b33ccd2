// The network transport: messages over WebSocket over TLS 1.3. Threads in the background send and receive, so
// that transfer overlaps computation and two parties that both send cannot block each other.
#pragma once

#include <any>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "net/channel/channel.h"
#include "net/websocket/credentials.h"
#include "net/websocket/page.h"
#include "net/websocket/tls.h"

namespace ap::net {

/// How long so many bytes may take. 16 KiB/s is less than any line that such protocols are used on; without
/// such a bound anybody could hold a session for ever with a byte a minute.
constexpr std::chrono::milliseconds time_on_the_slowest_line(std::uint64_t bytes) {
  return std::chrono::milliseconds(bytes * 1000 / (16 << 10));
}

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

/// The server's end of a connection.
class ServedChannel : public Channel {
 public:
  /// Begins to end the connection and returns at once: what is queued is sent, then the goodbye with a reason
  /// for the client (printable ASCII, at most 120 bytes; may be empty); after `total` the connection is cut.
  /// Every other call fails from now on. Safe from any thread; the channel may be destroyed meanwhile.
  virtual void leave(std::chrono::milliseconds total, std::string reason = {}) = 0;
  /// The most bytes that either queue may hold from now on.
  virtual void set_queue_bytes(std::size_t bytes) = 0;

  struct Progress {
    std::chrono::milliseconds waited{
        0};                       ///< that calls have waited for the client, one that waits now included
    std::uint64_t bytes_in = 0;   ///< that have come, parts of frames included
    std::uint64_t bytes_out = 0;  ///< that have left
  };
  /// Since the connection began. Safe from any thread.
  virtual Progress progress() const = 0;

  /// The unit that limits count by: an IPv4 address, or the /64 network of an IPv6 address.
  virtual const std::string& address() const = 0;
  /// What the listener's Admission returned; without content if there is none.
  virtual const std::any& admitted_as() const = 0;
  /// Path and query of the client's request for a WebSocket, as it wrote them.
  virtual const std::string& target() const = 0;
};

struct ListenerOptions {
  /// `handshake` covers all of TLS, WebSocket and the first message.
  ChannelLimits limits;
  bool ask_certificate = false;  ///< from clients; `admit` gets to see it
  Admission admit;               ///< none: everybody may come in
  PageSource pages;              ///< answers requests that are no upgrade; none: they are refused
  /// Above 0: accept() returns a client once its first message has come, which may have so many bytes (with
  /// its header); until then the client has been given next to nothing.
  std::size_t first_message_bytes = 0;
  /// Clients that are not accepted yet or whose goodbye is still due. A further one takes the place of the
  /// oldest.
  std::size_t max_pending = 256;
  /// Clients of one address() among them. A further one takes the place of its oldest.
  std::size_t max_pending_per_address = 192;
  int threads = 2;  ///< for the network work of all clients
  /// Gets the address() and a sentence about each client that goes without having been accepted. Called on
  /// any thread; must not block or throw.
  std::function<void(const std::string& address, const std::string& sentence)> on_lost;
};

/// A server's open port. Handshakes are done in the background whether or not anybody waits in accept():
/// silent clients delay nobody else and cost a descriptor each.
class Listener {
 public:
  /// Binds and listens at once; port 0 takes any free port.
  /// @throws Error(input) if the host is unknown, the port is taken, or the identity cannot be used.
  Listener(const std::string& host, std::uint16_t port, const TlsIdentity& identity,
           ListenerOptions options = {});
  /// Clients that have not been accepted are cut off; the goodbyes of channels that are left get
  /// limits.goodbye.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const;
  /// "wss://host:port", as given to the constructor.
  std::string url() const;

  /// The next client that is through its handshakes (and has sent its first message), or null when `wait` has
  /// passed or stop() was called. The channel may outlive the listener.
  std::unique_ptr<ServedChannel> accept(std::chrono::milliseconds wait);

  /// Takes no more clients, cuts off those not accepted, and makes a waiting accept(), and every later one,
  /// return null. Safe from any thread.
  void stop();

  /// Clients that are connected and not accepted yet, or leaving.
  std::size_t pending() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ap::net
