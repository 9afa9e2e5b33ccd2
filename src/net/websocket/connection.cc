#if defined(__SANITIZE_THREAD__)
// Asio's fences are not modelled by the thread sanitizer; here they order nothing, as a strand runs the
// handlers.
#pragma GCC diagnostic ignored "-Wtsan"
#endif

#include "net/websocket/connection.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>
#include <utility>

#include "net/channel/channel_errors.h"
#include "net/websocket/connection_reasons.h"
#include "net/websocket/contained.h"
#include "net/websocket/stream.h"

namespace ap::net {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

// What a queued frame costs beside its bytes, so that a flood of tiny frames is bounded too.
constexpr std::size_t kFrameOverheadBytes = 64;

std::size_t cost(const Frame& frame) { return frame.size + kFrameOverheadBytes; }

}  // namespace

Connection::Connection(std::unique_ptr<WebSocketStream> stream, std::string peer, const ChannelLimits& limits,
                       std::size_t first_frame_bytes)
    : stream_(std::move(stream)),
      executor_(stream_->get_executor()),
      peer_(std::move(peer)),
      goodbye_(limits.goodbye),
      timer_(executor_),
      frame_limit_(first_frame_bytes > 0 ? first_frame_bytes : kMaxFrameBytes),
      inbound_limit_(limits.inbound_bytes),
      outbound_limit_(limits.outbound_bytes) {
  stream_->read_message_max(frame_limit_);
}

Connection::~Connection() = default;

template <typename Handler>
void Connection::post(Handler handler) {
  asio::post(executor_, contained(shared_from_this(), std::move(handler)));
}

void Connection::start(std::function<void()> on_first) {
  post([this, on_first = std::move(on_first)]() mutable {
    on_first_ = std::move(on_first);
    read();
  });
}

void Connection::first_came() {
  if (frame_limit_ < kMaxFrameBytes) {
    frame_limit_ = kMaxFrameBytes;
    stream_->read_message_max(frame_limit_);
    read_area_ = {};
  }
  if (on_first_) std::exchange(on_first_, {})();
}

// ---- receiving ----

void Connection::read() {
  if (goodbye_begun_) return;
  if (!read_area_.data) {
    // One byte more than a frame may have: a full frame whose end is not yet known still has room to read
    // into.
    read_area_ = make_frame(frame_limit_ + 1);
    read_bytes_ = 0;
  }
  const asio::mutable_buffer room(read_area_.data.get() + read_bytes_, read_area_.size - read_bytes_);
  stream_->async_read_some(room, contained(shared_from_this(), [this](error_code error, std::size_t bytes) {
                             if (error) return receiving_failed(error);
                             read_bytes_ += bytes;
                             {
                               const std::lock_guard lock(mutex_);
                               bytes_in_ += bytes;
                             }
                             if (!stream_->is_message_done()) return read();
                             if (!stream_->got_binary() || read_bytes_ == 0) {
                               return end_with(ErrorCode::peer,
                                               fmt::format("{} sent a frame that is text or empty", peer_));
                             }
                             const bool go_on = deliver(take_frame());
                             first_came();
                             if (go_on) read();
                           }));
}

std::string Connection::read_end(error_code error) const {
  if (error == websocket::error::closed) return closed_by_peer(peer_, stream_->reason().reason.c_str());
  return end_of_connection(peer_, error, frame_limit_);
}

void Connection::receiving_failed(error_code error) {
  std::string reason = read_end(error);
  if (error == asio::error::operation_aborted) {
    // The cause went to the write operation; sending_failed() knows better.
    const std::lock_guard lock(mutex_);
    if (sending_ended_) reason = end_.what;
  }
  end_with(ErrorCode::peer, std::move(reason));
}

Frame Connection::take_frame() {
  Frame frame;
  if (read_bytes_ >= kMaxFrameBytes / 2) {
    frame = std::move(read_area_);
    read_area_ = {};
    frame.size = read_bytes_;
  } else {  // a small frame must not hold a large buffer
    frame = make_frame(read_bytes_);
    std::memcpy(frame.data.get(), read_area_.data.get(), read_bytes_);
  }
  read_bytes_ = 0;
  return frame;
}

