// What every transport must do, run on each of them.
#include "net/channel/channel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "net/websocket/framing.h"
#include "tests/net/websocket/test_support.h"

namespace ap::net {
namespace {

using namespace std::chrono_literals;

struct Transport {
  const char* name;
  ChannelPair (*make)();
};

class ChannelTest : public testing::TestWithParam<Transport> {
 protected:
  ChannelPair pair_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(Transports, ChannelTest,
                         testing::Values(Transport{"Local", local_pair},
                                         Transport{"WebSocket", [] { return websocket_pair(); }}),
                         [](const auto& test) { return test.param.name; });

TEST_P(ChannelTest, KeepsOrderTypesAndContentOfAllSizes) {
  const std::size_t frame = kMaxFrameBytes;
  const std::vector<std::size_t> sizes = {
      0, 1,         9, 10, 11, 65535, frame - 11, frame - 10, frame - 9, frame, 2 * frame - 10, 2 * frame - 9,
      0, 20u << 20, 3};
  std::thread sender([&] {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      pair_.a->send(static_cast<MessageType>(100 + i), pattern(sizes[i], i));
    }
  });
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    ASSERT_EQ(pair_.b->receive_exactly(static_cast<MessageType>(100 + i), sizes[i]), pattern(sizes[i], i))
        << i;
    total += sizes[i] + kHeaderBytes;
  }
  sender.join();
  EXPECT_EQ(pair_.a->traffic().bytes_sent, total);
  EXPECT_EQ(pair_.a->traffic().messages_sent, sizes.size());
  EXPECT_EQ(pair_.a->traffic().bytes_received, 0u);
  EXPECT_EQ(pair_.b->traffic().bytes_received, total);
  EXPECT_EQ(pair_.b->traffic().messages_received, sizes.size());
}

TEST_P(ChannelTest, AnswersManySmallMessages) {
  std::thread echo([&] {
    for (int i = 0; i < 500; ++i) pair_.b->send(2, pair_.b->receive(1, 0, 64));
  });
  for (int i = 0; i < 500; ++i) {
    const Bytes question = pattern(static_cast<std::size_t>(i % 65), static_cast<std::uint64_t>(i));
    pair_.a->send(1, question);
    ASSERT_EQ(pair_.a->receive(2, 0, 64), question);
  }
  echo.join();
}

TEST_P(ChannelTest, CarriesMuchBothWaysAtOnce) {
  constexpr int kMessages = 50;
  constexpr std::size_t kSize = 4 << 20;  // 200 MiB each way
  const Bytes payload = pattern(kSize, 5);
  std::atomic<int> good{0};
  const auto send_all = [&](Channel& channel) {
    for (int i = 0; i < kMessages; ++i) channel.send(7, payload);
  };
  const auto receive_all = [&](Channel& channel) {
    for (int i = 0; i < kMessages; ++i) good += channel.receive_exactly(7, kSize) == payload;
  };
  std::vector<std::thread> threads;
  for (Channel* channel : {pair_.a.get(), pair_.b.get()}) {
    threads.emplace_back(send_all, std::ref(*channel));
    threads.emplace_back(receive_all, std::ref(*channel));
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 2 * kMessages);
}

TEST_P(ChannelTest, RefusesAnotherTypeAndEndsForBoth) {
  pair_.a->send(8, pattern(16, 1));
  expect_error([&] { pair_.b->receive_exactly(7, 16); }, ErrorCode::peer,
               "sent message type 8 where type 7 is due");
  expect_error([&] { pair_.b->send(9, {}); }, ErrorCode::peer, "while we sent message type 9");
  expect_error([&] { pair_.b->receive_exactly(8, 16); }, ErrorCode::peer,
               "while we waited for message type 8");
  expect_error([&] { pair_.a->receive_exactly(9, 0); }, ErrorCode::peer,
               "while we waited for message type 9");
}

TEST_P(ChannelTest, RefusesTooLittleAndTooMuch) {
  pair_.a->send(7, pattern(15, 1));
  expect_error([&] { pair_.b->receive(7, 16, 32); }, ErrorCode::peer,
               "sent 15 bytes of message type 7 where 16 to 32 are due");
  ChannelPair other = GetParam().make();
  other.a->send(7, pattern(17, 1));
  expect_error([&] { other.b->receive_exactly(7, 16); }, ErrorCode::peer, "where 16 are due");
}

TEST_P(ChannelTest, PassedDeadlineBetweenMessagesLeavesTheChannelUsable) {
  pair_.a->set_deadline(30ms);
  expect_error([&] { pair_.a->receive_exactly(7, 4); }, ErrorCode::peer,
               "sent nothing for 0.03 s while we waited for message type 7");
  pair_.a->set_deadline(std::chrono::milliseconds::max());
  pair_.b->send(7, pattern(4, 2));
  EXPECT_EQ(pair_.a->receive_exactly(7, 4), pattern(4, 2));
}

TEST_P(ChannelTest, ClosingDeliversWhatWasSent) {
  const Bytes large = pattern(5 << 20, 3);
  pair_.a->send(1, large);
  pair_.a->send(2, {});
  pair_.a->close();
  EXPECT_EQ(pair_.b->receive_exactly(1, large.size()), large);
  EXPECT_EQ(pair_.b->receive_exactly(2, 0), Bytes{});
  expect_error([&] { pair_.b->receive_exactly(3, 1); }, ErrorCode::peer,
               "closed the connection while we waited for message type 3");
  expect_error([&] { pair_.b->send(3, {}); }, ErrorCode::peer,
               "closed the connection while we sent message type 3");
  expect_error([&] { pair_.a->send(3, {}); }, ErrorCode::peer, "already closed on this side");
  expect_error([&] { pair_.a->receive_exactly(3, 1); }, ErrorCode::peer, "already closed on this side");
  pair_.a->close();
}

TEST_P(ChannelTest, DestructorDeliversWhatWasSent) {
  pair_.a->send(1, pattern(3 << 20, 3));
  pair_.a.reset();
  EXPECT_EQ(pair_.b->receive_exactly(1, 3 << 20), pattern(3 << 20, 3));
  expect_error([&] { pair_.b->receive_exactly(3, 1); }, ErrorCode::peer, "closed the connection");
}

TEST_P(ChannelTest, ClosingByThePeerWakesAWaitingReceiver) {
  std::thread closer([&] {
    std::this_thread::sleep_for(50ms);
    pair_.b->close();
  });
  const auto start = std::chrono::steady_clock::now();
  expect_error([&] { pair_.a->receive_exactly(7, 4); }, ErrorCode::peer, "closed the connection");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);  // the deadline is 60 s
  closer.join();
}

TEST_P(ChannelTest, ClosingOnThisSideWakesAWaitingReceiver) {
  std::thread closer([&] {
    std::this_thread::sleep_for(50ms);
    pair_.a->close();
  });
  expect_error([&] { pair_.a->receive_exactly(7, 4); }, ErrorCode::peer, "already closed on this side");
  closer.join();
}

TEST(LocalChannel, SenderWaitsWhileTheQueueIsFull) {
  auto [a, b] = make_local_channels(1000);
  a->set_deadline(30ms);
  a->send(1, pattern(5000, 1));  // always one message
  expect_error([&] { a->send(2, pattern(1, 2)); }, ErrorCode::peer, "took nothing for 0.03 s");
  EXPECT_EQ(b->receive_exactly(1, 5000), pattern(5000, 1));
  a->send(2, pattern(1000, 2));
  EXPECT_EQ(b->receive_exactly(2, 1000), pattern(1000, 2));
}

}  // namespace
}  // namespace ap::net
