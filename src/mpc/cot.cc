#include "mpc/cot.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "mpc/transpose.h"

namespace ap::mpc {
namespace {

/// Transfers made at a time: the matrix then stays in the second-level cache.
constexpr std::size_t kBlockCots = std::size_t{1} << 13;
/// Columns one task fills.
constexpr std::size_t kColumnsPerTask = 32;

/// The working matrix: 128 columns, each padded so that their starts fall into different cache sets.
class Columns {
 public:
  Columns() : bytes_(kCotColumns * kStride) {}
  std::uint8_t* column(std::size_t j) { return bytes_.data() + j * kStride; }

  /// The first `count` rows; count need not be a whole number of tiles.
  void rows(std::span<Block> out) {
    const std::size_t tiles = out.size() / kCotTile;
    transpose_columns(bytes_.data(), kStride, tiles, out.data());
    if (const std::size_t rest = out.size() % kCotTile) {
      SecretVector<Block> tile(kCotTile);
      transpose_columns(bytes_.data() + 16 * tiles, kStride, 1, tile.data());
      std::copy_n(tile.begin(), rest, out.end() - static_cast<std::ptrdiff_t>(rest));
    }
  }

 private:
  static constexpr std::size_t kStride = kBlockCots / 8 + 64;
  SecretVector<std::uint8_t> bytes_;
};

std::size_t round_up_to_tile(std::size_t count) { return (count + kCotTile - 1) / kCotTile * kCotTile; }

void count_use(std::uint64_t& used, std::size_t count) {
  if (count > kMaxCots - used) {
    fail_security("One session may use at most {} oblivious transfers; start a new session.", kMaxCots);
  }
  used += count;
}

void for_columns(const std::function<void(std::size_t)>& body) {
  parallel_for(kCotColumns / kColumnsPerTask, [&](std::size_t task) {
    for (std::size_t j = task * kColumnsPerTask; j < (task + 1) * kColumnsPerTask; ++j) body(j);
  });
}

void xor_bytes(std::uint8_t* out, const std::uint8_t* a, std::uint8_t mask, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(out[i] ^ (a[i] & mask));
}

}  // namespace

CotSender::CotSender(net::Channel& channel, const CotMessages& messages, Prng& prng)
    : messages_(messages), secret_(1) {
  std::uint64_t words[2];
  prng.fill(std::span<std::uint64_t>(words));
  secret_[0] = {words[0] | 1, words[1]};
  wipe(words, sizeof words);
  SecretVector<std::uint8_t> choices(kCotColumns);
  for (std::size_t j = 0; j < kCotColumns; ++j) {
    choices[j] = static_cast<std::uint8_t>(((j < 64 ? delta().lo : delta().hi) >> (j % 64)) & 1);
  }
  const auto seeds = base_ot_receive(channel, messages.base, prng, choices);
  for (const Seed& seed : seeds) columns_.emplace_back(seed);
}

void CotSender::extend(net::Channel& channel, std::span<Block> q) {
  count_use(used_, q.size());
  Columns matrix;
  while (!q.empty()) {
    const std::size_t in_message = std::min(q.size(), kCotsPerMessage);
    const Bytes message = channel.receive_exactly(messages_.columns, cot_bytes(in_message));
    const std::uint8_t* at = message.data();
    for (std::size_t done = 0; done < in_message; done += kBlockCots) {
      const std::size_t now = std::min(in_message - done, kBlockCots);
      const std::size_t bytes = round_up_to_tile(now) / 8;
      for_columns([&](std::size_t j) {
        const std::uint64_t half = j < 64 ? delta().lo : delta().hi;
        columns_[j].fill(std::span<std::uint8_t>(matrix.column(j), bytes));
        xor_bytes(matrix.column(j), at + j * bytes, static_cast<std::uint8_t>(0 - ((half >> (j % 64)) & 1)),
                  bytes);
      });
      matrix.rows(q.subspan(done, now));
      at += kCotColumns * bytes;
    }
    q = q.subspan(in_message);
  }
}

CotReceiver::CotReceiver(net::Channel& channel, const CotMessages& messages, Prng& prng)
    : messages_(messages) {
  const auto pairs = base_ot_send(channel, messages.base, prng, kCotColumns);
  for (const SeedPair& pair : pairs) {
    zero_columns_.emplace_back(pair[0]);
    one_columns_.emplace_back(pair[1]);
  }
}

void CotReceiver::extend(net::Channel& channel, ByteView choices, std::span<Block> t) {
  AP_ASSERT(choices.size() == (t.size() + 7) / 8);
  count_use(used_, t.size());
  Columns matrix;
  while (!t.empty()) {
    const std::size_t in_message = std::min(t.size(), kCotsPerMessage);
    Bytes message(cot_bytes(in_message));
    std::uint8_t* at = message.data();
    for (std::size_t done = 0; done < in_message; done += kBlockCots) {
      const std::size_t now = std::min(in_message - done, kBlockCots);
      const std::size_t bytes = round_up_to_tile(now) / 8;
      const std::uint8_t* choice = choices.data() + done / 8;
      const std::size_t choice_bytes = (now + 7) / 8;  // what is padded up to a tile has choice 0
      for_columns([&](std::size_t j) {
        std::uint8_t* u = at + j * bytes;
        zero_columns_[j].fill(std::span<std::uint8_t>(matrix.column(j), bytes));
        one_columns_[j].fill(std::span<std::uint8_t>(u, bytes));
        xor_bytes(u, matrix.column(j), 0xff, bytes);
        xor_bytes(u, choice, 0xff, choice_bytes);
      });
      matrix.rows(t.subspan(done, now));
      at += kCotColumns * bytes;
    }
    channel.send(messages_.columns, message);
    t = t.subspan(in_message);
    choices = choices.subspan((in_message + 7) / 8);
  }
}

}  // namespace ap::mpc
