#include "mpc/ot/silent_cot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

constexpr SilentCotMessages kMessages{{{1, 2}, 5, 3, 6, 7}, 4, {8, 9}};

struct Outputs {
  Block delta{};
  std::vector<Block> q;
  std::vector<Block> t;
};

/// Draws parts of the given sizes on both sides, expecting all of them from the start.
Outputs draw(ChannelPair& channels, const std::vector<std::size_t>& sizes, std::uint64_t expected,
             std::uint8_t seed) {
  std::size_t total = 0;
  for (const std::size_t size : sizes) total += size;
  Outputs out;
  out.q.resize(total);
  out.t.resize(total);
  const auto run = [&](SilentCot& cots, net::Channel& channel, std::vector<Block>& blocks) {
    cots.expect(expected);
    std::size_t at = 0;
    for (const std::size_t size : sizes) {
      cots.extend(channel, std::span(blocks).subspan(at, size));
      at += size;
    }
    if (auto* receiver = dynamic_cast<SilentCotReceiver*>(&cots)) {
      receiver->open_check(channel);
      receiver->close_check(channel);
    } else {
      dynamic_cast<SilentCotSender&>(cots).answer_check(channel);
    }
    EXPECT_EQ(cots.used(), total);
  };
  run_two(
      channels,
      [&] {
        Prng prng(test_seed(seed), 1);
        SilentCotSender sender(*channels.client, kMessages, test_session(), prng);
        out.delta = sender.delta();
        run(sender, *channels.client, out.q);
      },
      [&] {
        Prng prng(test_seed(seed), 2);
        SilentCotReceiver receiver(*channels.server, kMessages, test_session(), prng);
        run(receiver, *channels.server, out.t);
      });
  return out;
}

/// The correlation on every output; balanced choices and bits; no block twice.
void expect_good(const Outputs& out) {
  ASSERT_EQ(low_bit(out.delta), 1u);
  std::uint64_t chosen = 0;
  std::uint64_t ones = 0;
  for (std::size_t i = 0; i < out.q.size(); ++i) {
    ASSERT_EQ(low_bit(out.q[i]), 0u) << i;
    const std::uint64_t choice = low_bit(out.t[i]);
    ASSERT_EQ(out.t[i], out.q[i] ^ (mask_of(choice) & out.delta)) << i;
    chosen += choice;
    ones += static_cast<std::uint64_t>(__builtin_popcountll(out.q[i].lo) + __builtin_popcountll(out.q[i].hi));
  }
  const auto balanced = [](std::uint64_t count, double total) {
    EXPECT_LT(std::abs(static_cast<double>(count) - total / 2), 6 * std::sqrt(total) / 2);
  };
  balanced(chosen, static_cast<double>(out.q.size()));
  balanced(ones, 127.0 * static_cast<double>(out.q.size()));
  std::vector<std::uint64_t> halves;
  for (const Block& block : out.q) halves.push_back(block.hi);
  std::sort(halves.begin(), halves.end());
  // Among 2^20 random 64-bit words an equal pair has probability 2^-25.
  EXPECT_EQ(std::adjacent_find(halves.begin(), halves.end()), halves.end());
}

TEST(SilentCot, SmallSet) {
  // Sizes around chunks; the total stays below the large set's threshold.
  ChannelPair channels;
  const std::vector<std::size_t> sizes = {1, 127, 16384, 16385, 300000, 251000};
  const Outputs out = draw(channels, sizes, 0, 1);
  expect_good(out);
  // The seeds, the transfers of one check of the trees, and the masks of both messages' checks.
  EXPECT_EQ(channels.server->sent_bytes(3), cot_bytes(kSmallLpn.seeds()) + 3 * cot_bytes(kCotTile));
  EXPECT_EQ(channels.server->sent_bytes(4), 0u);
}

TEST(SilentCot, SmallSetRunsOnIntoTheLargeOne) {
  // Without an announcement the small set serves until its threshold; what then seeds the large set crosses
  // into the small set's second iteration.
  ChannelPair channels;
  expect_good(draw(channels, {200000, 200000, 200000, 200000, 200000}, 0, 2));
}

TEST(SilentCot, SeveralIterationsOfTheLargeSet) {
  if (std::getenv("AP_SLOW") == nullptr) GTEST_SKIP() << "twenty million transfers; set AP_SLOW=1";
  ChannelPair channels;
  expect_good(draw(channels, {20'200'000}, 20'200'000, 5));
}

TEST(SilentCot, LargeSet) {
  ChannelPair channels;
  const Outputs out = draw(channels, {700000}, 700000, 3);
  expect_good(out);
  const std::uint64_t rows = 700000 + kLargeLpn.seeds();
  const std::uint64_t chunk = kTreesPerMessage * kLargeLpn.bin();
  const std::uint64_t large =
      (rows + chunk - 1) / chunk * kTreesPerMessage * static_cast<std::uint64_t>(kLargeLpn.bin_bits) * 16;
  EXPECT_GT(channels.client->sent_bytes(4), large);
  EXPECT_LT(channels.client->sent_bytes(4), large + iteration_bytes(kSmallLpn));
  const auto sent = static_cast<double>(channels.client->sent_bytes(4) + channels.server->sent_bytes(3));
  EXPECT_LE(cot_stream_bytes(700000), sent);
  EXPECT_GT(cot_stream_bytes(700000), 0.95 * sent);
}

TEST(SilentCot, TranscriptIsFrozen) {
  ChannelPair channels;
  draw(channels, {1000, 20000}, 0, 4);
  EXPECT_EQ(channels.client->sent_hash(), "60fb70620d8f4a3f25ea0e63d5fe4760");
  EXPECT_EQ(channels.server->sent_hash(), "8d925bd36e78824d112744b720a27b55");
}

}  // namespace
}  // namespace ap::mpc
