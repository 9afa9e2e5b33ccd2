#include "mpc/ot/random_ot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

constexpr SilentCotMessages kMessages{{{1, 2}, 5, 3, 6, 7}, 4, {8, 9}};

template <typename Sender, typename Receiver>
void with_ots(std::uint8_t seed, const Sender& sender, const Receiver& receiver) {
  ChannelPair channels;
  run_two(
      channels,
      [&] {
        Prng prng(test_seed(seed), 1);
        SilentCotSender cots(*channels.client, kMessages, test_session(), prng);
        RandomOtSender ots(*channels.client, cots);
        sender(ots, *channels.client);
      },
      [&] {
        Prng prng(test_seed(seed), 2);
        SilentCotReceiver cots(*channels.server, kMessages, test_session(), prng);
        RandomOtReceiver ots(*channels.server, cots);
        receiver(ots, *channels.server);
      });
}

std::span<const Block> slice(const std::vector<Block>& slices, std::size_t number, std::size_t tiles) {
  return std::span(slices).subspan(number * tiles, tiles);
}

std::uint64_t index_at(const std::vector<Block>& index, int w, std::size_t tiles, std::size_t instance) {
  std::uint64_t value = 0;
  for (int i = 0; i < w; ++i)
    value |= bit_of(slice(index, static_cast<std::size_t>(i), tiles), instance) << i;
  return value;
}

TEST(OtTools, TablesAgreeAtTheIndexOnly) {
  for (const auto& [w, outputs, tiles] :
       {std::array{1, 1, 1}, {1, 4, 3}, {2, 3, 17}, {3, 2, 20}, {4, 4, 33}, {4, 1, 16}}) {
    const auto count = static_cast<std::size_t>(tiles);
    const std::size_t entries = std::size_t{1} << w;
    const auto bits = static_cast<std::size_t>(outputs);
    std::vector<Block> tables(bits * entries * count);
    std::vector<Block> index(static_cast<std::size_t>(w) * count);
    std::vector<Block> strings(bits * count);
    with_ots(
        5, [&](RandomOtSender& ots, net::Channel&) { ots.tables(w, outputs, count, tables); },
        [&](RandomOtReceiver& ots, net::Channel&) { ots.tables(w, outputs, count, index, strings); });
    std::vector<double> hits(entries);
    double agree = 0;
    double others = 0;
    for (std::size_t i = 0; i < count * kTile; ++i) {
      const std::uint64_t at = index_at(index, w, count, i);
      ++hits[at];
      for (std::size_t e = 0; e < bits; ++e) {
        const std::uint64_t mine = bit_of(slice(strings, e, count), i);
        ASSERT_EQ(mine, bit_of(slice(tables, e * entries + at, count), i));
        for (std::size_t j = 0; j < entries; ++j) {
          if (j == at) continue;
          agree += mine == bit_of(slice(tables, e * entries + j, count), i);
          ++others;
        }
      }
    }
    // The other entries agree half of the time, and all indices are equally frequent.
    EXPECT_LT(std::abs(agree - others / 2), 6 * std::sqrt(others * static_cast<double>(entries)) / 2);
    const double mean = static_cast<double>(count * kTile) / static_cast<double>(entries);
    for (const double hit : hits) EXPECT_LT(std::abs(hit - mean), 6 * std::sqrt(mean));
  }
}

