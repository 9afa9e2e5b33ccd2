// The client's online part: the rows of all digits, from the last to the first.
#include "layers/activation/one_trip/early_shares.h"
#include "layers/activation/one_trip/one_trip_messages.h"
#include "layers/activation/one_trip/one_trip_rows.h"
#include "layers/activation/one_trip/one_trip_step.h"

namespace ap::activation {

using mpc::bit_of;
using mpc::Block;
using Words = SecretVector<std::uint64_t>;

std::size_t rows_bytes(const OneTripStep& step) {
  OneTripPlan plan;
  plan.clamp = step;
  return one_trip_cost(plan).client_bytes;
}

namespace {

/// Both values of something by a bit.
struct Two {
  explicit Two(std::size_t count) : at{Words(count), Words(count)} {}
  Words at[2];
};

class ClientRows {
 public:
  ClientRows(const OneTripStep& step, const OneTripClientStep& material, ByteView choices)
      : step_(step),
        material_(material),
        count_(step.count),
        tiles_(mpc::tiles_of(step.count)),
        labels_(count_),
        guards_(step.guard_digits > 0 ? count_ : 0) {
    read_choices(choices);
  }

  Bytes rows() {
    message_.reserve(rows_bytes(step_));
    if (step_.guard_digits > 0) make_rho();
    if (step_.has_word()) {
      high_part();
    } else {
      carries();
    }
    for (std::size_t digit = step_.digits.size() - 1; digit > 0; --digit) rows_of(digit);
    lowest_digit();
    AP_ASSERT(message_.size() == rows_bytes(step_));
    return std::move(message_);
  }

 private:
  /// first_[b]: of early bit b the value that string 0 stands for; string 1 stands for the other.
  void read_choices(ByteView message) {
    SliceReader reader(message, count_);
    first_.assign(step_.early_bits(), SecretVector<Block>(tiles_));
    for_rotated(step_, [&](std::size_t digit, int width, int tables, std::size_t bit) {
      std::vector<Block> index(static_cast<std::size_t>(width) * tiles_);
      for (int i = 0; i < width; ++i) reader.get(index.data() + static_cast<std::size_t>(i) * tiles_, tiles_);
      const std::span<const Block> all(material_.tables[digit]);
      const std::size_t size = tiles_ << width;
      for (int t = 0; t < tables; ++t) {
        const auto at = static_cast<std::size_t>(t);
        look_up(width, tiles_, all.subspan(at * size, size), index, first_[bit + at]);
      }
    });
    if (step_.high_bits == 1) linear_range();
    std::vector<Block> masked(tiles_);
    for (SecretVector<Block>& first : first_) {
      reader.get(masked.data(), tiles_);
      for (std::size_t i = 0; i < tiles_; ++i) first[i] ^= masked[i];
    }
    if (!step_.has_word()) return;
    ByteView rest = message.subspan((first_.size() + digit_bits()) * packed_bytes(count_, 1));
    masked_low_.resize(count_);
    take_packed(rest, step_.ring, masked_low_);
  }

  std::size_t digit_bits() const {
    std::size_t bits = 0;
    for_rotated(step_,
                [&](std::size_t, int width, int, std::size_t) { bits += static_cast<std::size_t>(width); });
    return bits;
  }

  /// [in range] of one high bit is 1 xor x xor y xor c: the server's share is x.
  void linear_range() {
    SecretVector<Block> y(tiles_);
    mpc::slice_words(material_.words, step_.word_bits() - 1, 1, y);
    const Block* pointer = material_.pointers.data() + (step_.digits.size() - 1) * tiles_;
    const Block ones{~std::uint64_t{0}, ~std::uint64_t{0}};
    for (std::size_t i = 0; i < tiles_; ++i) {
      first_[range_bit(step_, 1)][i] = y[i] ^ pointer[i];
      first_[range_bit(step_, 0)][i] = y[i] ^ pointer[i] ^ ones;
    }
  }

