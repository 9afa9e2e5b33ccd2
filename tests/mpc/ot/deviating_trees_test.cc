// Senders of silent OTs that corrupt their trees: what they learn without the check, and that with it
// they pass only with the positions they have guessed (docs/deviating-parties.md).
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "mpc/ot/failed_check.h"
#include "mpc/ot/ggm.h"
#include "mpc/ot/silent_cot.h"
#include "tests/mpc/tampering_channel.h"
#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

constexpr int kDepth = 6;
constexpr std::size_t kLeaves = std::size_t{1} << kDepth;
constexpr Block kAllButLowest{~std::uint64_t{1}, ~std::uint64_t{0}};

std::vector<Block> random_blocks(std::size_t count, std::uint8_t seed) {
  std::vector<Block> blocks(count);
  Prng prng(test_seed(seed));
  prng.fill(std::span(reinterpret_cast<std::uint8_t*>(blocks.data()), count * sizeof(Block)));
  return blocks;
}

/// One tree of a sender, whose corrections may be changed, and what a receiver makes of it.
struct Tree {
  Tree(std::uint8_t seed, const Block& d)
      : delta(d), cots(random_blocks(kDepth, seed)), corrections(kDepth * 16) {
    Block sums[kMaxGgmDepth];
    leaves.resize(kLeaves);
    ggm_expand(pi, random_blocks(1, static_cast<std::uint8_t>(seed + 100))[0], delta, kDepth, sums,
               leaves.data());
    for (Block& leaf : leaves) leaf = leaf & kAllButLowest;
    for (std::size_t level = 0; level < kDepth; ++level) {
      cots[level] = cots[level] & kAllButLowest;
      store_block(corrections.data() + 16 * level, sums[level] ^ cots[level]);
    }
  }

  void corrupt(std::size_t level, const Block& error) {
    store_block(corrections.data() + 16 * level, load_block(corrections.data() + 16 * level) ^ error);
  }

  /// The leaves of a receiver whose position is ~sides.
  std::vector<Block> received(std::uint32_t sides) const {
    Block sums[kMaxGgmDepth];
    for (std::size_t level = 0; level < kDepth; ++level) {
      const Block cot = cots[level] ^ (mask_of((sides >> level) & 1) & delta);
      sums[level] = load_block(corrections.data() + 16 * level) ^ cot;
    }
    std::vector<Block> out(kLeaves);
    ggm_puncture(pi, sides, sums, kDepth, out.data(), kAllButLowest, {1, 0});
    return out;
  }

  /// The sender's leaves that would be right for this receiver.
  std::vector<Block> fitting(std::uint32_t sides) const {
    std::vector<Block> out = received(sides);
    out[~sides & (kLeaves - 1)] ^= delta;
    return out;
  }

  Permutation pi{Block{3, 5}};
  Block delta;
  std::vector<Block> cots, leaves;
  Bytes corrections;
};

Block test_delta() {
  Block delta = random_blocks(1, 77)[0];
  delta.lo |= 1;
  return delta;
}

/// Compares trees of which the sender believes that they have these leaves; sides: the receiver's.
bool caught(const std::vector<Tree>& trees, const std::vector<std::vector<Block>>& believed,
            const std::vector<std::uint32_t>& sides) {
  const Block delta = test_delta();
  auto [sender_end, receiver_end] = net::make_local_channels();
  TreeCheckSender sender({1, 2}, SessionKey());
  TreeCheckReceiver receiver({1, 2}, SessionKey());
  sender.announce(trees.size());
  receiver.announce(trees.size());
  for (std::size_t i = 0; i < trees.size(); ++i) {
    sender.add(i, trees[i].corrections, believed[i]);
    receiver.add(i, trees[i].corrections, sides[i], trees[i].received(sides[i]));
  }
  std::vector<Block> y = random_blocks(TreeCheck::kCots, 50), z;
  for (std::size_t i = 0; i < y.size(); ++i) {
    y[i] = y[i] & kAllButLowest;
    z.push_back(y[i] ^ (mask_of(i % 3 == 1) & delta));
  }
  Prng prng(test_seed(51));
  receiver.open(*receiver_end, z, prng);
  sender.answer(*sender_end, delta, y);
  EXPECT_EQ(sender.pending(), 0u);
  EXPECT_EQ(receiver.pending(), 0u);
  try {
    receiver.close(*receiver_end);
  } catch (const FailedCheck& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
    return true;
  }
  return false;
}

TEST(DeviatingTrees, HonestTreesPassAtEveryPosition) {
  const Tree first(1, test_delta()), second(2, test_delta());
  for (std::uint32_t sides = 0; sides < kLeaves; ++sides) {
    EXPECT_FALSE(caught({first, second}, {first.leaves, second.leaves}, {sides, sides ^ 0x15})) << sides;
  }
}

TEST(DeviatingTrees, WithoutTheCheckTheRowsTellTheHalf) {
  // A wrong sum of level 1: the receiver has garbage in the half of the bin where its position is, and only
  // there. Whoever learns whether one row is right then knows a bit of the position.
  Tree tree(3, test_delta());
  tree.corrupt(1, {0xdeadbeef00, 0});
  for (std::uint32_t sides = 0; sides < kLeaves; ++sides) {
    const std::uint32_t position = ~sides & (kLeaves - 1);
    const std::vector<Block> rows = tree.received(sides);
    for (std::uint32_t i = 0; i < kLeaves; ++i) {
      if (i == position) continue;
      EXPECT_EQ(rows[i] == tree.leaves[i], (i & 1) != (position & 1)) << sides << " " << i;
    }
  }
}