TEST(OtTools, LookupsAgreeAtTheIndexOnly) {
  for (const auto& [w, bits, count] : {std::array{1, 1, 7},
                                       {2, 3, 300},
                                       {5, 3, 2100},
                                       {6, 4, 2048},
                                       {7, 5, 130},
                                       {8, 16, 200},
                                       {8, 8, 129}}) {
    const auto instances = static_cast<std::size_t>(count);
    const std::size_t entries = std::size_t{1} << w, blocks = lookup_blocks(w, bits);
    std::vector<Block> pads(instances * blocks);
    std::vector<std::uint64_t> index(instances), strings(instances);
    with_ots(
        7, [&, w = w, bits = bits](RandomOtSender& ots, net::Channel&) { ots.lookups(w, bits, pads); },
        [&, w = w, bits = bits](RandomOtReceiver& ots, net::Channel&) {
          ots.lookups(w, bits, index, strings);
        });
    double agree = 0, others = 0;
    for (std::size_t i = 0; i < instances; ++i) {
      ASSERT_LT(index[i], entries);
      for (std::size_t j = 0; j < entries; ++j) {
        for (std::size_t b = 0; b < static_cast<std::size_t>(bits); ++b) {
          const std::size_t at = j * static_cast<std::size_t>(bits) + b;
          const Block& block = pads[i * blocks + at / 128];
          const std::uint64_t theirs = ((at % 128 < 64 ? block.lo : block.hi) >> (at % 64)) & 1;
          const bool same = theirs == (strings[i] >> b & 1);
          if (j == index[i]) {
            ASSERT_TRUE(same);
          } else {
            agree += same;
            ++others;
          }
        }
      }
    }
    EXPECT_LT(std::abs(agree - others / 2), 6 * std::sqrt(others * static_cast<double>(entries)) / 2);
  }
}

TEST(OtTools, EntriesRotateAndAreTaken) {
  for (const auto& [w, bits] : {std::array{1, 1}, {3, 3}, {4, 16}, {5, 7}, {6, 4}, {8, 16}}) {
    const std::size_t entries = std::size_t{1} << w;
    for (std::size_t by = 0; by < entries; ++by) {
      EntryArray array{};
      for (std::size_t j = 0; j < 2 * entries; ++j) {
        const std::uint64_t value = (j % entries * 40503 + 77) & ((1U << bits) - 1);
        for (std::size_t b = 0; b < static_cast<std::size_t>(bits); ++b) {
          const std::size_t at = j * static_cast<std::size_t>(bits) + b;
          array[at / 64] |= (value >> b & 1) << at % 64;
        }
      }
      rotate_entries(array.data(), w, bits, by);
      const std::size_t wanted = (by * 7 + 3) % entries;
      EXPECT_EQ(take_entry(array.data(), w, bits, wanted),
                ((wanted + by) % entries * 40503 + 77) & ((1U << bits) - 1));
    }
  }
}

TEST(OtTools, ChosenTransferByDerandomisation) {
  // 1-of-16 transfer of chosen bits: the receiver reveals x xor index, the sender sends its permuted
  // messages.
  constexpr int kWidth = 4;
  constexpr std::size_t kTiles = 5;
  constexpr std::size_t kEntries = 16;
  Prng prng(test_seed(6));
  std::vector<Block> messages(kEntries * kTiles);
  std::vector<Block> choices(kWidth * kTiles);
  for (Block& block : messages) block = {prng.next64(), prng.next64()};
  for (Block& block : choices) block = {prng.next64(), prng.next64()};
  std::vector<Block> received(kTiles);
  const auto as_bytes = [](const std::vector<Block>& blocks) {
    Bytes bytes(blocks.size() * sizeof(Block));
    std::memcpy(bytes.data(), blocks.data(), bytes.size());
    return bytes;
  };
  with_ots(
      7,
      [&](RandomOtSender& ots, net::Channel& channel) {
        std::vector<Block> tables(kEntries * kTiles);
        ots.tables(kWidth, 1, kTiles, tables);
        const Bytes reply = channel.receive_exactly(9, kWidth * kTiles * sizeof(Block));
        for (std::size_t tile = 0; tile < kTiles; ++tile) {
          Block entries[kEntries];
          Block index[kWidth];
          for (std::size_t j = 0; j < kEntries; ++j) entries[j] = messages[j * kTiles + tile];
          for (std::size_t i = 0; i < kWidth; ++i)
            index[i] = load_block(reply.data() + (i * kTiles + tile) * 16);
          permute_entries(entries, kWidth, index);
          for (std::size_t j = 0; j < kEntries; ++j) tables[j * kTiles + tile] ^= entries[j];
        }
        channel.send(8, as_bytes(tables));
      },
      [&](RandomOtReceiver& ots, net::Channel& channel) {
        std::vector<Block> index(kWidth * kTiles);
        ots.tables(kWidth, 1, kTiles, index, received);
        std::vector<Block> masked = choices;
        for (std::size_t i = 0; i < masked.size(); ++i) masked[i] ^= index[i];
        channel.send(9, as_bytes(masked));
        const Bytes sent = channel.receive_exactly(8, kEntries * kTiles * sizeof(Block));
        for (std::size_t tile = 0; tile < kTiles; ++tile) {
          Block entries[kEntries];
          Block at[kWidth];
          for (std::size_t j = 0; j < kEntries; ++j)
            entries[j] = load_block(sent.data() + (j * kTiles + tile) * 16);
          for (std::size_t i = 0; i < kWidth; ++i) at[i] = index[i * kTiles + tile];
          received[tile] ^= select_entry(entries, kWidth, at);
        }
      });
  for (std::size_t i = 0; i < kTiles * kTile; ++i) {
    const std::uint64_t x = index_at(choices, kWidth, kTiles, i);
    ASSERT_EQ(bit_of(received, i), bit_of(slice(messages, x, kTiles), i)) << i;
  }
}

