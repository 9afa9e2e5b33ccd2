// Messages over a Connection.
#pragma once

#include <atomic>
#include <memory>

#include "net/websocket/connection.h"
#include "net/websocket/io_threads.h"
#include "net/websocket/websocket.h"

namespace ap::net {

class Reception;

/// The channel of either side; a client has no use for what ServedChannel adds.
class WebSocketChannel final : public ServedChannel {
 public:
  /// `io` runs the connection's handlers. `reception`: where a server's connection is kept while it leaves.
  WebSocketChannel(std::shared_ptr<IoThreads> io, std::shared_ptr<Connection> connection,
                   std::shared_ptr<Reception> reception = nullptr, std::string address = {},
                   std::any admitted_as = {}, std::string target = {});
  /// Waits at most `goodbye` for queued frames and the closing handshake, unless the channel is left already.
  ~WebSocketChannel() override;

  void send(MessageType type, ByteView payload) override;
  Bytes receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) override;
  void set_deadline(std::chrono::milliseconds wait) override { deadline_ = bounded_wait(wait); }
  void close() override { connection_->finish(deadline_, kMaxWait); }
  Traffic traffic() const override;
  std::string peer() const override { return connection_->peer(); }

  void leave(std::chrono::milliseconds total, std::string reason) override;
  void set_queue_bytes(std::size_t bytes) override { connection_->set_queue_bytes(bytes); }
  Progress progress() const override { return connection_->progress(); }
  const std::string& address() const override { return address_; }
  const std::any& admitted_as() const override { return admitted_as_; }
  const std::string& target() const override { return target_; }

 private:
  [[noreturn]] void fail_ended(const std::string& doing) const;
  /// Ends the connection with what `check` throws, if it does.
  template <typename Check>
  auto or_abort(Check check);

  const std::shared_ptr<IoThreads> io_;
  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<Reception> reception_;
  const std::string address_;
  const std::any admitted_as_;
  const std::string target_;
  std::atomic<bool> left_{false};
  std::atomic<std::chrono::milliseconds> deadline_{kDefaultDeadline};
  std::atomic<std::uint64_t> bytes_sent_{0};
  std::atomic<std::uint64_t> bytes_received_{0};
  std::atomic<std::uint64_t> messages_sent_{0};
  std::atomic<std::uint64_t> messages_received_{0};
};

}  // namespace ap::net