  std::uint64_t lambda(std::size_t i) const { return bit_of(material_.product.choices, i); }
  std::uint64_t pointer(std::size_t digit, std::size_t i) const {
    return bit_of(std::span<const Block>(material_.pointers).subspan(digit * tiles_, tiles_), i);
  }
  /// What Y_0 and Y_1 say of a guard that carries, without rho.
  WordPair guard_value(std::size_t i, std::uint64_t carry) const {
    return {carry & lambda(i), carry & (lambda(i) ^ 1)};
  }
  std::uint64_t guard_words(std::size_t i, std::uint64_t carry) const {
    const WordPair rho = unpack_pair(rho_[i], step_.ring), value = guard_value(i, carry);
    return pack_pair({value.first + rho.first, value.second + rho.second}, step_.ring);
  }

  /// Of a guard of one digit string 0 of its row stands for the words: it defines rho.
  void make_rho() {
    if (step_.guard_digits > 1) {
      rho_ = material_.rho;
      return;
    }
    rho_.resize(count_);
    for (std::size_t i = 0; i < count_; ++i) {
      const WordPair string = unpack_pair(material_.strings[0].zero[2 * i + 1], step_.ring);
      const WordPair value = guard_value(i, bit_of(first_[0], i));
      rho_[i] = pack_pair({string.first - value.first, string.second - value.second}, step_.ring);
    }
  }

  void put(const Words& words, int bits) { append_packed(message_, words, bits); }

  void carries() {
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint64_t word = material_.addends[i];
      labels_.at[0][i] = word & low_mask(step_.ring);
      labels_.at[1][i] = (word - (std::uint64_t{1} << step_.carry_shift)) & low_mask(step_.ring);
    }
  }

  void high_part() {
    const int ring = step_.ring;
    const std::uint64_t mask = low_mask(ring), top = low_mask(step_.low_bits);
    Words row(count_), x(count_);
    Two pads(count_);  // by position: a word, above it a bit
    for (std::size_t i = 0; i < count_; ++i)
      x[i] = (masked_low_[i] & all_if(lambda(i))) + material_.product.shares[i];
    for (std::size_t position = 0; position < 2; ++position) {
      const std::size_t bit = range_bit(step_, position);
      const auto& [zero, one] = material_.strings[bit];
      for (std::size_t i = 0; i < count_; ++i) {
        const std::uint64_t l = lambda(i), carry = position ^ pointer(step_.digits.size() - 1, i);
        std::uint64_t out = (1 - 2 * l) * x[i] + material_.addends[i];
        std::uint64_t change =
            (4 * l - 2) * x[i] + ((material_.words[i] >> step_.guard_bits) & top) - (carry << step_.low_bits);
        if (!rho_.empty()) {
          const WordPair rho = unpack_pair(rho_[i], ring);
          const std::uint64_t of_l = select(l, rho.first, rho.second);
          out -= of_l;
          change += of_l - (rho.first ^ rho.second ^ of_l);
        }
        const std::uint64_t z = bit_of(first_[bit], i);
        const std::uint64_t first = change & all_if(z), second = change & all_if(z ^ 1);
        const std::uint64_t p0 = zero[i], p1 = one[i];
        // The masks that string 0 defines.
        const std::uint64_t mu = p0 - first, mu_bit = (p0 >> ring) ^ z ^ l;
        row[i] = ((second + mu - p1) & mask) | (((z ^ 1 ^ l ^ mu_bit ^ (p1 >> ring)) & 1) << ring);
        pads.at[position][i] = ((out - mu) & mask) | ((mu_bit & 1) << ring);
      }
      put(row, ring + 1);
    }
    if (step_.clamped()) {
      for (std::size_t position = 0; position < 2; ++position) {
        const std::size_t bit = above_bit(step_, position);
        const auto& [zero, one] = material_.strings[bit];
        for (std::size_t i = 0; i < count_; ++i) {
          const std::uint64_t z = bit_of(first_[bit], i);
          const std::uint64_t mu = zero[i] - (top & all_if(z));
          row[i] = ((top & all_if(z ^ 1)) + mu - one[i]) & mask;
          const std::uint64_t pad = pads.at[position][i];
          pads.at[position][i] = (pad & ~mask) | ((pad - mu) & mask);
        }
        put(row, ring);
      }
    }
    label(step_.digits.size() - 1, pads, labels_, true);
  }

