// Which power-of-two modulus each tensor is shared under.
//
// Shares mod 2^a reduce to shares mod 2^b (b <= a) by dropping bits, but never grow, so a tensor gets the
// largest modulus that any of its consumers needs (docs/architecture.md, "The protocol in one page"). Needs
// begin at the nodes where wrapping would be an error: the input of an activation and the logits must fit
// their modulus as signed numbers.
#pragma once

#include <span>
#include <vector>

#include "nn/ir/quantised_bounds.h"
#include "nn/ir/quantised_network.h"

namespace ap::plan {

/// Widest modulus supported, in bits: what garbled sums and one-word rings carry.
inline constexpr int kMaxModulusBits = 40;

/// How an activation reads its input: the shares are reduced mod 2^(sum_bits + shift), an offset that makes
/// the truncation unbiased is added, and each party drops the low shift - guard_bits bits of its own share.
/// The sum over sum_bits + guard_bits bits is exact inside the circuit.
struct Truncation {
  int sum_bits = 0;    ///< signed width of t - low, with room for a deviation of two
  int shift = 0;       ///< bits removed in all
  int guard_bits = 0;  ///< of those, bits removed exactly, inside the circuit; at most shift
  int input_bits() const { return sum_bits + shift; }
  int dropped_bits() const { return shift - guard_bits; }
  /// Added to the server's share first: half of the final step (to round) and half of the dropped step (local
  /// truncation loses on average half of one).
  std::int64_t offset() const;
};

/// The truncation of an activation for inputs within `range`; values outside it wrap.
Truncation truncation_of(const nn::QActivation& activation, const nn::Interval& range, int guard_bits);
Truncation truncation_of(const nn::Clamp& clamp, const nn::Interval& range, int guard_bits);
/// The truncation of an activation for every value that `input` can take.
Truncation truncation_of(const nn::QActivation& activation, const nn::QNode& input, int guard_bits);

/// Bits of a signed integer that holds every value of [low, high] with `margin` to spare on both sides.
int signed_bits(std::int64_t low, std::int64_t high, std::int64_t margin);

/// The exact interval of every node: nothing can wrap.
std::vector<nn::Interval> exact_ranges(const nn::QuantisedNetwork& network);

/// log2 of the sharing modulus of every node, so that no value inside `ranges` (by node) wraps where it
/// matters.
/// @throws Error(input) naming the layer that needs more than kMaxModulusBits, or cannot be shared at all.
std::vector<int> assign_moduli(const nn::QuantisedNetwork& network, std::span<const nn::Interval> ranges,
                               int guard_bits);
/// With exact_ranges.
std::vector<int> assign_moduli(const nn::QuantisedNetwork& network, int guard_bits);

}  // namespace ap::plan
