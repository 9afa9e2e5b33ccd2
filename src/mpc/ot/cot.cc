#include "mpc/ot/cot.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/parallel.h"
#include "mpc/core/transpose.h"
#include "mpc/ot/column_check.h"
#include "mpc/ot/failed_check.h"
#include "mpc/ot/leaf_check.h"
#include "mpc/ot/pprf.h"

namespace ap::mpc {
namespace {

/// Transfers made at a time: the matrix then stays in the second-level cache.
constexpr std::size_t kBlockCots = std::size_t{1} << 14;
/// Digits one task makes.
constexpr std::size_t kDigitsPerTask = 8;

/// The working matrix: 128 columns, each padded so that their starts fall into different cache sets.
class Columns {
 public:
  Columns() : bytes_(kCotColumns * kStride) {}
  std::uint8_t* column(std::size_t j) { return bytes_.data() + j * kStride; }
  const Block* blocks(std::size_t j) { return reinterpret_cast<const Block*>(column(j)); }

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
    fail_security("one session may use at most {} oblivious transfers; start a new session", kMaxCots);
  }
  used += count;
}

void xor_bytes(std::uint8_t* out, const std::uint8_t* a, std::uint8_t mask, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(out[i] ^ (a[i] & mask));
}

/// Lets strings[y].fill the rows of a (strings x bytes) buffer and folds them: columns[b] = the sum of the
/// strings with bit b of y set, and the first row the sum of all. A string that is missing counts as zero.
void fold_strings(std::span<Prng> strings, std::size_t first, std::size_t bytes,
                  SecretVector<std::uint8_t>& rows, std::array<std::uint8_t*, kCotFieldBits> columns) {
  rows.resize(kCotStrings * bytes);
  const auto row = [&](std::size_t y) { return rows.data() + y * bytes; };
  if (first == 1) std::fill_n(rows.begin(), bytes, std::uint8_t{0});
  for (std::size_t y = first; y < kCotStrings; ++y)
    strings[y - first].fill(std::span<std::uint8_t>(row(y), bytes));
  // Highest bit first: the sum of the upper half is its column, and folded into the lower half keeps the
  // other bits.
  for (int bit = kCotFieldBits - 1; bit >= 0; --bit) {
    const std::size_t half = std::size_t{1} << bit;
    std::copy_n(row(half), bytes, columns[static_cast<std::size_t>(bit)]);
    for (std::size_t y = half + 1; y < 2 * half; ++y) {
      xor_bytes(columns[static_cast<std::size_t>(bit)], row(y), 0xff, bytes);
    }
    for (std::size_t y = 0; y < half; ++y) xor_bytes(row(y), row(half + y), 0xff, bytes);
  }
}

/// Makes all columns of one working block: body(digit, rows, columns) for each digit.
template <typename Body>
void for_digits(Columns& matrix, const Body& body) {
  parallel_for(kCotDigits / kDigitsPerTask, [&](std::size_t task) {
    SecretVector<std::uint8_t> rows;
    for (std::size_t digit = task * kDigitsPerTask; digit < (task + 1) * kDigitsPerTask; ++digit) {
      std::array<std::uint8_t*, kCotFieldBits> columns;
      for (std::size_t bit = 0; bit < columns.size(); ++bit) {
        columns[bit] = matrix.column(digit * kCotFieldBits + bit);
      }
      body(digit, rows, columns);
    }
  });
}

/// Adds the hashes of the columns' first `blocks` blocks of 128 bits.
void add_columns(Columns& matrix, std::size_t blocks, const GfPowers& point, ColumnCheck& check) {
  constexpr std::size_t kPerTask = kDigitsPerTask * kCotFieldBits;
  parallel_for(kCotColumns / kPerTask, [&](std::size_t task) {
    for (std::size_t j = task * kPerTask; j < (task + 1) * kPerTask; ++j) {
      check.column(j) ^= ColumnCheck::hash(matrix.blocks(j), blocks, point);
    }
  });
}

/// Adds the mask's tile.
void add_mask(Columns& matrix, ColumnCheck& check) {
  for (std::size_t j = 0; j < kCotColumns; ++j) check.column(j) ^= *matrix.blocks(j);
}

constexpr std::size_t kTreesBytes = pprf_bytes(kCotDigits, kCotFieldBits);

/// Bit j of Delta.
std::uint8_t bit_of_delta(const Block& delta, std::size_t j) {
  return static_cast<std::uint8_t>(((j < 64 ? delta.lo : delta.hi) >> (j % 64)) & 1);
}

/// The sender's columns of one working block; corrections: `bytes` bytes for each digit, as received.
void sender_columns(std::span<Prng> strings, const Block& delta, std::size_t bytes,
                    const std::uint8_t* corrections, Columns& matrix) {
  for_digits(matrix, [&](std::size_t digit, auto& rows, const auto& columns) {
    fold_strings(strings.subspan(digit * (kCotStrings - 1), kCotStrings - 1), 1, bytes, rows, columns);
    for (std::size_t bit = 0; bit < columns.size(); ++bit) {
      const auto mask = static_cast<std::uint8_t>(0 - bit_of_delta(delta, digit * kCotFieldBits + bit));
      xor_bytes(columns[bit], corrections + digit * bytes, mask, bytes);
    }
  });
}

/// The receiver's; writes the corrections. Rows beyond the choices, which fill up a tile, have choice 0.
void receiver_columns(std::span<Prng> strings, ByteView choices, std::size_t bytes, std::uint8_t* corrections,
                      Columns& matrix) {
  for_digits(matrix, [&](std::size_t digit, auto& rows, const auto& columns) {
    fold_strings(strings.subspan(digit * kCotStrings, kCotStrings), 0, bytes, rows, columns);
    std::uint8_t* correction = corrections + digit * bytes;
    std::copy_n(rows.data(), bytes, correction);
    xor_bytes(correction, choices.data(), 0xff, choices.size());
  });
}

}  // namespace

