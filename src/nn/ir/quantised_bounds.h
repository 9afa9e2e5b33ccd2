// Exact interval arithmetic over the integer network: the smallest interval that holds every value a node can
// take when its inputs range over their intervals independently. The planner's plaintext moduli rest on these
// bounds.
#pragma once

#include <cstdint>
#include <span>

#include "nn/ir/quantised_network.h"

namespace ap::nn {

struct Interval {
  std::int64_t low = 0, high = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// No value of any node may leave [-kMaxMagnitude, kMaxMagnitude].
inline constexpr std::int64_t kMaxMagnitude = (std::int64_t{1} << 31) - 1;

/// The range of `node`'s output for the given ranges of its inputs; `input_shape` is that of its first input.
/// Linear nodes must have their weights; the bound is attained by some input, except that zero padding widens
/// an input range without zero to one with zero. An Input node's own range is returned as it is.
/// @throws Error(input) naming the node if a value could exceed kMaxMagnitude (or 2^62 inside a quadratic).
Interval output_range(const QNode& node, std::span<const Interval> inputs, const Shape& input_shape);

/// Sets low and high of the nodes after the input and before node `end`, in order.
void set_ranges(QuantisedNetwork& network, int end);

}  // namespace ap::nn
