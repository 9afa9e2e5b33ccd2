// A channel that remembers what passed through it: for tests that look at the wire, and for the transcript
// hash by which two runs, or two parties, are compared.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "net/channel/channel.h"

namespace ap::net {

enum class Direction : std::uint8_t { sent = 0, received = 1 };

struct RecordedMessage {
  Direction direction;
  MessageType type;
  Bytes payload;
};

using TranscriptHash = std::array<std::uint8_t, 32>;

class RecordingChannel final : public Channel {
 public:
  enum class Keep {
    hashes,    ///< constant memory
    messages,  ///< everything, and the hashes
  };
  RecordingChannel(std::unique_ptr<Channel> inner, Keep keep);
  ~RecordingChannel() override;

  void send(MessageType type, ByteView payload) override;
  Bytes receive(MessageType type, std::size_t min_bytes, std::size_t max_bytes) override;
  void set_deadline(std::chrono::milliseconds wait) override { inner_->set_deadline(wait); }
  void close() override { inner_->close(); }
  Traffic traffic() const override { return inner_->traffic(); }
  std::string peer() const override { return inner_->peer(); }

  /// What send() queued and receive() returned so far, in the order of this party's calls (Keep::messages
  /// only).
  std::vector<RecordedMessage> messages() const;

  /// SHA-256 over all messages so far in the order of this party's calls, each as direction (u8), type (u16),
  /// length (u64), payload; little endian.
  TranscriptHash transcript_hash() const;
  /// A hash over the messages of one direction, without the direction byte: what one party sent, the other
  /// received, so these two agree however sending and receiving interleaved.
  TranscriptHash hash_of(Direction direction) const;

 private:
  void record(Direction direction, MessageType type, ByteView payload);

  struct Hashes;
  const std::unique_ptr<Channel> inner_;
  const Keep keep_;
  mutable std::mutex mutex_;
  std::unique_ptr<Hashes> hashes_;
  std::vector<RecordedMessage> messages_;
};

}  // namespace ap::net
