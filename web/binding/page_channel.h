// The client's channel in a browser. The session runs in one worker and may wait there; a second worker owns the
// WebSocket, and the two share the frames that have come (web/client/frames.js). So the protocol is the one of every
// other client, and neither worker is the page.
#pragma once

#include "net/channel/channel.h"
#include "net/websocket/framing.h"

namespace ap::web {

/// Messages over the connection that the other worker holds; one at a time in a program. Frames are cut and checked as
/// everywhere (net/websocket/framing.h, docs/wire-format.md).
class PageChannel final : public net::Channel {
 public:
  PageChannel() : read_area_(net::make_frame(net::kMaxFrameBytes)) {}
  ~PageChannel() override { close(); }

  void send(net::MessageType type, ByteView payload) override;
  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override;
  void set_deadline(std::chrono::milliseconds wait) override { deadline_ = net::bounded_wait(wait); }
  void close() override;
  net::Traffic traffic() const override { return traffic_; }
  std::string peer() const override { return "the server"; }

 private:
  /// The next frame in the read area; how many bytes it has. @throws Error(peer)
  std::size_t next_frame(net::MessageType type, std::chrono::milliseconds wait, bool inside);
  /// Ends the connection with what `check` throws, if it does.
  template <typename Check>
  auto or_close(Check check);

  net::Frame read_area_;
  std::chrono::milliseconds deadline_ = net::kDefaultDeadline;
  net::Traffic traffic_;
  bool closed_ = false;
};

}  // namespace ap::web
