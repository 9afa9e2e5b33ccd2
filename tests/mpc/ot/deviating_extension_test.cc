// Receivers of the OT extension that deviate: each is caught unless it has guessed a part of Delta, exactly
// as often as docs/deviating-parties.md says.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "mpc/core/transpose.h"
#include "mpc/ot/column_check.h"
#include "mpc/ot/cot.h"
#include "mpc/ot/failed_check.h"
#include "mpc/ot/leaf_check.h"
#include "mpc/ot/pprf.h"
#include "tests/mpc/tampering_channel.h"
#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

constexpr CotMessages kMessages{{1, 2}, 4, 3, 5, 6};

/// Digit `digit` of the Delta that the sender below draws.
std::uint32_t digit_of(const Block& delta, std::size_t digit) {
  const std::size_t bit = digit * kCotFieldBits;
  return static_cast<std::uint32_t>((bit < 64 ? delta.lo : delta.hi) >> (bit % 64)) & (kCotStrings - 1);
}

Prng sender_prng() { return Prng(test_seed(31)); }

Block honest_delta() {
  static const Block delta = [] {
    Prng prng = sender_prng();
    std::uint64_t words[2];
    prng.fill(std::span<std::uint64_t>(words));
    return Block{words[0] | 1, words[1]};
  }();
  return delta;
}

/// Whether the sender's constructor refuses.
bool seeds_are_caught(const TamperingChannel::Tamper& tamper) {
  ChannelPair channels;
  bool caught = false;
  try {
    run_two(
        channels,
        [&] {
          Prng prng = sender_prng();
          try {
            const CotSender sender(*channels.client, kMessages, prng);
            EXPECT_EQ(sender.delta(), honest_delta());
          } catch (const FailedCheck& error) {
            EXPECT_EQ(error.code(), ErrorCode::peer);
            caught = true;
            channels.client->close();
          }
        },
        [&] {
          TamperingChannel channel(*channels.server, tamper);
          Prng prng(test_seed(32));
          CotReceiver receiver(channel, kMessages, prng);
        });
  } catch (const Error&) {
    EXPECT_TRUE(caught) << "not a failed check";
  }
  return caught;
}

TEST(DeviatingExtension, HonestSeedsPass) {
  EXPECT_FALSE(seeds_are_caught([](net::MessageType, Bytes&) {}));
}

TEST(DeviatingExtension, AWrongSeedIsCaughtOrItsSideWasGuessed) {
  // Selective failure: one of the two corrections of one level is wrong, so the sender has wrong leaves only
  // if its base choice takes that side, which is the complement of a bit of Delta.
  int caught_count = 0, count = 0;
  for (std::size_t digit : {0, 1, 7, 30, 31}) {
    for (std::size_t level = 0; level < kCotFieldBits; ++level) {
      const std::size_t side = (digit + level) % 2;
      const bool caught = seeds_are_caught([&](net::MessageType type, Bytes& bytes) {
        if (type != kMessages.trees) return;
        bytes[digit * pprf_bytes(1, kCotFieldBits) + (2 * level + side) * sizeof(Seed) + 5] ^= 0x40;
      });
      const std::uint32_t bit = (digit_of(honest_delta(), digit) >> (kCotFieldBits - 1 - level)) & 1;
      EXPECT_EQ(caught, (bit ^ 1) == side) << digit << " " << level;
      caught_count += caught;
      ++count;
    }
  }
  EXPECT_GT(caught_count, 0);
  EXPECT_LT(caught_count, count);
}

TEST(DeviatingExtension, AWrongProofIsAlwaysCaught) {
  const std::size_t start = pprf_bytes(kCotDigits, kCotFieldBits);
  for (const std::size_t at :
       {start, start + 17 * sizeof(Seed) + 3, start + leaf_proof_bytes(kCotDigits) - 1}) {
    EXPECT_TRUE(seeds_are_caught([&](net::MessageType type, Bytes& bytes) {
      if (type == kMessages.trees) bytes[at] ^= 1;
    }));
  }
}

