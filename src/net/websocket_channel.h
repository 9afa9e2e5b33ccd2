// Messages over a FrameConnection.
#pragma once

#include <atomic>
#include <memory>

#include "net/channel.h"
#include "net/frame_connection.h"

namespace ap::net {

class WebSocketChannel final : public Channel {
 public:
  explicit WebSocketChannel(std::unique_ptr<FrameConnection> connection)
      : connection_(std::move(connection)) {}

  void send(MessageType type, ByteView payload) override;
  Bytes receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) override;
  void set_deadline(std::chrono::milliseconds wait) override { deadline_ = bounded_wait(wait); }
  void close() override { connection_->finish(deadline_, kMaxWait); }
  Traffic traffic() const override;
  std::string peer() const override { return connection_->peer(); }

 private:
  [[noreturn]] void fail_ended(const std::string& doing) const;
  /// Ends the connection with what `check` throws, if it does.
  template <typename Check>
  auto or_abort(Check check);

  const std::unique_ptr<FrameConnection> connection_;
  std::atomic<std::chrono::milliseconds> deadline_{kDefaultDeadline};
  std::atomic<std::uint64_t> bytes_sent_{0};
  std::atomic<std::uint64_t> bytes_received_{0};
  std::atomic<std::uint64_t> messages_sent_{0};
  std::atomic<std::uint64_t> messages_received_{0};
};

}  // namespace ap::net
