// Products of one party's bits with the other's words by random products (mpc/ot/random_ot.h): what the steps of
// the `ot` protocol have in common (layers/activation/ot/ot_step.h says how they work).
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "base/bits.h"
#include "layers/activation/ot/ot_bits.h"
#include "layers/activation/ot/ot_plan.h"
#include "layers/activation/ot/ot_step.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {

inline std::uint64_t low_mask(int bits) { return ~std::uint64_t{0} >> (64 - bits); }

inline BitSide make_bit_side(mpc::RandomOtReceiver& ots, std::size_t count, int width) {
  BitSide side{SecretVector<mpc::Block>(mpc::tiles_of(count)), mpc::RingWords(count, width)};
  side.shares.visit([&](auto& shares) { ots.words(width, side.choices, std::span(shares)); });
  return side;
}

inline WordSide make_word_side(mpc::RandomOtSender& ots, std::size_t count, int width) {
  using Word = mpc::RingWords;
  WordSide side{Word(count, width), Word(count, width)};
  side.d.visit([&](auto& d) {
    side.shares.visit([&](auto& shares) {
      if constexpr (std::is_same_v<decltype(d), decltype(shares)>)
        ots.words(width, std::span(d), std::span(shares));
    });
  });
  return side;
}

/// Terms of which a product is transferred.
template <typename Body>
void for_transferred(std::span<const BitTerm> terms, const Body& body) {
  std::size_t index = 0;
  for (const BitTerm& term : terms) {
    if (term.width > 0) body(term, index++);
  }
}

/// -v if `negative`, else v.
inline std::uint64_t with_sign(std::uint64_t v, std::uint64_t negative) {
  return (v ^ (0 - negative)) + negative;
}

/// The factor of the product of the two shares of a term's bit, divided by 2^shift.
inline std::uint64_t product_factor(int ring, const BitTerm& term) {
  return (0 - (((2 * term.factor) & low_mask(ring)) >> term.shift)) & low_mask(term.width);
}

/// body(d, shares) with pointers to what a side's words lie in, so that loops over instances know their type.
template <typename Body>
void with_words(const WordSide& side, const Body& body) {
  side.d.visit([&](const auto& d) {
    side.shares.visit([&](const auto& shares) {
      if constexpr (std::is_same_v<decltype(d), decltype(shares)>) body(d.data(), shares.data());
    });
  });
}

/// body(choices, shares).
template <typename Body>
void with_words(const BitSide& side, const Body& body) {
  side.shares.visit(
      [&](const auto& shares) { body(std::span<const mpc::Block>(side.choices), shares.data()); });
}

/// bit * v of one instance, v this party's, `revealed` the other's masked bit, with the instance's words of a random
/// product: writes what is sent, returns the share. All modulo 2^64; the caller reduces.
struct WordProduct {
  std::uint64_t masked;
  std::uint64_t share;
};
inline WordProduct word_product(std::uint64_t d, std::uint64_t share, std::uint64_t v,
                                std::uint64_t revealed) {
  return {with_sign(v, revealed) - d, (v & (0 - revealed)) + share};
}
inline std::uint64_t bit_product(std::uint64_t choice, std::uint64_t share, std::uint64_t masked) {
  return (masked & (0 - choice)) + share;
}

inline void put_masked(SliceWriter& writer, std::span<const mpc::Block> bits,
                       const SecretVector<mpc::Block>& choices) {
  SecretVector<mpc::Block> masked(bits.begin(), bits.end());
  for (std::size_t i = 0; i < masked.size(); ++i) masked[i] ^= choices[i];
  writer.put(masked.data());
}

inline void append_packed(Bytes& message, std::span<const std::uint64_t> words, int bits) {
  const std::size_t at = message.size();
  message.resize(at + packed_bytes(words.size(), bits));
  pack_bits(words, bits, std::span(message).subspan(at));
}

/// Takes the packed words at the front of `message`.
inline void take_packed(ByteView& message, int bits, std::span<std::uint64_t> words) {
  const std::size_t size = packed_bytes(words.size(), bits);
  unpack_bits(message.first(size), bits, words);
  message = message.subspan(size);
}

}  // namespace ap::activation