TEST(DeviatingExtension, ASenderWithoutItsLeavesIsCaught) {
  ChannelPair channels;
  bool caught = false;
  run_two(
      channels,
      [&] {
        TamperingChannel channel(*channels.client, [](net::MessageType type, Bytes& bytes) {
          if (type == kMessages.answer) bytes[31] ^= 0x80;
        });
        Prng prng = sender_prng();
        CotSender sender(channel, kMessages, prng);
      },
      [&] {
        Prng prng(test_seed(32));
        try {
          CotReceiver receiver(*channels.server, kMessages, prng);
        } catch (const FailedCheck&) {
          caught = true;
        }
      });
  EXPECT_TRUE(caught);
}

/// A receiver written out for one tile of transfers, which may use other choices for one of the digits and
/// then claims what is right if that digit of Delta is `guess`.
struct Deviation {
  std::size_t digit = 0;
  Block change{0, 0};  ///< choices of that digit xor those of the others
  std::uint32_t guess = 0;
  Block mask_change{0, 0};  ///< the same of the mask's choices, about which the receiver claims nothing
};

constexpr std::size_t kTileBytes = kCotTile / 8;

void deviating_receiver(net::Channel& channel, const Block& choices,
                        const std::optional<Deviation>& deviation, std::array<Block, kCotColumns>& columns) {
  Prng prng(test_seed(33));
  const auto pairs = base_ot_send(channel, kMessages.base, prng, kCotColumns);
  Bytes trees(pprf_bytes(kCotDigits, kCotFieldBits));
  LeafTags tags(kCotDigits, kCotStrings);
  std::vector<std::array<Block, kCotStrings>> mask(kCotDigits), data(kCotDigits);
  SecretVector<Seed> leaves(kCotStrings);
  for (std::size_t digit = 0; digit < kCotDigits; ++digit) {
    Seed root;
    prng.fill(std::span<std::uint8_t>(root));
    pprf_expand(root, kCotFieldBits, std::span(pairs).subspan(digit * kCotFieldBits, kCotFieldBits), leaves,
                trees.data() + digit * pprf_bytes(1, kCotFieldBits));
    tags.set(digit, leaves);
    for (std::size_t x = 0; x < kCotStrings; ++x) {
      Prng string(leaves[x]);
      std::uint8_t bytes[kTileBytes];
      string.fill(std::span<std::uint8_t>(bytes));
      mask[digit][x] = load_block(bytes);
      string.fill(std::span<std::uint8_t>(bytes));
      data[digit][x] = load_block(bytes);
    }
  }
  const Bytes proof = tags.proof();
  trees.insert(trees.end(), proof.begin(), proof.end());
  channel.send(kMessages.trees, trees);
  channel.receive_exactly(kMessages.answer, sizeof(Seed));

  const Block mask_choices{0x0123456789abcdef, 0xfedcba9876543210};
  Bytes mask_message(cot_bytes(kCotTile)), message(cot_bytes(kCotTile));
  std::array<Block, kCotColumns> mask_columns{};
  columns = {};
  for (std::size_t digit = 0; digit < kCotDigits; ++digit) {
    Block u_mask = mask_choices, u = choices;
    if (deviation && deviation->digit == digit) {
      u ^= deviation->change;
      u_mask ^= deviation->mask_change;
    }
    for (std::size_t x = 0; x < kCotStrings; ++x) {
      u_mask ^= mask[digit][x];
      u ^= data[digit][x];
      for (std::size_t bit = 0; bit < kCotFieldBits; ++bit) {
        mask_columns[digit * kCotFieldBits + bit] ^= mask[digit][x] & mask_of((x >> bit) & 1);
        columns[digit * kCotFieldBits + bit] ^= data[digit][x] & mask_of((x >> bit) & 1);
      }
    }
    store_block(mask_message.data() + digit * kTileBytes, u_mask);
    store_block(message.data() + digit * kTileBytes, u);
  }
  channel.send(kMessages.columns, mask_message);
  channel.send(kMessages.columns, message);
  ColumnCheck check(mask_message);
  const GfPowers point = check.point(message);
  check.choices() = mask_choices ^ ColumnCheck::hash(&choices, 1, point);
  for (std::size_t j = 0; j < kCotColumns; ++j) {
    // If the guess is right, the sender's column has the guess's bit times the change in it.
    if (deviation && deviation->digit == j / kCotFieldBits) {
      columns[j] ^= deviation->change & mask_of((deviation->guess >> (j % kCotFieldBits)) & 1);
    }
    check.column(j) = mask_columns[j] ^ ColumnCheck::hash(&columns[j], 1, point);
  }
  channel.send(kMessages.check, check.message());
}

