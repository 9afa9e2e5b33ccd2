#include "net/channel/fault_channel.h"

#include <gtest/gtest.h>

#include "tests/net/websocket/test_support.h"

namespace ap::net {
namespace {

using namespace std::chrono_literals;
using Kind = Fault::Kind;

class FaultTest : public testing::TestWithParam<ChannelPair (*)()> {
 protected:
  void wrap(Kind kind, Direction direction, std::uint64_t message, std::uint64_t amount = 0) {
    ChannelPair pair = GetParam()();
    faulty_ = std::make_unique<FaultChannel>(std::move(pair.a), Fault{kind, direction, message, amount});
    faulty_->set_deadline(100ms);
    other_ = std::move(pair.b);
  }
  std::unique_ptr<FaultChannel> faulty_;
  std::unique_ptr<Channel> other_;
  const Bytes payload_ = pattern(100, 1);
};

INSTANTIATE_TEST_SUITE_P(Transports, FaultTest,
                         testing::Values(
                             +[] { return local_pair(); }, +[] { return websocket_pair(); }));

TEST_P(FaultTest, OnlyTheChosenMessageIsHit) {
  wrap(Kind::flip_bit, Direction::sent, 1, 13);
  faulty_->send(1, payload_);
  EXPECT_FALSE(faulty_->happened());
  faulty_->send(1, payload_);
  EXPECT_TRUE(faulty_->happened());
  faulty_->send(1, payload_);
  other_->send(2, payload_);
  Bytes flipped = payload_;
  flipped[1] ^= 1 << 5;
  EXPECT_EQ(other_->receive_exactly(1, 100), payload_);
  EXPECT_EQ(other_->receive_exactly(1, 100), flipped);
  EXPECT_EQ(other_->receive_exactly(1, 100), payload_);
  EXPECT_EQ(faulty_->receive_exactly(2, 100), payload_);
}

TEST_P(FaultTest, FlipsABitOfAReceivedMessage) {
  wrap(Kind::flip_bit, Direction::received, 0, 800 + 7);  // counted modulo 800
  other_->send(1, payload_);
  Bytes flipped = payload_;
  flipped[0] ^= 0x80;
  EXPECT_EQ(faulty_->receive_exactly(1, 100), flipped);
}

TEST_P(FaultTest, TruncatesInBothDirections) {
  wrap(Kind::truncate, Direction::sent, 0, 1);
  faulty_->send(1, payload_);
  expect_error([&] { other_->receive_exactly(1, 100); }, ErrorCode::peer, "sent 99 bytes of message type 1");
  wrap(Kind::truncate, Direction::received, 0, 1000);
  other_->send(1, payload_);
  expect_error([&] { faulty_->receive_exactly(1, 100); }, ErrorCode::peer, "sent 0 bytes of message type 1");
  expect_error([&] { other_->receive_exactly(2, 1); }, ErrorCode::peer, "closed the connection");
}

TEST_P(FaultTest, ChangesTheTypeInBothDirections) {
  wrap(Kind::wrong_type, Direction::sent, 0);
  faulty_->send(4, payload_);
  expect_error([&] { other_->receive_exactly(4, 100); }, ErrorCode::peer,
               "sent message type 5 where type 4 is due");
  wrap(Kind::wrong_type, Direction::received, 0);
  other_->send(4, payload_);
  expect_error([&] { faulty_->receive_exactly(4, 100); }, ErrorCode::peer,
               "sent message type 5 where type 4 is due");
}

TEST_P(FaultTest, ClosesInBothDirections) {
  wrap(Kind::close, Direction::sent, 1);
  faulty_->send(1, payload_);
  expect_error([&] { faulty_->send(1, payload_); }, ErrorCode::peer, "closed on this side");
  EXPECT_EQ(other_->receive_exactly(1, 100), payload_);
  expect_error([&] { other_->receive_exactly(1, 100); }, ErrorCode::peer, "closed the connection");
  wrap(Kind::close, Direction::received, 0);
  expect_error([&] { faulty_->receive_exactly(1, 100); }, ErrorCode::peer, "closed on this side");
}

TEST_P(FaultTest, StaysSilentInBothDirections) {
  wrap(Kind::silence, Direction::sent, 1);
  other_->set_deadline(50ms);
  for (int i = 0; i < 3; ++i) faulty_->send(1, payload_);
  EXPECT_EQ(other_->receive_exactly(1, 100), payload_);
  expect_error([&] { other_->receive_exactly(1, 100); }, ErrorCode::peer, "sent nothing for 0.05 s");
  wrap(Kind::silence, Direction::received, 0);
  other_->send(1, payload_);
  expect_error([&] { faulty_->receive_exactly(1, 100); }, ErrorCode::peer, "sent nothing for 0.1 s");
}

}  // namespace
}  // namespace ap::net
