#include "net/channel/fault_channel.h"

#include <algorithm>
#include <thread>

#include "base/error.h"
#include "net/channel/channel_errors.h"

namespace ap::net {
namespace {

MessageType another_type(MessageType type) { return static_cast<MessageType>(type ^ 1); }

void damage(const Fault& fault, Bytes& payload) {
  if (fault.kind == Fault::Kind::truncate) {
    const auto missing = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(fault.amount, payload.size()));
    payload.erase(payload.end() - missing, payload.end());
  } else if (fault.kind == Fault::Kind::flip_bit && !payload.empty()) {
    const std::uint64_t bit = fault.amount % (8 * payload.size());
    payload[bit / 8] = static_cast<std::uint8_t>(payload[bit / 8] ^ (1u << (bit % 8)));
  }
}

}  // namespace

FaultChannel::FaultChannel(std::unique_ptr<Channel> inner, const Fault& fault)
    : inner_(std::move(inner)), fault_(fault) {
  AP_ASSERT(inner_);
}

bool FaultChannel::strikes(Direction direction, std::uint64_t index) {
  if (direction != fault_.direction) return false;
  const bool now = fault_.kind == Fault::Kind::silence ? index >= fault_.message : index == fault_.message;
  if (now) happened_ = true;
  return now;
}

void FaultChannel::send(MessageType type, ByteView payload) {
  if (!strikes(Direction::sent, sent_++)) return inner_->send(type, payload);
  switch (fault_.kind) {
    case Fault::Kind::silence:
      return;
    case Fault::Kind::close:
      inner_->close();
      break;
    case Fault::Kind::wrong_type:
      return inner_->send(another_type(type), payload);
    default:
      break;
  }
  Bytes damaged(payload.begin(), payload.end());
  damage(fault_, damaged);
  inner_->send(type, damaged);
}

Bytes FaultChannel::receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) {
  if (!strikes(Direction::received, received_++)) return inner_->receive(type, min_bytes, max_bytes);
  if (fault_.kind == Fault::Kind::silence) {
    const std::chrono::milliseconds wait = deadline_;
    std::this_thread::sleep_for(wait);
    fail_receive_deadline(peer(), type, wait);
  }
  if (fault_.kind == Fault::Kind::close) inner_->close();
  Bytes payload = inner_->receive(type, min_bytes, max_bytes);
  damage(fault_, payload);
  const MessageType seen = fault_.kind == Fault::Kind::wrong_type ? another_type(type) : type;
  try {
    check_announced(peer(), type, min_bytes, max_bytes, seen, payload.size());
  } catch (...) {
    inner_->close();
    throw;
  }
  return payload;
}

void FaultChannel::set_deadline(std::chrono::milliseconds wait) {
  deadline_ = bounded_wait(wait);
  inner_->set_deadline(wait);
}

}  // namespace ap::net
