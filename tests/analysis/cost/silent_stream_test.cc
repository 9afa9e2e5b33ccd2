// The counts of silent OTs against the traffic of the real ones.
#include "analysis/cost/silent_stream.h"

#include <gtest/gtest.h>

#include <thread>

#include "mpc/ot/silent_cot.h"

namespace ap::cost {
namespace {

constexpr mpc::SilentCotMessages kMessages{{{1, 2}, 3, 4, 6, 7}, 5, {8, 9}};

/// Announces and draws `counts` at both ends; returns what the sender's channel saw after the base OTs.
net::Traffic real_traffic(const std::vector<std::uint64_t>& counts, std::uint64_t expected) {
  auto [sender_channel, receiver_channel] = net::make_local_channels();
  std::thread other([&, &channel = receiver_channel] {
    Prng prng;
    mpc::SilentCotReceiver receiver(*channel, kMessages, SessionKey(), prng);
    receiver.expect(expected);
    for (const std::uint64_t count : counts) {
      SecretVector<mpc::Block> out(count);
      receiver.extend(*channel, out);
    }
    receiver.open_check(*channel);
    receiver.close_check(*channel);
  });
  Prng prng;
  mpc::SilentCotSender sender(*sender_channel, kMessages, SessionKey(), prng);
  const net::Traffic before = sender_channel->traffic();
  sender.expect(expected);
  for (const std::uint64_t count : counts) {
    SecretVector<mpc::Block> out(count);
    sender.extend(*sender_channel, out);
  }
  sender.answer_check(*sender_channel);
  other.join();
  net::Traffic after = sender_channel->traffic();
  after.bytes_sent -= before.bytes_sent;
  after.bytes_received -= before.bytes_received;
  after.messages_sent -= before.messages_sent;
  // The sender of an extension receives the base OTs, so its point counts as received.
  EXPECT_EQ(before.bytes_sent, kBaseReceiverBytes);
  EXPECT_EQ(before.bytes_received, kBaseSenderBytes);
  return after;
}

void expect_same(const std::vector<std::uint64_t>& counts, std::uint64_t expected) {
  SilentStream stream;
  stream.expect(expected);
  for (const std::uint64_t count : counts) stream.draw(count);
  stream.finish();
  const net::Traffic real = real_traffic(counts, expected);
  EXPECT_EQ(stream.total().bytes_sent, real.bytes_sent);
  EXPECT_EQ(stream.total().bytes_received, real.bytes_received);
  EXPECT_EQ(stream.total().small_messages + stream.total().large_messages + stream.total().checks,
            real.messages_sent);
}

TEST(SilentStream, SmallSetMatchesTraffic) { expect_same({1, 128, 16384, 40000, 5}, 0); }
TEST(SilentStream, SmallSetOverIterations) { expect_same({590'000}, 0); }
TEST(SilentStream, LargeSetFromTheStart) { expect_same({1000, 300'000}, 700'000); }
TEST(SilentStream, LargeSetAfterTheSmallOne) { expect_same({400'000, 190'000, 20'000, 1}, 0); }

TEST(SilentStream, NothingDrawnIsFree) {
  SilentStream stream;
  stream.expect(1'000'000);
  stream.draw(0);
  EXPECT_EQ(stream.total().bytes_sent, 0);
  EXPECT_EQ(stream.total().bytes_received, 0);
}

TEST(SilentStream, ALongStreamCostsWhatIterationsCost) {
  SilentStream stream;
  stream.expect(std::uint64_t{1} << 40);
  stream.draw(1);
  const SilentUse start = stream.total();
  const std::uint64_t gain = mpc::kLargeLpn.gain();
  stream.draw(10 * gain);
  const SilentUse use = stream.total() - start;
  // An iteration gives what it has beyond the seeds of the next.
  EXPECT_NEAR(static_cast<double>(use.large_rows), 10.0 * static_cast<double>(mpc::kLargeLpn.n()),
              static_cast<double>(2 * mpc::kTreesPerMessage * mpc::kLargeLpn.bin() + mpc::kLargeLpn.seeds()));
  EXPECT_EQ(use.base_columns, 0);
}

}  // namespace
}  // namespace ap::cost
