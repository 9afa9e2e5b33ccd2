#include "mpc/ot/cot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/error.h"
#include "mpc/ot/column_check.h"
#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

constexpr CotMessages kMessages{{1, 2}, 4, 3, 5, 6};

TEST(Cot, EveryOutputHasTheCorrelation) {
  ChannelPair channels;
  Prng prng(test_seed(9));
  // Sizes around tiles, cache blocks and messages.
  const std::vector<std::size_t> sizes = {1, 7, 127, 128, 129, 8192, 8193, 20000, kCotsPerMessage + 300};
  std::vector<Bytes> choices;
  std::vector<std::vector<Block>> q;
  std::vector<std::vector<Block>> t;
  for (const std::size_t size : sizes) {
    choices.emplace_back((size + 7) / 8);
    prng.fill(std::span<std::uint8_t>(choices.back()));
    q.emplace_back(size);
    t.emplace_back(size);
  }
  Block delta{};
  run_two(
      channels,
      [&] {
        Prng own(test_seed(1));
        CotSender sender(*channels.client, kMessages, own);
        delta = sender.delta();
        for (auto& part : q) sender.extend(*channels.client, part);
      },
      [&] {
        Prng own(test_seed(2));
        CotReceiver receiver(*channels.server, kMessages, own);
        for (std::size_t i = 0; i < t.size(); ++i) receiver.extend(*channels.server, choices[i], t[i]);
      });
  EXPECT_EQ(low_bit(delta), 1u);
  std::uint64_t bytes = 0;
  std::uint64_t ones = 0;
  std::uint64_t total = 0;
  for (std::size_t part = 0; part < sizes.size(); ++part) {
    bytes += cot_bytes(kCotTile) + cot_bytes(sizes[part]);
    for (std::size_t i = 0; i < sizes[part]; ++i) {
      const std::uint64_t choice = (choices[part][i / 8] >> (i % 8)) & 1;
      ASSERT_EQ(t[part][i], q[part][i] ^ (mask_of(choice) & delta)) << part << " " << i;
      ones += static_cast<std::uint64_t>(__builtin_popcountll(q[part][i].lo) +
                                         __builtin_popcountll(q[part][i].hi));
      total += 128;
    }
  }
  EXPECT_EQ(channels.server->sent_bytes(3), bytes);
  EXPECT_EQ(channels.client->sent_bytes(3), 0u);
  // q is pseudorandom: bits balanced within six standard deviations, and no block comes twice.
  EXPECT_LT(std::abs(static_cast<double>(ones) - static_cast<double>(total) / 2),
            6 * std::sqrt(static_cast<double>(total)) / 2);
  EXPECT_NE(q[3][0], q[4][0]);
}

TEST(Cot, ColumnsHideTheChoices) {
  // The same seeds with choices 0 and 1: each message is balanced, whatever the choices.
  for (const std::uint8_t fill : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
    ChannelPair channels;
    std::vector<Block> t(1 << 14);
    const Bytes choices(t.size() / 8, fill);
    Bytes columns;
    run_two(
        channels,
        [&] {
          Prng own(test_seed(1));
          CotSender sender(*channels.client, kMessages, own);
          channels.client->receive_exactly(3, cot_bytes(kCotTile));
          columns = channels.client->receive_exactly(3, cot_bytes(t.size()));
          channels.client->receive_exactly(6, ColumnCheck::kMessageBytes);
        },
        [&] {
          Prng own(test_seed(2));
          CotReceiver receiver(*channels.server, kMessages, own);
          receiver.extend(*channels.server, choices, t);
        });
    double ones = 0;
    for (const std::uint8_t byte : columns) ones += __builtin_popcount(byte);
    const double bits = 8.0 * static_cast<double>(columns.size());
    EXPECT_LT(std::abs(ones - bits / 2), 6 * std::sqrt(bits) / 2);
  }
}

TEST(Cot, WrongColumnSizesAreRefused) {
  ChannelPair channels;
  ErrorCode code = ErrorCode::internal;
  run_two(
      channels,
      [&] {
        Prng own(test_seed(1));
        CotSender sender(*channels.client, kMessages, own);
        std::vector<Block> q(128);
        try {
          sender.extend(*channels.client, q);
        } catch (const Error& error) {
          code = error.code();
        }
      },
      [&] {
        Prng own(test_seed(2));
        CotReceiver receiver(*channels.server, kMessages, own);
        channels.server->send(3, Bytes(cot_bytes(kCotTile)));
        channels.server->send(3, Bytes(cot_bytes(128) - 1));
      });
  EXPECT_EQ(code, ErrorCode::peer);
}

TEST(Cot, TranscriptIsFrozen) {
  ChannelPair channels;
  std::vector<Block> q(1000);
  std::vector<Block> t(1000);
  Bytes choices(125);
  for (std::size_t i = 0; i < choices.size(); ++i) choices[i] = static_cast<std::uint8_t>(37 * i);
  run_two(
      channels,
      [&] {
        Prng own(test_seed(11));
        CotSender(*channels.client, kMessages, own).extend(*channels.client, q);
      },
      [&] {
        Prng own(test_seed(12));
        CotReceiver(*channels.server, kMessages, own).extend(*channels.server, choices, t);
      });
  EXPECT_EQ(channels.client->sent_hash(), "25216e19d932c2d6a2b525a54f4b9681");
  EXPECT_EQ(channels.server->sent_hash(), "fa19ad45d6263ddefb5b873e95977b93");
}

}  // namespace
}  // namespace ap::mpc