CotSender::CotSender(net::Channel& channel, const CotMessages& messages, Prng& prng)
    : messages_(messages), secret_(1) {
  std::uint64_t words[2];
  prng.fill(std::span<std::uint64_t>(words));
  secret_[0] = {words[0] | 1, words[1]};
  wipe(words, sizeof words);
  // Level l of a tree decides bit f - 1 - l of a digit; the transfer gives the side off the path.
  SecretVector<std::uint8_t> choices(kCotColumns);
  SecretVector<std::uint32_t> digits(kCotDigits);
  for (std::size_t j = 0; j < kCotColumns; ++j) {
    const std::size_t digit = j / kCotFieldBits, bit = kCotFieldBits - 1 - j % kCotFieldBits;
    const std::uint8_t value = bit_of_delta(delta(), digit * kCotFieldBits + bit);
    choices[j] = value ^ 1;
    digits[digit] |= static_cast<std::uint32_t>(value) << bit;
  }
  const auto keys = base_ot_receive(channel, messages.base, prng, choices);
  const Bytes trees = channel.receive_exactly(messages.trees, kTreesBytes + leaf_proof_bytes(kCotDigits));
  const ByteView proof = ByteView(trees).subspan(kTreesBytes);
  SecretVector<Seed> leaves(kCotStrings);
  LeafTags tags(kCotDigits, kCotStrings);
  for (std::size_t digit = 0; digit < kCotDigits; ++digit) {
    pprf_puncture(digits[digit], kCotFieldBits, std::span(keys).subspan(digit * kCotFieldBits, kCotFieldBits),
                  trees.data() + digit * pprf_bytes(1, kCotFieldBits), leaves);
    tags.set_punctured(digit, digits[digit], leaves, proof.data() + digit * sizeof(Seed));
    for (std::size_t y = 1; y < kCotStrings; ++y) strings_.emplace_back(leaves[y]);
  }
  if (!equal_bytes(tags.digest(), proof.last(sizeof(Seed)))) fail_check(channel, "the seeds");
  channel.send(messages.answer, tags.answer());
}

