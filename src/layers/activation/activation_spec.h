// What one activation layer computes, exactly, on the two parties' shares, and what it costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "layers/activation/product_spec.h"
#include "layers/activation/square_spec.h"
#include "layers/activation/table_spec.h"

namespace ap::activation {

/// The server holds a, the client b and r, all unsigned words, one a and b per input element and one r per
/// output. For every input element
///   t = floor(x / 2^g),  x = (a + b) mod 2^(n + g) as a signed number,
/// and for every output v = clamp(max of t over its window, 0, 2^m - 1). The server learns (v - r) mod 2^k,
/// the client nothing. Other lower bounds are the caller's: subtract from a before, add to the result after.
///
/// With in_prime = p: a and b lie in [0, p) and x = (a + b) mod p, taken in (-p/2, p/2]. The shift by g is
/// exact; shares modulo a prime cannot be truncated by their owners, so g is the whole shift. With out_prime
/// = p': r lies in [0, p') and the server learns (v - r) mod p'. Either may be a prime without the other.
/// A lower bound `low` and rounding to nearest are the caller's here too: it adds 2^(g-1) - low 2^g (without
/// rounding: -low 2^g) to a, mod p, and `low` to the result, mod p' or 2^k. The layer then gives low +
/// clamp(t' - low, 0, 2^m - 1) with t' = floor(x / 2^g + 1/2), as long as x + 2^(g-1) - low 2^g lies in
/// (-p/2, p/2) for every x that occurs: the caller chooses p with that room.
///
/// With `argmax` t is not clamped: there is one output, the number v of the largest t, the first if several
/// are (layers/activation/argmax_spec.h makes such a spec).
///
/// With `square` the parties hold shares s and c of the argument of a quadratic instead, words of
/// square->word_bits() bits, and a and b are their shares of its value, of which they have dropped bits
/// (layers/activation/square_spec.h). The `ot` protocol alone does this.
///
/// With `product` they hold shares of pairs of numbers, and a and b are their shares of the products, of which they
/// have dropped bits (layers/activation/product_spec.h). The `ot` protocol alone does this.
///
/// With `table` the result is not the clamped value but what a public table has for it
/// (layers/activation/table_spec.h), modulo 2^k. The `ot` protocol alone does this.
struct ActivationSpec {
  std::size_t inputs = 0;              ///< elements before pooling, at most kMaxActivationInputs
  std::size_t outputs = 0;             ///< elements after pooling; equal to inputs without pooling
  int sum_bits = 0;                    ///< n, 2..40; with in_prime n + g is the width of p
  int guard_bits = 0;                  ///< g, 0..16; with in_prime 0..24
  int clamp_bits = 0;                  ///< m, 1..16; if m >= n the upper bound is out of reach
  int out_bits = 0;                    ///< k, m..40; with out_prime the width of p', and more than m
  std::size_t pool_size = 1;           ///< elements of one window, 1..kMaxPoolSize; 1 without pooling
  std::vector<std::uint32_t> windows;  ///< with pooling: outputs x pool_size input indices, repeats allowed
  std::optional<SquareSpec> square;    ///< not with pooling; value_bits - dropped_bits = share_bits()
  std::optional<ProductSpec>
      product;                     ///< not with pooling or square; value_bits - dropped_bits = share_bits()
  std::optional<TableSpec> table;  ///< not with pooling, square or primes

  std::uint64_t in_prime = 0;   ///< p, odd, 2^12 to 2^40; 0: shares modulo 2^(n + g)
  std::uint64_t out_prime = 0;  ///< p', odd, 2^12 to 2^40; 0: the result modulo 2^k

  bool argmax = false;  ///< without guard bits, windows, square or out_prime; clamp_bits = out_bits

  bool pooled() const { return pool_size > 1; }
  /// An output depends on several inputs.
  bool joined() const { return pooled() || argmax; }
  /// Width of the words a and b.
  int share_bits() const { return sum_bits + guard_bits; }
  /// Width of the words that the parties bring.
  int argument_bits() const {
    return square ? square->word_bits() : product ? product->value_bits : share_bits();
  }
  /// How many words each party brings.
  std::size_t arguments() const { return product ? product->arguments(inputs) : inputs; }
  /// The client's words are needed offline, and no others online.
  bool needs_words_offline() const { return square || product; }
  /// @throws Error(input) naming the field that is out of range.
  void validate() const;

  friend bool operator==(const ActivationSpec&, const ActivationSpec&) = default;
};

inline constexpr std::size_t kMaxActivationInputs = std::size_t{1} << 21;
inline constexpr std::size_t kMaxPoolSize = 64;
inline constexpr std::uint64_t kMinActivationPrime = std::uint64_t{1} << 12;
inline constexpr std::uint64_t kMaxActivationPrime = std::uint64_t{1} << 40;

/// @throws Error(input) unless there are `count` words of at most `bits` bits, below `prime` if that is not
/// 0.
void check_words(const char* name, std::span<const std::uint64_t> words, std::size_t count, int bits,
                 std::uint64_t prime = 0);

}  // namespace ap::activation
