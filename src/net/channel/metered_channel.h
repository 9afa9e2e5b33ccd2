// A channel that counts payload and frame-header bytes at the moment the protocol sends or receives them, so
// that they can be told apart by layer even while a transport works ahead.
#pragma once

#include "net/channel/channel.h"

namespace ap::protocol {

class MeteredChannel : public net::Channel {
 public:
  /// Header bytes of one message (docs/wire-format.md).
  static constexpr std::uint64_t kHeaderBytes = 10;

  explicit MeteredChannel(net::Channel& inner) : inner_(inner) {}
  void send(net::MessageType type, ByteView payload) override {
    inner_.send(type, payload);
    count_.bytes_sent += payload.size() + kHeaderBytes;
    ++count_.messages_sent;
  }
  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override {
    Bytes payload = inner_.receive(type, min_bytes, max_bytes);
    count_.bytes_received += payload.size() + kHeaderBytes;
    ++count_.messages_received;
    return payload;
  }
  void set_deadline(std::chrono::milliseconds wait) override { inner_.set_deadline(wait); }
  void close() override { inner_.close(); }
  net::Traffic traffic() const override { return count_; }

 private:
  net::Channel& inner_;
  net::Traffic count_;
};

}  // namespace ap::protocol
