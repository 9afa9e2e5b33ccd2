// A channel that misbehaves once, at a chosen message: proves that a protocol fails cleanly whatever the
// network or the other party does.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "net/channel/channel.h"
#include "net/channel/recording_channel.h"

namespace ap::net {

struct Fault {
  enum class Kind {
    close,       ///< the connection ends before the message
    truncate,    ///< the last `amount` bytes of the payload are missing (at most all)
    flip_bit,    ///< bit `amount` of the payload, counted modulo its length, is inverted
    silence,     ///< this message and all later ones of the direction never arrive
    wrong_type,  ///< the message carries another type
  };
  Kind kind = Kind::close;
  Direction direction = Direction::sent;  ///< seen from the wrapped end
  std::uint64_t message = 0;              ///< index within the direction, from 0
  std::uint64_t amount = 0;
};

class FaultChannel final : public Channel {
 public:
  FaultChannel(std::unique_ptr<Channel> inner, const Fault& fault);

  void send(MessageType type, ByteView payload) override;
  /// A fault that the real transport would notice (type, size, silence, close) throws the same Error(peer)
  /// here.
  Bytes receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) override;
  void set_deadline(std::chrono::milliseconds wait) override;
  void close() override { inner_->close(); }
  Traffic traffic() const override { return inner_->traffic(); }
  std::string peer() const override { return inner_->peer(); }

  /// Whether the chosen message was reached.
  bool happened() const { return happened_; }

 private:
  bool strikes(Direction direction, std::uint64_t index);

  const std::unique_ptr<Channel> inner_;
  const Fault fault_;
  std::atomic<bool> happened_{false};
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::atomic<std::chrono::milliseconds> deadline_{kDefaultDeadline};
};

}  // namespace ap::net