void CotSender::extend(net::Channel& channel, std::span<Block> q) {
  if (q.empty()) return;
  count_use(used_, q.size());
  Columns matrix;
  const Bytes mask = channel.receive_exactly(messages_.columns, cot_bytes(kCotTile));
  ColumnCheck check(mask);
  sender_columns(strings_, delta(), kCotTile / 8, mask.data(), matrix);
  add_mask(matrix, check);
  while (!q.empty()) {
    const std::size_t in_message = std::min(q.size(), kCotsPerMessage);
    const Bytes message = channel.receive_exactly(messages_.columns, cot_bytes(in_message));
    const std::uint8_t* at = message.data();
    for (std::size_t done = 0; done < in_message; done += kBlockCots) {
      const std::size_t now = std::min(in_message - done, kBlockCots);
      const std::size_t bytes = round_up_to_tile(now) / 8;
      sender_columns(strings_, delta(), bytes, at, matrix);
      add_columns(matrix, bytes / sizeof(Block), check.point({at, kCotDigits * bytes}), check);
      matrix.rows(q.subspan(done, now));
      at += kCotDigits * bytes;
    }
    q = q.subspan(in_message);
  }
  if (!check.accepts(channel.receive_exactly(messages_.check, ColumnCheck::kMessageBytes), delta())) {
    fail_check(channel, "the columns");
  }
}

CotReceiver::CotReceiver(net::Channel& channel, const CotMessages& messages, Prng& prng)
    : messages_(messages) {
  const auto pairs = base_ot_send(channel, messages.base, prng, kCotColumns);
  Bytes trees(kTreesBytes);
  SecretVector<Seed> leaves(kCotStrings);
  LeafTags tags(kCotDigits, kCotStrings);
  for (std::size_t digit = 0; digit < kCotDigits; ++digit) {
    SecretVector<Seed> root(1);
    prng.fill(std::span<std::uint8_t>(root[0]));
    pprf_expand(root[0], kCotFieldBits, std::span(pairs).subspan(digit * kCotFieldBits, kCotFieldBits),
                leaves, trees.data() + digit * pprf_bytes(1, kCotFieldBits));
    tags.set(digit, leaves);
    for (const Seed& leaf : leaves) strings_.emplace_back(leaf);
  }
  const Bytes proof = tags.proof();
  trees.insert(trees.end(), proof.begin(), proof.end());
  channel.send(messages.trees, trees);
  if (!equal_bytes(channel.receive_exactly(messages.answer, sizeof(Seed)), tags.answer())) {
    fail_check(channel, "the seeds");
  }
  SecretVector<Seed> seed(1);
  prng.fill(std::span<std::uint8_t>(seed[0]));
  masks_ = Prng(seed[0]);
}

void CotReceiver::extend(net::Channel& channel, ByteView choices, std::span<Block> t) {
  AP_ASSERT(choices.size() == (t.size() + 7) / 8);
  if (t.empty()) return;
  count_use(used_, t.size());
  Columns matrix;
  SecretVector<Block> padded(kBlockCots / kCotTile);
  masks_.fill(std::span(reinterpret_cast<std::uint8_t*>(padded.data()), sizeof(Block)));
  Bytes mask(cot_bytes(kCotTile));
  receiver_columns(strings_, {reinterpret_cast<const std::uint8_t*>(padded.data()), sizeof(Block)},
                   kCotTile / 8, mask.data(), matrix);
  channel.send(messages_.columns, mask);
  ColumnCheck check(mask);
  add_mask(matrix, check);
  check.choices() = padded.front();
  while (!t.empty()) {
    const std::size_t in_message = std::min(t.size(), kCotsPerMessage);
    Bytes message(cot_bytes(in_message));
    std::uint8_t* at = message.data();
    for (std::size_t done = 0; done < in_message; done += kBlockCots) {
      const std::size_t now = std::min(in_message - done, kBlockCots);
      const std::size_t bytes = round_up_to_tile(now) / 8;
      const ByteView part = choices.subspan(done / 8, (now + 7) / 8);
      receiver_columns(strings_, part, bytes, at, matrix);
      const GfPowers point = check.point({at, kCotDigits * bytes});
      add_columns(matrix, bytes / sizeof(Block), point, check);
      std::fill(padded.begin(), padded.end(), Block{0, 0});
      std::memcpy(padded.data(), part.data(), part.size());
      check.choices() ^= ColumnCheck::hash(padded.data(), bytes / sizeof(Block), point);
      matrix.rows(t.subspan(done, now));
      at += kCotDigits * bytes;
    }
    channel.send(messages_.columns, message);
    t = t.subspan(in_message);
    choices = choices.subspan((in_message + 7) / 8);
  }
  channel.send(messages_.check, check.message());
}

}  // namespace ap::mpc