/// False when the inbound queue is full: pop() resumes reading.
bool Connection::deliver(Frame frame) {
  const std::lock_guard lock(mutex_);
  if (finishing_) return true;  // read on, so that the peer can finish sending; nobody wants the frame
  inbound_bytes_ += cost(frame);
  inbound_.push_back(std::move(frame));
  changed_in_.notify_all();
  reading_paused_ = inbound_bytes_ >= inbound_limit_;
  return !reading_paused_;
}

// ---- sending ----

void Connection::start_writing() {
  if (writing_) return;
  writing_ = true;
  write();
}

void Connection::write() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || outbound_.empty()) {
      writing_ = false;
      writing_scheduled_ = false;
      if (ended_ || !finishing_) return;
    } else {
      write_frame_ = std::move(outbound_.front());
      outbound_.pop_front();
    }
  }
  if (!writing_) return end_session();
  stream_->async_write(asio::buffer(write_frame_.data.get(), write_frame_.size),
                       contained(shared_from_this(), [this](error_code error, std::size_t) {
                         if (error) return sending_failed(error);
                         {
                           const std::lock_guard lock(mutex_);
                           outbound_bytes_ -= cost(write_frame_);
                           bytes_out_ += write_frame_.size;
                           ++frames_written_;
                           changed_out_.notify_all();
                         }
                         write();
                       }));
}

/// The peer takes nothing any more, but what it sent before may still be on its way: reading goes on until it
/// fails by itself, or for a moment.
void Connection::sending_failed(error_code error) {
  const std::string reason = read_end(error);
  {
    const std::lock_guard lock(mutex_);
    if (!ended_ && !sending_ended_) {
      sending_ended_ = true;
      end_ = {ErrorCode::peer, reason};
    }
    changed_out_.notify_all();
    if (ended_) return;
  }
  timer_.expires_after(goodbye_);
  timer_.async_wait(contained(shared_from_this(), [this, reason](error_code cancelled) {
    if (!cancelled) end_with(ErrorCode::peer, reason);
  }));
}

void Connection::end_session() {
  if (goodbye_begun_) return;
  goodbye_begun_ = true;
  std::string reason;
  {
    const std::lock_guard lock(mutex_);
    reason = goodbye_reason_;
  }
  const auto code = reason.empty() ? websocket::close_code::normal : websocket::close_code::going_away;
  stream_->async_close(
      websocket::close_reason(code, reason),
      contained(shared_from_this(), [this](error_code) { end_with(ErrorCode::peer, closed_by_us(peer_)); }));
}

// ---- the end ----

void Connection::failed(const std::exception& error) {
  end_with(ErrorCode::internal, fmt::format("the connection to {} failed ({})", peer_, error.what()));
}

void Connection::end_with(ErrorCode code, std::string what) {
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      end_ = {code, std::move(what)};
      ended_ = sending_ended_ = true;
    }
    changed_in_.notify_all();
    changed_out_.notify_all();
  }
  drop_stream();
  if (on_first_) std::exchange(on_first_, {})();
  if (on_end_) std::exchange(on_end_, {})();
}

void Connection::drop_stream() {
  timer_.cancel();
  drop(socket_of(*stream_));
}

// ---- the callers' side ----

/// Waits for what only the peer can bring about, and counts the time.
template <typename Condition>
bool Connection::wait_for_peer(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                               std::chrono::milliseconds wait, Condition condition) {
  if (condition()) return true;
  if (waiting_++ == 0) waiting_since_ = Clock::now();
  const bool met = changed.wait_for(lock, wait, condition);
  if (--waiting_ == 0) waited_ += Clock::now() - waiting_since_;
  return met;
}

Connection::Outcome Connection::push(Frame frame, std::chrono::milliseconds wait) {
  const std::size_t bytes = cost(frame);
  std::unique_lock lock(mutex_);
  const bool in_time = wait_for_peer(changed_out_, lock, wait, [&] {
    return sending_ended_ || finishing_ || outbound_bytes_ == 0 || outbound_bytes_ + bytes <= outbound_limit_;
  });
  if (sending_ended_ || finishing_) return Outcome::ended;
  if (!in_time) return Outcome::deadline;
  outbound_bytes_ += bytes;
  outbound_.push_back(std::move(frame));
  if (!writing_scheduled_) {
    writing_scheduled_ = true;
    post([this] { start_writing(); });
  }
  return Outcome::done;
}

