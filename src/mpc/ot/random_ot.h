// Random correlations for bits and short words, made without a message from silent OTs
// (mpc/ot/silent_cot.h): each transfer is hashed by TMMO (mpc/core/hash.h) with a tweak used once, under the
// session's keys (SilentCot::hashing). Written for 128 instances at a time: a *slice* is one bit of many
// instances, bit i % 128 of block i / 128; a `tile` is 128 instances.
//
//   table  1-of-2^w random OT (Naor and Pinkas, "Computationally Secure Oblivious Transfer", section 2, with
//          one hash output cut into 2^w parts in place of 2^w evaluations): the sender gets 2^w random strings
//          of `bits` bits, the receiver a random index and that string. Uses w silent OTs.
//   lookup the same for w up to 8 and strings of up to 16 bits, whose hashes take several blocks: of 2^w strings in one
//          array (mpc/ot/entry_array.h) the XOR of w arrays, of which the receiver knows one bit's choice each, so that
//          any other entry has a part of a hash in it that it does not know and that serves nothing else.
//   bits   the receiver gets a random bit c, the sender a random string D, both XOR shares of c D.
//   words  the same with D and the shares in Z_2^width.
//   strings  1-of-2 random OT: the sender gets two strings, the receiver a random bit and that string.
//
// All are used by revealing the difference between random and real inputs ("derandomisation").
#pragma once

#include <cstdint>
#include <span>

#include "base/memory.h"
#include "mpc/ot/entry_array.h"
#include "mpc/ot/silent_cot.h"

namespace ap::mpc {

inline constexpr int kMaxTableBits = 4;     ///< w
inline constexpr int kMaxTableOutputs = 4;  ///< bits of one string
inline constexpr std::size_t kTile = 128;

constexpr std::size_t tiles_of(std::size_t count) { return (count + kTile - 1) / kTile; }

/// Blocks of one array of a lookup.
constexpr std::size_t lookup_blocks(int w, int bits) { return (entry_array_bits(w, bits) + 127) / 128; }

/// Secret words of Z_2^width for many instances, of which preprocessing holds hundreds of megabytes for large networks:
/// 32 bits each where they fit.
class RingWords {
 public:
  RingWords() = default;
  /// `count` zeros of `width` bits, 1 to 64.
  RingWords(std::size_t count, int width) {
    if (width <= 32) {
      narrow_.resize(count);
    } else {
      wide_.resize(count);
    }
  }

  /// Bytes that one word of `width` bits takes.
  static constexpr std::size_t bytes_each(int width) { return width <= 32 ? 4 : 8; }

  std::size_t size() const { return narrow_.size() + wide_.size(); }
  std::uint64_t operator[](std::size_t i) const { return wide_.empty() ? narrow_[i] : wide_[i]; }

  /// body(vector): what holds the words, of std::uint32_t or std::uint64_t.
  template <typename Body>
  void visit(const Body& body) {
    wide_.empty() ? body(narrow_) : body(wide_);
  }
  template <typename Body>
  void visit(const Body& body) const {
    wide_.empty() ? body(narrow_) : body(wide_);
  }

 private:
  SecretVector<std::uint32_t> narrow_;
  SecretVector<std::uint64_t> wide_;
};

class RandomOtSender {
 public:
  /// Both references must outlive this object.
  RandomOtSender(net::Channel& channel, SilentCotSender& cots) : channel_(channel), cots_(cots) {}

  /// Slices by [output e][entry j], `tiles` blocks each: strings.size() = outputs * 2^w * tiles.
  void tables(int w, int outputs, std::size_t tiles, std::span<Block> strings);
  /// The array of every instance, lookup_blocks(w, bits) blocks each; bits behind the last entry are anything.
  void lookups(int w, int bits, std::span<Block> pads);
  /// Slices by [output]: D and the share of c D, outputs * tiles blocks each.
  void bits(int outputs, std::size_t tiles, std::span<Block> d, std::span<Block> shares);
  /// One word for each instance, d.size() instances: D and the share of c D modulo 2^width. Word: std::uint64_t, or
  /// std::uint32_t up to width 32.
  template <typename Word>
  void words(int width, std::span<Word> d, std::span<Word> shares);
  /// `each` (1 or 2) words for each instance, one instance after another.
  void strings(int each, std::span<std::uint64_t> zero, std::span<std::uint64_t> one);

 private:
  void hash_both(std::size_t count);

  net::Channel& channel_;
  SilentCotSender& cots_;
  std::uint64_t tweak_ = 0;
  SecretVector<Block> zero_;  ///< transfers, then H(q)
  SecretVector<Block> one_;   ///< H(q xor Delta)
  SecretVector<Block> hashed_;
};

class RandomOtReceiver {
 public:
  RandomOtReceiver(net::Channel& channel, SilentCotReceiver& cots) : channel_(channel), cots_(cots) {}

  /// w slices of the index, `outputs` slices of its string.
  void tables(int w, int outputs, std::size_t tiles, std::span<Block> index, std::span<Block> strings);
  /// An index of w bits and its string of `bits` bits for each instance.
  void lookups(int w, int bits, std::span<std::uint64_t> index, std::span<std::uint64_t> strings);
  /// One slice of choices, `outputs` slices of shares.
  void bits(int outputs, std::size_t tiles, std::span<Block> choices, std::span<Block> shares);
  /// One slice of tiles_of(shares.size()) blocks, one word for each instance.
  template <typename Word>
  void words(int width, std::span<Block> choices, std::span<Word> shares);
  /// One slice of choices; strings as at the sender.
  void strings(int each, std::span<Block> choices, std::span<std::uint64_t> strings);

 private:
  void draw(std::size_t count);

  net::Channel& channel_;
  SilentCotReceiver& cots_;
  std::uint64_t tweak_ = 0;
  SecretVector<Block> blocks_;  ///< transfers
  SecretVector<Block> hashes_;
};

/// Bits `shift`.. `shift + bits` of the words as slices of tiles_of(words.size()) blocks; instances that do
/// not exist are zero.
void slice_words(std::span<const std::uint64_t> words, int shift, int bits, std::span<Block> slices);

/// entries[j] <- entries[j xor index] for j < 2^w; bit i of the index is index[i], one bit for each instance.
void permute_entries(Block* entries, int w, const Block* index);

/// entries[index].
Block select_entry(const Block* entries, int w, const Block* index);

/// Bit `instance` of a slice.
inline std::uint64_t bit_of(std::span<const Block> slice, std::size_t instance) {
  const Block& block = slice[instance / kTile];
  return ((instance % kTile < 64 ? block.lo : block.hi) >> (instance % 64)) & 1;
}

}  // namespace ap::mpc
