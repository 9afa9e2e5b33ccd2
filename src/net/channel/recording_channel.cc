#include "net/channel/recording_channel.h"

#include "base/error.h"
#include "crypto/sha256.h"

namespace ap::net {
struct RecordingChannel::Hashes {
  crypto::Sha256 both, one[2];
};

RecordingChannel::RecordingChannel(std::unique_ptr<Channel> inner, Keep keep)
    : inner_(std::move(inner)), keep_(keep), hashes_(std::make_unique<Hashes>()) {
  AP_ASSERT(inner_);
}

RecordingChannel::~RecordingChannel() = default;

void RecordingChannel::send(MessageType type, ByteView payload) {
  inner_->send(type, payload);
  record(Direction::sent, type, payload);
}

Bytes RecordingChannel::receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) {
  Bytes payload = inner_->receive(type, min_bytes, max_bytes);
  record(Direction::received, type, payload);
  return payload;
}

void RecordingChannel::record(Direction direction, MessageType type, ByteView payload) {
  ByteWriter header;
  header.u8(static_cast<std::uint8_t>(direction));
  header.u16(type);
  header.u64(payload.size());
  const ByteView bytes = header.bytes();
  const std::lock_guard lock(mutex_);
  hashes_->both.add(bytes);
  hashes_->both.add(payload);
  crypto::Sha256& one = hashes_->one[static_cast<std::size_t>(direction)];
  one.add(bytes.subspan(1));
  one.add(payload);
  if (keep_ == Keep::messages) messages_.push_back({direction, type, Bytes(payload.begin(), payload.end())});
}

std::vector<RecordedMessage> RecordingChannel::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

TranscriptHash RecordingChannel::transcript_hash() const {
  const std::lock_guard lock(mutex_);
  return hashes_->both.value();
}

TranscriptHash RecordingChannel::hash_of(Direction direction) const {
  const std::lock_guard lock(mutex_);
  return hashes_->one[static_cast<std::size_t>(direction)].value();
}

}  // namespace ap::net
