// What the two parties talk through: an ordered, reliable stream of typed messages with a deadline on every
// wait. The protocol knows every message's type and exact size in advance, so a receiver always says both,
// and anything else is an error before memory is taken.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace ap::net {

/// The kind of a message; the values are part of the wire format (docs/wire-format.md).
using MessageType = std::uint16_t;

/// Bytes of type and length in front of every payload (docs/wire-format.md).
inline constexpr std::size_t kHeaderBytes = 10;

/// The longest single wait of a channel whose deadline nobody has set.
inline constexpr std::chrono::milliseconds kDefaultDeadline{60'000};

/// Longer waits are cut to this, so that the arithmetic of clocks cannot overflow.
inline constexpr std::chrono::milliseconds kMaxWait = std::chrono::hours(24 * 365);
constexpr std::chrono::milliseconds bounded_wait(std::chrono::milliseconds wait) {
  return std::clamp(wait, std::chrono::milliseconds(0), kMaxWait);
}

/// Bytes sent and received, counted alike on every kind of channel: kHeaderBytes and the payload of each
/// message that was queued or delivered. What WebSocket and TLS add below (about 0.2 % of large messages) is
/// not counted.
struct Traffic {
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
};

/// One thread may send while another receives; two threads may not send, or receive, at the same time. The
/// end of the connection is final: what arrived before it can still be received, then every call fails. A
/// message of a wrong type or size ends the connection too, for both parties.
class Channel {
 public:
  virtual ~Channel() = default;

  /// Queues a message; may block until earlier ones have left, never longer than the deadline.
  /// Large messages are cut into frames by the transport. A background writer sends; the caller goes on
  /// computing.
  /// @throws Error(peer) if the connection is closed or the deadline passes.
  virtual void send(MessageType type, ByteView payload) = 0;

  /// Waits for the next message, which must have this type and between min_bytes and max_bytes payload bytes.
  /// Nothing larger than max_bytes is ever allocated.
  /// @throws Error(peer) on another type or size, a closed connection, or a passed deadline.
  virtual Bytes receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) = 0;
  Bytes receive_exactly(MessageType type, std::size_t bytes) { return receive(type, bytes, bytes); }

  /// The longest that a single wait (for the peer to send, or to take what is sent) may last. A large message
  /// is many waits: each one ends with the next frame (at most 1 MiB) of it. A deadline that passes between
  /// messages leaves the channel usable; one that passes inside a message ends the connection.
  virtual void set_deadline(std::chrono::milliseconds wait) = 0;

  /// Closes in an orderly way; further calls fail.
  virtual void close() = 0;

  virtual Traffic traffic() const = 0;

  /// How error messages call the other party: "the server at wss://10.0.0.1:9000".
  virtual std::string peer() const { return "the peer"; }
};

/// The most bytes that a local channel holds in one direction (but always one message, however large).
inline constexpr std::size_t kLocalQueueBytes = std::size_t{64} << 20;

/// Two ends of a channel inside one process, each usable from its own thread. For tests.
std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> make_local_channels(
    std::size_t queue_bytes = kLocalQueueBytes);

}  // namespace ap::net
