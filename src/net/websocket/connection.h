// An open WebSocket connection as two bounded queues of frames, worked off by the network's threads.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "net/channel/channel.h"
#include "net/websocket/connection_end.h"
#include "net/websocket/framing.h"
#include "net/websocket/websocket.h"

namespace ap::net {

class WebSocketStream;

// Two groups of members: those under `mutex_`, shared with the callers, and those that only handlers touch.
// Handlers run one at a time, on the stream's strand, and hold the connection alive.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  enum class Outcome { done, deadline, ended };

  /// `first_frame_bytes`: above 0, the most that the first frame may have; until it has come no more room is
  /// taken.
  Connection(std::unique_ptr<WebSocketStream> stream, std::string peer, const ChannelLimits& limits,
             std::size_t first_frame_bytes = 0);
  ~Connection();

  /// Begins to read. `on_first` is called once, when the first frame has come or none will.
  void start(std::function<void()> on_first = {});

  /// Queues a frame; waits while the outbound queue is full.
  Outcome push(Frame frame, std::chrono::milliseconds wait);
  /// Takes the next frame; those that arrived before the end come before Outcome::ended.
  Outcome pop(Frame& frame, std::chrono::milliseconds wait);

  /// Begins the end: further calls fail, what is queued is sent, then comes the goodbye with a reason for the
  /// peer (printable ASCII, at most 120 bytes; may be empty), and the connection is dropped after `total` at
  /// the latest.
  void leave(std::chrono::milliseconds total, std::string reason = {});
  /// Ends the connection as leave() does, and waits: for each frame at most frame_wait, for all at most
  /// total_wait.
  void finish(std::chrono::milliseconds frame_wait, std::chrono::milliseconds total_wait);
  /// Ends the connection now, without goodbye, because the peer broke the protocol.
  void abort();
  /// Ends the connection now, without goodbye.
  void cut();

  /// The most that each queue may hold from now on.
  void set_queue_bytes(std::size_t bytes);

  /// `done` is called once, when the connection has ended (at once if it has).
  void on_end(std::function<void()> done);
  const boost::asio::any_io_executor& executor() const { return executor_; }

  bool has_frame() const;
  bool ended() const;
  /// Why the connection ended; valid after Outcome::ended.
  ConnectionEnd end() const;
  ServedChannel::Progress progress() const;
  const std::string& peer() const { return peer_; }
  std::chrono::milliseconds goodbye() const { return goodbye_; }

  /// An exception in a handler.
  void failed(const std::exception& error);

 private:
  void read();
  void receiving_failed(boost::system::error_code error);
  Frame take_frame();
  bool deliver(Frame frame);
  void first_came();
  void start_writing();
  void write();
  void sending_failed(boost::system::error_code error);
  void end_session();
  void begin_end(std::string reason);
  void end_with(ErrorCode code, std::string what);
  void drop_stream();
  std::string read_end(boost::system::error_code error) const;
  template <typename Handler>
  void post(Handler handler);
  template <typename Condition>
  bool wait_for_peer(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                     std::chrono::milliseconds wait, Condition condition);

  // ---- handlers only ----
  const std::unique_ptr<WebSocketStream> stream_;
  const boost::asio::any_io_executor executor_;
  const std::string peer_;
  const std::chrono::milliseconds goodbye_;
  boost::asio::steady_timer timer_;
  std::size_t frame_limit_;
  std::function<void()> on_first_;
  std::function<void()> on_end_;
  Frame read_area_;
  std::size_t read_bytes_ = 0;
  Frame write_frame_;
  bool writing_ = false;
  bool goodbye_begun_ = false;

  // ---- under mutex_ ----
  mutable std::mutex mutex_;
  std::condition_variable changed_in_;
  std::condition_variable changed_out_;
  std::deque<Frame> inbound_;
  std::deque<Frame> outbound_;
  std::size_t inbound_limit_;
  std::size_t outbound_limit_;
  std::size_t inbound_bytes_ = 0;
  std::size_t outbound_bytes_ = 0;
  std::uint64_t frames_written_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::chrono::nanoseconds waited_{0};
  int waiting_ = 0;
  std::chrono::steady_clock::time_point waiting_since_;
  bool reading_paused_ = false;
  bool writing_scheduled_ = false;
  bool finishing_ = false;
  bool sending_ended_ = false;
  bool ended_ = false;
  std::string goodbye_reason_;
  ConnectionEnd end_;
};

}  // namespace ap::net