  /// From pads by position to values by the carry out of `digit`; labels get their pointer.
  void label(std::size_t digit, const Two& pads, Two& values, bool pointed) {
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint64_t turn = pointer(digit, i);
      const std::uint64_t zero = pointed ? pads.at[0][i] << 1 : pads.at[0][i];
      const std::uint64_t one = pointed ? pads.at[1][i] << 1 | 1 : pads.at[1][i];
      values.at[0][i] = select(turn, zero, one);
      values.at[1][i] = select(turn, one, zero);
    }
  }

  /// A row of each position: of two values by the carry out, `word`th words of the strings. Returns the pads.
  void row_pair(std::size_t digit, const Two& values, std::size_t word, int bits, Two& pads) {
    const std::uint64_t mask = low_mask(bits);
    const std::size_t each = step_.wide(digit) ? 2 : 1;
    Words row(count_);
    for (std::size_t position = 0; position < 2; ++position) {
      const std::size_t bit = carry_bit(digit, position);
      const auto& [zero, one] = material_.strings[bit];
      for (std::size_t i = 0; i < count_; ++i) {
        const std::uint64_t first = select(bit_of(first_[bit], i), values.at[0][i], values.at[1][i]);
        const std::uint64_t second = first ^ values.at[0][i] ^ values.at[1][i];
        const std::uint64_t pad = (zero[i * each + word] & mask) ^ first;
        row[i] = second ^ pad ^ (one[i * each + word] & mask);
        pads.at[position][i] = pad;
      }
      put(row, bits);
    }
  }

  void last_guard_words() {
    for (std::size_t i = 0; i < count_; ++i) {
      guards_.at[0][i] = guard_words(i, 0);
      guards_.at[1][i] = guard_words(i, 1);
    }
  }

  void rows_of(std::size_t digit) {
    Two pads(count_);
    row_pair(digit, labels_, 0, step_.label_bits(digit), pads);
    label(digit - 1, pads, labels_, true);
    if (!step_.wide(digit)) return;
    if (digit == step_.guard_digits - 1) last_guard_words();
    row_pair(digit, guards_, 1, 2 * step_.ring, pads);
    label(digit - 1, pads, guards_, false);
  }

  void lowest_digit() {
    const auto& [zero, one] = material_.strings[0];
    const std::size_t each = step_.wide(0) ? 2 : 1;
    Words row(count_);
    const auto put_under = [&](const Two& values, std::uint64_t which, const Words& strings, std::size_t word,
                               int bits) {
      for (std::size_t i = 0; i < count_; ++i) {
        const std::uint64_t value = select(bit_of(first_[0], i) ^ which, values.at[0][i], values.at[1][i]);
        row[i] = (value ^ strings[i * each + word]) & low_mask(bits);
      }
      put(row, bits);
    };
    put_under(labels_, 0, zero, 0, step_.label_bits(0));
    put_under(labels_, 1, one, 0, step_.label_bits(0));
    if (!step_.wide(0)) return;
    if (step_.guard_digits == 1) {
      last_guard_words();
    } else {
      put_under(guards_, 0, zero, 1, 2 * step_.ring);
    }
    put_under(guards_, 1, one, 1, 2 * step_.ring);
  }

  const OneTripStep& step_;
  const OneTripClientStep& material_;
  std::size_t count_, tiles_;
  std::vector<SecretVector<Block>> first_;
  Words masked_low_;  ///< delta
  Words rho_;
  Two labels_, guards_;  ///< by carry
  Bytes message_;
};

}  // namespace

void run_one_trip_client(net::Channel& channel, const OneTripStep& step, const OneTripClientStep& material) {
  OneTripPlan plan;
  plan.clamp = step;
  const Bytes choices = channel.receive_exactly(kOneTripChoices, one_trip_cost(plan).server_bytes);
  channel.send(kOneTripWords, ClientRows(step, material, choices).rows());
}

}  // namespace ap::activation
