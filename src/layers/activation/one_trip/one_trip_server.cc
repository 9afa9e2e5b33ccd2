// The server's online part: its masked word and choices, then the walk through the client's rows.
#include "layers/activation/one_trip/early_shares.h"
#include "layers/activation/one_trip/one_trip_messages.h"
#include "layers/activation/one_trip/one_trip_rows.h"
#include "layers/activation/one_trip/one_trip_step.h"

namespace ap::activation {

using mpc::bit_of;
using mpc::Block;
using Words = SecretVector<std::uint64_t>;

namespace {

std::uint64_t low_part(const OneTripStep& step, std::uint64_t word) {
  return (word >> step.guard_bits) & low_mask(step.low_bits);
}

Bytes choices_message(const OneTripStep& step, const OneTripServerStep& material,
                      std::span<const std::uint64_t> words) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  SecretVector<Block> slices(static_cast<std::size_t>(step.word_bits()) * tiles);
  mpc::slice_words(words, 0, step.word_bits(), slices);
  std::vector<SecretVector<Block>> shares(step.early_bits(), SecretVector<Block>(tiles));
  SliceWriter writer(step.count, static_cast<std::size_t>(step.word_bits()) + step.early_bits());
  std::size_t row = 0;
  for_rotated(step, [&](std::size_t digit, int width, int tables, std::size_t bit) {
    const std::size_t blocks = static_cast<std::size_t>(width) * tiles;
    SecretVector<Block> masked(blocks);
    for (std::size_t i = 0; i < blocks; ++i)
      masked[i] = slices[row * tiles + i] ^ material.rotations[digit][i];
    for (std::size_t i = 0; i < static_cast<std::size_t>(width); ++i) writer.put(masked.data() + i * tiles);
    const std::span<const Block> all(material.tables[digit]);
    const std::size_t size = tiles << width;
    for (std::size_t t = 0; t < static_cast<std::size_t>(tables); ++t)
      look_up(width, tiles, all.subspan(t * size, size), masked, shares[bit + t]);
    row += static_cast<std::size_t>(width);
  });
  if (step.high_bits == 1) {
    for (std::size_t position = 0; position < 2; ++position)
      std::copy_n(slices.data() + row * tiles, tiles, shares[range_bit(step, position)].data());
  }
  for (std::size_t bit = 0; bit < shares.size(); ++bit)
    put_masked(writer, shares[bit], material.choices[bit].bits);
  Bytes message = std::move(writer.bytes());
  if (!step.has_word()) return message;
  Words masked(step.count);
  for (std::size_t i = 0; i < step.count; ++i)
    masked[i] = (low_part(step, words[i]) - material.product.d[i]) & low_mask(step.ring);
  append_packed(message, masked, step.ring);
  return message;
}

/// The rows of one position each, as the client sends them.
struct Rows {
  Rows(const OneTripStep& step, ByteView message) {
    const auto take = [&](int bits) {
      Words words(step.count);
      take_packed(message, bits, words);
      return words;
    };
    const std::size_t digits = step.digits.size();
    labels.resize(digits);
    guards.resize(digits);
    if (step.has_word()) range = {take(step.ring + 1), take(step.ring + 1)};
    if (step.clamped()) above = {take(step.ring), take(step.ring)};
    for (std::size_t digit = digits; digit-- > 0;) {
      labels[digit] = {take(step.label_bits(digit)), take(step.label_bits(digit))};
      if (!step.wide(digit)) continue;
      if (digit > 0 || step.guard_digits > 1)
        guards[digit].push_back(take(2 * step.ring));
      else
        guards[digit].emplace_back(step.count);  // string 0 stands for the words themselves
      guards[digit].push_back(take(2 * step.ring));
    }
  }
  std::vector<Words> range, above;
  std::vector<std::vector<Words>> labels, guards;  ///< by digit
};

class Walk {
 public:
  Walk(const OneTripStep& step, const OneTripServerStep& material, const Rows& rows)
      : step_(step),
        material_(material),
        rows_(rows),
        count_(step.count),
        pads_(count_),
        pointers_(count_),
        guards_(step.guard_digits > 0 ? count_ : 0) {}

  void run(std::span<const std::uint64_t> words, std::span<std::uint64_t> results) {
    lowest_digit();
    for (std::size_t digit = 1; digit < step_.digits.size(); ++digit) {
      if (step_.wide(digit)) open(digit, 1, 2 * step_.ring, rows_.guards[digit], guards_);
      open(digit, 0, step_.label_bits(digit), rows_.labels[digit], pads_);
      if (has_label(digit)) split();
    }
    if (!step_.has_word()) {
      std::copy(pads_.begin(), pads_.end(), results.begin());
      return;
    }
    high_part(words, results);
  }

