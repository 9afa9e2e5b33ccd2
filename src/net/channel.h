// What the two parties talk through: an ordered, reliable stream of typed messages with a deadline on every wait.
// The protocol knows every message's type and exact size in advance, so a receiver always says both, and anything
// else is an error before memory is taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/bytes.h"

namespace ap::net {

/// The kind of a message; the values are part of the wire format (docs/wire-format.md).
using MessageType = std::uint16_t;

struct Traffic {
  std::uint64_t bytes_sent = 0;      ///< payload and headers as handed to the transport
  std::uint64_t bytes_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
};

class Channel {
 public:
  virtual ~Channel() = default;

  /// Queues a message; may block until earlier ones have left, never longer than the deadline.
  /// Large messages are cut into frames by the transport. A background writer sends; the caller goes on computing.
  /// @throws Error(peer) if the connection is closed or the deadline passes.
  virtual void send(MessageType type, ByteView payload) = 0;

  /// Waits for the next message, which must have this type and between min_bytes and max_bytes payload bytes.
  /// Nothing larger than max_bytes is ever allocated.
  /// @throws Error(peer) on another type or size, a closed connection, or a passed deadline.
  virtual Bytes receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) = 0;
  Bytes receive_exactly(MessageType type, std::size_t bytes) { return receive(type, bytes, bytes); }

  /// The longest that a single wait (for the peer to send, or to take what is sent) may last.
  virtual void set_deadline(std::chrono::milliseconds wait) = 0;

  /// Closes in an orderly way; further calls fail.
  virtual void close() = 0;

  virtual Traffic traffic() const = 0;
};

/// Two ends of a channel inside one process, each usable from its own thread. For tests.
std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> make_local_channels();

}  // namespace ap::net
