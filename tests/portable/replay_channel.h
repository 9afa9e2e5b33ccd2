// A channel whose other end is a recording: it answers what the server answered, and fails the test at the first message
// of the client that differs from the recorded one.
#pragma once

#include <gtest/gtest.h>

#include "tests/portable/recording.h"

namespace ap::portable {

class ReplayChannel final : public net::Channel {
 public:
  explicit ReplayChannel(const std::vector<Call>& calls) : calls_(calls) {}

  void send(net::MessageType type, ByteView payload) override {
    const Call& call = next(net::Direction::sent, type);
    if (payload.size() != call.bytes || crypto::sha256(payload) != call.hash) {
      ADD_FAILURE() << "message " << at_ << " of the session, of type " << type
                    << ", has other bytes than in the recording (" << payload.size() << " and " << call.bytes
                    << " bytes)";
      fail_peer("the replay ends");
    }
    traffic_.bytes_sent += net::kHeaderBytes + payload.size();
    ++traffic_.messages_sent;
  }
  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override {
    const Call& call = next(net::Direction::received, type);
    EXPECT_GE(call.bytes, min_bytes);
    EXPECT_LE(call.bytes, max_bytes);
    traffic_.bytes_received += net::kHeaderBytes + call.bytes;
    ++traffic_.messages_received;
    return call.payload;
  }
  void set_deadline(std::chrono::milliseconds) override {}
  void close() override {}
  net::Traffic traffic() const override { return traffic_; }
  std::string peer() const override { return "the recording"; }

  bool at_end() const { return at_ == calls_.size(); }

 private:
  const Call& next(net::Direction direction, net::MessageType type) {
    if (at_ == calls_.size() || calls_[at_].direction != direction || calls_[at_].type != type) {
      ADD_FAILURE() << "message " << at_ + 1
                    << " of the session is of another kind than in the recording: type " << type
                    << (direction == net::Direction::sent ? ", sent" : ", expected");
      fail_peer("the replay ends");
    }
    return calls_[at_++];
  }

  const std::vector<Call>& calls_;
  std::size_t at_ = 0;
  net::Traffic traffic_;
};

}  // namespace ap::portable