 private:
  /// Labels of a step without a high part end in a word.
  bool has_label(std::size_t digit) const { return step_.has_word() || digit + 1 < step_.digits.size(); }
  void split() {
    for (std::size_t i = 0; i < count_; ++i) {
      pointers_[i] = pads_[i] & 1;
      pads_[i] >>= 1;
    }
  }
  std::uint64_t string(std::size_t digit, std::size_t bit, std::size_t i, std::size_t word) const {
    return material_.choices[bit].strings[i * (step_.wide(digit) ? 2 : 1) + word];
  }

  void lowest_digit() {
    const auto take = [&](const std::vector<Words>& rows, std::size_t word, int bits, Words& out) {
      for (std::size_t i = 0; i < count_; ++i) {
        const std::uint64_t row = select(bit_of(material_.choices[0].bits, i), rows[0][i], rows[1][i]);
        out[i] = (row ^ string(0, 0, i, word)) & low_mask(bits);
      }
    };
    take(rows_.labels[0], 0, step_.label_bits(0), pads_);
    if (step_.wide(0)) take(rows_.guards[0], 1, 2 * step_.ring, guards_);
    if (has_label(0)) split();
  }

  /// pads: from the pad of the row at the pointer's position to what the row says.
  void open(std::size_t digit, std::size_t word, int bits, const std::vector<Words>& rows,
            Words& pads) const {
    const std::size_t zero = carry_bit(digit, 0), one = carry_bit(digit, 1);
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint64_t at = pointers_[i];
      const std::uint64_t row = select(at, rows[0][i], rows[1][i]);
      const std::uint64_t choice =
          select(at, bit_of(material_.choices[zero].bits, i), bit_of(material_.choices[one].bits, i));
      const std::uint64_t mine = select(at, string(digit, zero, i, word), string(digit, one, i, word));
      pads[i] ^= ((row & all_if(choice)) ^ mine) & low_mask(bits);
    }
  }

  /// What the row of an early bit says at the pointer's position, all of it modulo 2^64.
  std::uint64_t chosen(std::size_t first_bit, const std::vector<Words>& rows, std::size_t i,
                       bool bit_alone) const {
    const std::uint64_t at = pointers_[i];
    const std::uint64_t row = select(at, rows[0][i], rows[1][i]);
    const std::uint64_t choice = select(at, bit_of(material_.choices[first_bit].bits, i),
                                        bit_of(material_.choices[first_bit + 1].bits, i));
    const std::uint64_t mine =
        select(at, material_.choices[first_bit].strings[i], material_.choices[first_bit + 1].strings[i]);
    const std::uint64_t taken = row & all_if(choice);
    return bit_alone ? ((taken ^ mine) >> step_.ring) & 1 : taken + mine;
  }

  void high_part(std::span<const std::uint64_t> words, std::span<std::uint64_t> results) const {
    const int ring = step_.ring;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint64_t f = ((pads_[i] >> ring) & 1) ^ chosen(range_bit(step_, 0), rows_.range, i, true);
      std::uint64_t w = pads_[i] + chosen(range_bit(step_, 0), rows_.range, i, false);
      if (step_.clamped()) w += chosen(above_bit(step_, 0), rows_.above, i, false);
      if (!guards_.empty()) {
        const WordPair y = unpack_pair(guards_[i], ring);
        w += select(f, y.first, y.second);
      }
      w += (low_part(step_, words[i]) & all_if(f)) + (1 - 2 * f) * material_.product.shares[i];
      results[i] = w & low_mask(ring);
    }
  }

  const OneTripStep& step_;
  const OneTripServerStep& material_;
  const Rows& rows_;
  std::size_t count_;
  Words pads_, pointers_, guards_;
};

}  // namespace

void run_one_trip_server(net::Channel& channel, const OneTripStep& step, const OneTripServerStep& material,
                         std::span<const std::uint64_t> words, std::span<std::uint64_t> results) {
  channel.send(kOneTripChoices, choices_message(step, material, words));
  const Bytes message = channel.receive_exactly(kOneTripWords, rows_bytes(step));
  const Rows rows(step, message);
  Walk(step, material, rows).run(words, results);
}

}  // namespace ap::activation
