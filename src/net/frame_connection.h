// One TLS WebSocket connection as two bounded queues of frames, worked off by a thread of its own.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/credentials.h"
#include "net/framing.h"
#include "net/tls_context.h"
#include "net/url.h"
#include "net/websocket.h"

namespace ap::net {

/// Why a connection has ended: a sentence to which "while we ..." can be added.
struct ConnectionEnd {
  ErrorCode code = ErrorCode::peer;
  std::string what;
};

class FrameConnection {
 public:
  enum class Outcome { done, deadline, ended };

  /// The server's end of an accepted TCP connection; takes over the descriptor. Handshakes start at once, and
  /// end with status 401 if there is an `admit` that refuses.
  static std::unique_ptr<FrameConnection> serve(int descriptor, std::shared_ptr<TlsContext> tls,
                                                Admission admit, std::string peer,
                                                const ChannelLimits& limits);
  /// The client's end. Handshakes start at once and end within limits.handshake.
  static std::unique_ptr<FrameConnection> dial(const ServerUrl& url, const TlsTrust& trust,
                                               const Credentials& credentials, std::string peer,
                                               const ChannelLimits& limits);

  /// Waits at most `goodbye` for queued frames and the closing handshake, then drops the connection.
  ~FrameConnection();

  /// Waits until the handshakes are over: done, or ended.
  Outcome wait_open();
  /// Queues a frame; waits while the outbound queue is full.
  Outcome push(Frame frame, std::chrono::milliseconds wait);
  /// Takes the next frame; those that arrived before the end come before Outcome::ended.
  Outcome pop(Frame& frame, std::chrono::milliseconds wait);

  /// Sends what is queued (each frame within frame_wait, all within total_wait), says goodbye, and ends the
  /// connection.
  void finish(std::chrono::milliseconds frame_wait, std::chrono::milliseconds total_wait);
  /// Ends the connection now, without goodbye, because the peer broke the protocol.
  void abort();

  /// Valid after Outcome::ended.
  ConnectionEnd end() const;
  const std::string& peer() const;

 private:
  struct Impl;
  explicit FrameConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ap::net
