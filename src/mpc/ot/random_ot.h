// Random correlations for bits and short words, made without a message from silent OTs
// (mpc/ot/silent_cot.h): each transfer is hashed by TMMO (mpc/core/hash.h) with a tweak used once, under the
// session's keys (SilentCot::hashing). Written for 128 instances at a time: a *slice* is one bit of many
// instances, bit i % 128 of block i / 128; a `tile` is 128 instances.
//
//   table  1-of-2^w random OT (Naor and Pinkas, "Computationally Secure Oblivious Transfer", section 2, with
//          one hash output cut into 2^w parts in place of 2^w evaluations): the sender gets 2^w random strings
//          of `bits` bits, the receiver a random index and that string. Uses w silent OTs.
//   bits   the receiver gets a random bit c, the sender a random string D, both XOR shares of c D.
//   words  the same with D and the shares in Z_2^width.
//
// All are used by revealing the difference between random and real inputs ("derandomisation").
#pragma once

#include <cstdint>
#include <span>

#include "mpc/ot/silent_cot.h"

namespace ap::mpc {

inline constexpr int kMaxTableBits = 4;     ///< w
inline constexpr int kMaxTableOutputs = 4;  ///< bits of one string
inline constexpr std::size_t kTile = 128;

constexpr std::size_t tiles_of(std::size_t count) { return (count + kTile - 1) / kTile; }

class RandomOtSender {
 public:
  /// Both references must outlive this object.
  RandomOtSender(net::Channel& channel, SilentCotSender& cots) : channel_(channel), cots_(cots) {}

  /// Slices by [output e][entry j], `tiles` blocks each: strings.size() = outputs * 2^w * tiles.
  void tables(int w, int outputs, std::size_t tiles, std::span<Block> strings);
  /// Slices by [output]: D and the share of c D, outputs * tiles blocks each.
  void bits(int outputs, std::size_t tiles, std::span<Block> d, std::span<Block> shares);
  /// One word for each instance, d.size() instances: D and the share of c D modulo 2^width.
  void words(int width, std::span<std::uint64_t> d, std::span<std::uint64_t> shares);

 private:
  void hash_both(std::size_t count);

  net::Channel& channel_;
  SilentCotSender& cots_;
  std::uint64_t tweak_ = 0;
  SecretVector<Block> zero_;  ///< transfers, then H(q)
  SecretVector<Block> one_;   ///< H(q xor Delta)
};

class RandomOtReceiver {
 public:
  RandomOtReceiver(net::Channel& channel, SilentCotReceiver& cots) : channel_(channel), cots_(cots) {}

  /// w slices of the index, `outputs` slices of its string.
  void tables(int w, int outputs, std::size_t tiles, std::span<Block> index, std::span<Block> strings);
  /// One slice of choices, `outputs` slices of shares.
  void bits(int outputs, std::size_t tiles, std::span<Block> choices, std::span<Block> shares);
  /// One slice of tiles_of(shares.size()) blocks, one word for each instance.
  void words(int width, std::span<Block> choices, std::span<std::uint64_t> shares);

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
