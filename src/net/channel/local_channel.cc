// The in-process transport: two byte-bounded queues of whole messages, one for each direction.
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "net/channel/channel.h"
#include "net/channel/channel_errors.h"

namespace ap::net {
namespace {

struct Message {
  MessageType type;
  Bytes payload;
};

/// One direction. All fields are guarded by the mutex.
struct Pipe {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Message> messages;
  std::size_t bytes = 0;
  bool sender_closed = false;
  bool receiver_closed = false;
};

class LocalChannel final : public Channel {
 public:
  LocalChannel(std::shared_ptr<Pipe> out, std::shared_ptr<Pipe> in, std::size_t queue_bytes)
      : out_(std::move(out)), in_(std::move(in)), queue_bytes_(queue_bytes) {}
  ~LocalChannel() override { close(); }

  void send(MessageType type, ByteView payload) override {
    Message message{type, Bytes(payload.begin(), payload.end())};
    const std::chrono::milliseconds wait = deadline_;
    std::unique_lock lock(out_->mutex);
    const bool in_time = out_->changed.wait_for(lock, wait, [&] {
      return out_->sender_closed || out_->receiver_closed || out_->messages.empty() ||
             out_->bytes + payload.size() <= queue_bytes_;
    });
    if (out_->sender_closed) fail_peer("{} {}", closed_by_us(peer()), while_sending(type));
    if (out_->receiver_closed) fail_peer("{} {}", closed_by_peer(peer()), while_sending(type));
    if (!in_time) fail_send_deadline(peer(), type, wait);
    out_->bytes += payload.size();
    out_->messages.push_back(std::move(message));
    out_->changed.notify_all();
    lock.unlock();
    bytes_sent_ += kHeaderBytes + payload.size();
    ++messages_sent_;
  }

  Bytes receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) override {
    const std::chrono::milliseconds wait = deadline_;
    std::unique_lock lock(in_->mutex);
    const bool in_time = in_->changed.wait_for(
        lock, wait, [&] { return in_->receiver_closed || in_->sender_closed || !in_->messages.empty(); });
    if (in_->receiver_closed) fail_peer("{} {}", closed_by_us(peer()), while_receiving(type));
    if (in_->messages.empty() && in_->sender_closed)
      fail_peer("{} {}", closed_by_peer(peer()), while_receiving(type));
    if (!in_time) fail_receive_deadline(peer(), type, wait);
    Message message = std::move(in_->messages.front());
    in_->messages.pop_front();
    in_->bytes -= message.payload.size();
    in_->changed.notify_all();
    lock.unlock();
    try {
      check_announced(peer(), type, min_bytes, max_bytes, message.type, message.payload.size());
    } catch (...) {
      close();
      throw;
    }
    bytes_received_ += kHeaderBytes + message.payload.size();
    ++messages_received_;
    return std::move(message.payload);
  }

  void set_deadline(std::chrono::milliseconds wait) override { deadline_ = bounded_wait(wait); }

  void close() override {
    const std::scoped_lock lock(out_->mutex, in_->mutex);
    out_->sender_closed = true;
    in_->receiver_closed = true;
    in_->messages.clear();
    in_->bytes = 0;
    out_->changed.notify_all();
    in_->changed.notify_all();
  }

  Traffic traffic() const override {
    return {bytes_sent_, bytes_received_, messages_sent_, messages_received_};
  }

 private:
  const std::shared_ptr<Pipe> out_;
  const std::shared_ptr<Pipe> in_;
  const std::size_t queue_bytes_;
  std::atomic<std::chrono::milliseconds> deadline_{kDefaultDeadline};
  std::atomic<std::uint64_t> bytes_sent_{0};
  std::atomic<std::uint64_t> bytes_received_{0};
  std::atomic<std::uint64_t> messages_sent_{0};
  std::atomic<std::uint64_t> messages_received_{0};
};

}  // namespace

std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> make_local_channels(std::size_t queue_bytes) {
  auto forward = std::make_shared<Pipe>();
  auto backward = std::make_shared<Pipe>();
  return {std::make_unique<LocalChannel>(forward, backward, queue_bytes),
          std::make_unique<LocalChannel>(backward, forward, queue_bytes)};
}

}  // namespace ap::net
