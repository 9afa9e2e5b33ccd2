// The quadratic that may stand before an activation: what it computes and the rings that this takes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ap::activation {

/// The server holds s, the client c, with t = floor((c + s) / 2^guard_bits) modulo 2^argument_bits. Each gets
/// a share of
///   u = constant + linear t + square t^2   modulo 2^value_bits
/// and drops the lowest `dropped_bits` of it.
struct SquareSpec {
  int argument_bits = 0;      ///< at least 1
  int guard_bits = 0;         ///< 0..16; with argument_bits at most 40
  int value_bits = 0;         ///< 2..40
  std::int64_t constant = 0;  ///< all three are used modulo 2^value_bits
  std::int64_t linear = 0;
  std::int64_t square = 0;
  int dropped_bits = 0;  ///< 0..value_bits - 2

  /// Width of the words s and c.
  int word_bits() const { return argument_bits + guard_bits; }
  /// Only u modulo 2^value_bits counts, in which c s is multiplied by 2 square: this many bits of it matter.
  int product_bits() const;
  /// @throws Error(input) naming the field that is out of range.
  void validate() const;

  friend bool operator==(const SquareSpec&, const SquareSpec&) = default;
};

/// The narrowest ring of t that determines u modulo 2^value_bits.
int square_argument_bits(int value_bits, std::int64_t linear, std::int64_t square);

/// What the quadratic adds to a layer of `count` elements.
struct SquareCost {
  std::uint64_t cots = 0;           ///< silent OTs, the client as sender
  std::uint64_t offline_bytes = 0;  ///< payload, client to server
  std::uint64_t online_bytes = 0;   ///< payload, server to client
};
SquareCost square_cost(const SquareSpec& spec, std::size_t count);

}  // namespace ap::activation