/// An honest sender that extends q.size() transfers; whether its check fails.
bool sender_refuses(net::Channel& channel, std::span<Block> q) {
  Prng prng = sender_prng();
  CotSender sender(channel, kMessages, prng);
  try {
    sender.extend(channel, q);
  } catch (const FailedCheck&) {
    return true;
  }
  return false;
}

/// Whether the sender refuses; if not, its blocks must be what the receiver thinks they are.
bool columns_are_caught(const std::optional<Deviation>& deviation) {
  ChannelPair channels;
  const Block choices{0x5555aaaa33330f0f, 0x123456789};
  std::array<Block, kCotColumns> columns;
  std::vector<Block> q(kCotTile);
  bool caught = false;
  run_two(
      channels, [&] { caught = sender_refuses(*channels.client, q); },
      [&] { deviating_receiver(*channels.server, choices, deviation, columns); });
  if (!caught) {
    std::vector<Block> t(kCotTile);
    transpose_columns(reinterpret_cast<const std::uint8_t*>(columns.data()), kTileBytes, 1, t.data());
    for (std::size_t i = 0; i < kCotTile; ++i) {
      const std::uint64_t choice = ((i < 64 ? choices.lo : choices.hi) >> (i % 64)) & 1;
      EXPECT_EQ(t[i], q[i] ^ (mask_of(choice) & honest_delta())) << i;
    }
  }
  return caught;
}

TEST(DeviatingExtension, TheReceiverWrittenOutPasses) { EXPECT_FALSE(columns_are_caught(std::nullopt)); }

TEST(DeviatingExtension, OtherChoicesForADigitAreCaughtOrTheDigitWasGuessed) {
  // All guesses of one digit: one in 16 passes, and then the receiver knows all blocks.
  for (std::uint32_t guess = 0; guess < kCotStrings; ++guess) {
    EXPECT_EQ(columns_are_caught(Deviation{9, {1, 0}, guess}), guess != digit_of(honest_delta(), 9)) << guess;
  }
  // Wherever the change is, and however large.
  for (const std::size_t digit : {std::size_t{0}, std::size_t{15}, std::size_t{16}, kCotDigits - 1}) {
    const std::uint32_t right = digit_of(honest_delta(), digit);
    EXPECT_FALSE(columns_are_caught(Deviation{digit, {0, std::uint64_t{1} << 63}, right})) << digit;
    EXPECT_TRUE(columns_are_caught(Deviation{digit, {0, std::uint64_t{1} << 63}, right ^ 1})) << digit;
    EXPECT_TRUE(columns_are_caught(Deviation{digit, {~std::uint64_t{0}, ~std::uint64_t{0}}, right ^ 8}))
        << digit;
  }
}

TEST(DeviatingExtension, TheMaskDoesNotMakeUpForAChange) {
  // The same change of the choices in the mask and in the transfers: the mask is the constant term of the
  // hash, and no block of the transfers is. It passes where the digit is zero, and changes nothing there.
  const Block change{0x20, 0x400};
  for (std::size_t digit = 0; digit < kCotDigits; digit += 3) {
    EXPECT_EQ(columns_are_caught(Deviation{digit, change, 0, change}), digit_of(honest_delta(), digit) != 0)
        << digit;
  }
}

TEST(DeviatingExtension, AChangedColumnOrCheckIsCaught) {
  // Behind the channel the receiver is honest, so its check is about other columns than those that arrive.
  for (int which = 0; which < 3; ++which) {
    ChannelPair channels;
    bool caught = false;
    run_two(
        channels,
        [&] {
          std::vector<Block> q(20000);
          caught = sender_refuses(*channels.client, q);
        },
        [&] {
          int columns = 0;
          TamperingChannel channel(*channels.server, [&](net::MessageType type, Bytes& bytes) {
            if (type == kMessages.columns && columns++ == which) bytes[bytes.size() / 2] ^= 4;
            if (type == kMessages.check && which == 2) bytes.back() ^= 1;
          });
          Prng prng(test_seed(32));
          CotReceiver receiver(channel, kMessages, prng);
          std::vector<Block> t(20000);
          receiver.extend(channel, Bytes(2500), t);
        });
    EXPECT_TRUE(caught) << which;
  }
}

}  // namespace
}  // namespace ap::mpc