TEST(DeviatingTrees, ACorruptedTreePassesAtTheGuessedPositionsOnly) {
  for (std::size_t level = 1; level < kDepth; ++level) {
    Tree tree(static_cast<std::uint8_t>(4 + level), test_delta());
    tree.corrupt(level, {0x123400, 0x77});
    // A sender that goes by its own tree is caught at every position.
    const std::uint32_t guess = 0x2b;
    const std::vector<Block> believed = tree.fitting(guess);
    std::size_t passed = 0;
    for (std::uint32_t sides = 0; sides < kLeaves; ++sides) {
      EXPECT_TRUE(caught({tree}, {tree.leaves}, {sides})) << level << " " << sides;
      const bool refused = caught({tree}, {believed}, {sides});
      // What passes has the believed leaves: afterwards nothing depends on the position.
      EXPECT_EQ(refused, tree.fitting(sides) != believed) << level << " " << sides;
      passed += !refused;
    }
    EXPECT_GE(passed, 1u);
    EXPECT_LE(passed, kLeaves / 4) << level;
  }
}

TEST(DeviatingTrees, TreesDoNotMakeUpForEachOther) {
  Tree first(20, test_delta()), second(21, test_delta());
  const Block error{0x1000, 0x2000};
  first.corrupt(kDepth - 1, error);
  second.corrupt(kDepth - 1, error);
  std::size_t passed = 0;
  const std::vector<std::vector<Block>> believed = {first.fitting(9), second.fitting(9)};
  for (std::uint32_t sides = 0; sides < kLeaves; ++sides) {
    // Equal errors at equal positions, with coefficients of their own: nothing cancels.
    const bool fits = first.fitting(sides) == believed[0] && second.fitting(sides) == believed[1];
    EXPECT_EQ(caught({first, second}, believed, {sides, sides}), !fits) << sides;
    passed += fits;
  }
  EXPECT_GE(passed, 1u);
}

TEST(DeviatingTrees, AnotherDeltaInATreeIsCaught) {
  // The first level's correction makes the sum of all leaves Delta whatever it holds, so a tree under another
  // one is a tree with wrong sums.
  Block other = test_delta();
  other.hi ^= 8;
  Tree wrong(22, other);
  wrong.delta = test_delta();
  const Tree right(23, test_delta());
  for (std::uint32_t sides = 0; sides < kLeaves; sides += 7) {
    EXPECT_TRUE(caught({right, wrong}, {right.leaves, wrong.leaves}, {sides, sides}));
  }
}

constexpr SilentCotMessages kMessages{{{1, 2}, 5, 3, 6, 7}, 4, {8, 9}};

/// Draws `count` transfers and, if that passes, checks; returns whether the receiver refused, and after how
/// many draws of 2^14.
std::pair<bool, std::size_t> stream_caught(std::size_t count, net::MessageType type, int which) {
  ChannelPair channels;
  bool refused = false;
  std::size_t drawn = 0;
  constexpr std::size_t kPart = std::size_t{1} << 14;
  try {
    run_two(
        channels,
        [&] {
          TamperingChannel channel(*channels.client,
                                   [&, left = which](net::MessageType sent, Bytes& bytes) mutable {
                                     if (sent == type && left-- == 0) bytes[bytes.size() / 2] ^= 0x20;
                                   });
          Prng prng(test_seed(60), 1);
          SilentCotSender sender(channel, kMessages, SessionKey(), prng);
          SecretVector<Block> out(kPart);
          for (std::size_t at = 0; at < count; at += kPart) sender.extend(channel, out);
          sender.answer_check(channel);
        },
        [&] {
          Prng prng(test_seed(60), 2);
          SilentCotReceiver receiver(*channels.server, kMessages, SessionKey(), prng);
          SecretVector<Block> out(kPart);
          try {
            for (; drawn < count; drawn += kPart) receiver.extend(*channels.server, out);
            receiver.open_check(*channels.server);
            receiver.close_check(*channels.server);
          } catch (const FailedCheck&) {
            refused = true;
            throw;
          }
        });
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::peer);
  }
  return {refused, drawn};
}

TEST(DeviatingTrees, AStreamWithAWrongCorrectionEndsAtTheCheck) {
  EXPECT_EQ(stream_caught(50'000, kMessages.trees, -1), (std::pair<bool, std::size_t>{false, 65536}));
  EXPECT_EQ(stream_caught(50'000, kMessages.trees, 1), (std::pair<bool, std::size_t>{true, 65536}));
  // The answer itself.
  EXPECT_EQ(stream_caught(50'000, kMessages.check.answer, 0), (std::pair<bool, std::size_t>{true, 65536}));
}

TEST(DeviatingTrees, AnIterationIsCheckedBeforeItSeedsTheNext) {
  const std::size_t gain = kSmallLpn.gain();
  const auto [refused, drawn] = stream_caught(600'000, kMessages.trees, 2);
  EXPECT_TRUE(refused);
  EXPECT_LE(drawn, gain);
  EXPECT_GT(drawn + (std::size_t{1} << 14), gain);
}

}  // namespace
}  // namespace ap::mpc
