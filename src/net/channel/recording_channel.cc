#include "net/channel/recording_channel.h"

#include <openssl/evp.h>

#include "base/error.h"

namespace ap::net {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    AP_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(ByteView bytes) { AP_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1); }
  /// The hash of what was added so far; adding may go on.
  TranscriptHash value() const {
    const Sha256 copy;
    TranscriptHash hash{};
    AP_ASSERT(EVP_MD_CTX_copy_ex(copy.context_.get(), context_.get()) == 1);
    AP_ASSERT(EVP_DigestFinal_ex(copy.context_.get(), hash.data(), nullptr) == 1);
    return hash;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

struct RecordingChannel::Hashes {
  Sha256 both;
  Sha256 one[2];
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
  Sha256& one = hashes_->one[static_cast<std::size_t>(direction)];
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