TEST(OtTools, BitsAreSharesOfProducts) {
  constexpr std::size_t kTiles = 37;
  constexpr int kOutputs = 3;
  std::vector<Block> d(kOutputs * kTiles), mine(d.size()), theirs(d.size()), choices(kTiles);
  with_ots(
      8, [&](RandomOtSender& ots, net::Channel&) { ots.bits(kOutputs, kTiles, d, mine); },
      [&](RandomOtReceiver& ots, net::Channel&) { ots.bits(kOutputs, kTiles, choices, theirs); });
  for (std::size_t e = 0; e < kOutputs; ++e) {
    for (std::size_t i = 0; i < kTiles; ++i) {
      ASSERT_EQ(mine[e * kTiles + i] ^ theirs[e * kTiles + i], d[e * kTiles + i] & choices[i]);
    }
  }
  EXPECT_NE(d[0], d[kTiles]);
}

template <typename Word>
void expect_shares_of_products(int width) {
  const std::size_t count = 128 * 20 + 7;
  std::vector<Word> d(count), mine(count), theirs(count);
  std::vector<Block> choices(tiles_of(count));
  with_ots(
      9, [&](RandomOtSender& ots, net::Channel&) { ots.words(width, std::span(d), std::span(mine)); },
      [&](RandomOtReceiver& ots, net::Channel&) { ots.words(width, choices, std::span(theirs)); });
  const std::uint64_t mask = ~std::uint64_t{0} >> (64 - width);
  for (std::size_t i = 0; i < count; ++i) {
    ASSERT_EQ((std::uint64_t{mine[i]} + theirs[i]) & mask, d[i] * bit_of(choices, i)) << width;
    ASSERT_LE(d[i], mask) << width;
  }
}

TEST(OtTools, WordsAreSharesOfProducts) {
  for (const int width : {1, 9, 18, 40, 64}) expect_shares_of_products<std::uint64_t>(width);
  for (const int width : {1, 9, 18, 31, 32}) expect_shares_of_products<std::uint32_t>(width);
}

TEST(OtTools, SlicesHoldTheBitsOfTheWords) {
  Prng prng(test_seed(10));
  std::vector<std::uint64_t> words(300);
  for (std::uint64_t& word : words) word = prng.next64();
  const std::size_t tiles = tiles_of(words.size());
  std::vector<Block> slices(11 * tiles);
  slice_words(words, 5, 11, slices);
  for (std::size_t i = 0; i < tiles * kTile; ++i) {
    for (std::size_t bit = 0; bit < 11; ++bit) {
      ASSERT_EQ(bit_of(slice(slices, bit, tiles), i), i < words.size() ? (words[i] >> (5 + bit)) & 1 : 0);
    }
  }
}

}  // namespace
}  // namespace ap::mpc
