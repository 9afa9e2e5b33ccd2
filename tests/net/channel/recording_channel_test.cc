#include "net/channel/recording_channel.h"

#include <gtest/gtest.h>

#include "tests/net/websocket/test_support.h"

namespace ap::net {
namespace {

using Keep = RecordingChannel::Keep;

std::string hex(const TranscriptHash& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) text += fmt::format("{:02x}", byte);
  return text;
}

TEST(RecordingChannel, KeepsMessagesInOrder) {
  ChannelPair pair = local_pair();
  RecordingChannel a(std::move(pair.a), Keep::messages);
  a.send(1, Bytes{1, 2});
  pair.b->send(2, Bytes{3});
  EXPECT_EQ(a.receive_exactly(2, 1), Bytes{3});
  a.send(3, {});
  const auto messages = a.messages();
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(messages[0].direction, Direction::sent);
  EXPECT_EQ(messages[0].type, 1);
  EXPECT_EQ(messages[0].payload, (Bytes{1, 2}));
  EXPECT_EQ(messages[1].direction, Direction::received);
  EXPECT_EQ(messages[1].payload, Bytes{3});
  EXPECT_EQ(messages[2].type, 3);
  EXPECT_EQ(a.traffic().messages_sent, 2u);
}

TEST(RecordingChannel, HashOfAKnownTranscript) {
  ChannelPair pair = local_pair();
  RecordingChannel a(std::move(pair.a), Keep::hashes);
  EXPECT_EQ(hex(a.transcript_hash()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  a.send(0x0102, Bytes{0xde, 0xad, 0xbe, 0xef});
  // printf '\0\2\1\4\0\0\0\0\0\0\0\xde\xad\xbe\xef' | sha256sum
  EXPECT_EQ(hex(a.transcript_hash()), "cc2c6deb3e75632f75ef79cc1ebcc71ada8538602a4cd5783e3bb586fcbec905");
  EXPECT_TRUE(a.messages().empty());
}

TEST(RecordingChannel, BothPartiesAgreePerDirection) {
  ChannelPair pair = websocket_pair();
  RecordingChannel a(std::move(pair.a), Keep::hashes);
  RecordingChannel b(std::move(pair.b), Keep::hashes);
  a.send(1, pattern(3 << 20, 1));  // crosses the message of b
  b.send(2, pattern(70'000, 2));
  a.receive_exactly(2, 70'000);
  b.receive_exactly(1, 3 << 20);
  EXPECT_EQ(a.hash_of(Direction::sent), b.hash_of(Direction::received));
  EXPECT_EQ(b.hash_of(Direction::sent), a.hash_of(Direction::received));
  EXPECT_NE(a.hash_of(Direction::sent), a.hash_of(Direction::received));
  EXPECT_NE(a.transcript_hash(), b.transcript_hash());
}

TEST(RecordingChannel, RecordsNothingThatFailed) {
  ChannelPair pair = local_pair();
  RecordingChannel a(std::move(pair.a), Keep::messages);
  pair.b->send(1, Bytes{1});
  expect_error([&] { a.receive_exactly(2, 1); }, ErrorCode::peer, "type 1");
  expect_error([&] { a.send(2, {}); }, ErrorCode::peer, "closed");
  EXPECT_TRUE(a.messages().empty());
}

}  // namespace
}  // namespace ap::net
