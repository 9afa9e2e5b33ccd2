// A channel that changes what one party sends.
#pragma once

#include <functional>
#include <utility>

#include "net/channel/channel.h"

namespace ap::mpc {

/// A party that keeps to the protocol behind a channel that changes what it sends.
class TamperingChannel : public net::Channel {
 public:
  using Tamper = std::function<void(net::MessageType, Bytes&)>;
  TamperingChannel(net::Channel& inner, Tamper tamper) : inner_(inner), tamper_(std::move(tamper)) {}
  void send(net::MessageType type, ByteView payload) override {
    Bytes bytes(payload.begin(), payload.end());
    tamper_(type, bytes);
    inner_.send(type, bytes);
  }
  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override {
    return inner_.receive(type, min_bytes, max_bytes);
  }
  void set_deadline(std::chrono::milliseconds wait) override { inner_.set_deadline(wait); }
  void close() override { inner_.close(); }
  net::Traffic traffic() const override { return inner_.traffic(); }

 private:
  net::Channel& inner_;
  Tamper tamper_;
};

}  // namespace ap::mpc