Connection::Outcome Connection::pop(Frame& frame, std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  const bool in_time =
      wait_for_peer(changed_in_, lock, wait, [&] { return !inbound_.empty() || ended_ || finishing_; });
  if (finishing_) return Outcome::ended;
  if (inbound_.empty()) return in_time ? Outcome::ended : Outcome::deadline;
  frame = std::move(inbound_.front());
  inbound_.pop_front();
  inbound_bytes_ -= cost(frame);
  if (reading_paused_ && inbound_bytes_ <= inbound_limit_ / 2) {
    reading_paused_ = false;
    post([this] { read(); });
  }
  return Outcome::done;
}

void Connection::begin_end(std::string reason) {
  const std::lock_guard lock(mutex_);
  if (finishing_) return;
  finishing_ = true;
  goodbye_reason_ = std::move(reason);
  inbound_.clear();
  inbound_bytes_ = 0;
  changed_in_.notify_all();
  changed_out_.notify_all();
  post([this, resume = std::exchange(reading_paused_, false)] {
    if (resume) read();
    start_writing();
  });
}

void Connection::leave(std::chrono::milliseconds total, std::string reason) {
  begin_end(std::move(reason));
  post([this, total] {
    timer_.expires_after(total);
    timer_.async_wait(contained(shared_from_this(), [this](error_code cancelled) {
      if (!cancelled) end_with(ErrorCode::peer, closed_by_us(peer_));
    }));
  });
}

void Connection::finish(std::chrono::milliseconds frame_wait, std::chrono::milliseconds total_wait) {
  const auto until = Clock::now() + total_wait;
  begin_end({});
  {
    std::unique_lock lock(mutex_);
    const auto gone = [&] { return ended_ || sending_ended_ || outbound_bytes_ == 0; };
    while (!gone()) {
      const std::uint64_t before = frames_written_;
      const auto frame_until = std::min(until, Clock::now() + frame_wait);
      const bool moved =
          changed_out_.wait_until(lock, frame_until, [&] { return gone() || frames_written_ != before; });
      if (!moved) break;
    }
    if (outbound_bytes_ == 0) {
      const auto goodbye_until = std::min(until, Clock::now() + goodbye_);
      changed_out_.wait_until(lock, goodbye_until, [&] { return ended_; });
    }
  }
  cut();
}

void Connection::cut() {
  post([this] { end_with(ErrorCode::peer, closed_by_us(peer_)); });
}

void Connection::abort() {
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) {
      end_ = {ErrorCode::peer, fmt::format("the connection to {} was ended after an earlier error", peer_)};
      ended_ = sending_ended_ = true;
    }
    inbound_.clear();
    inbound_bytes_ = 0;
    changed_in_.notify_all();
    changed_out_.notify_all();
  }
  cut();
}

void Connection::on_end(std::function<void()> done) {
  post([this, done = std::move(done)]() mutable {
    if (ended()) return done();
    on_end_ = std::move(done);
  });
}

void Connection::set_queue_bytes(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  inbound_limit_ = outbound_limit_ = bytes;
  changed_out_.notify_all();
  if (reading_paused_ && inbound_bytes_ < inbound_limit_) {
    reading_paused_ = false;
    post([this] { read(); });
  }
}

bool Connection::has_frame() const {
  const std::lock_guard lock(mutex_);
  return !inbound_.empty();
}

bool Connection::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

ConnectionEnd Connection::end() const {
  const std::lock_guard lock(mutex_);
  if (finishing_) return {ErrorCode::peer, closed_by_us(peer_)};
  return end_;
}

ServedChannel::Progress Connection::progress() const {
  const std::lock_guard lock(mutex_);
  std::chrono::nanoseconds waited = waited_;
  if (waiting_ > 0) waited += Clock::now() - waiting_since_;
  return {std::chrono::duration_cast<std::chrono::milliseconds>(waited), bytes_in_, bytes_out_};
}

}  // namespace ap::net
