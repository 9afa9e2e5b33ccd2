// Second step of quantisation: the step of every tensor and the shift of every requantisation.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/quantise/quantise.h"
#include "nn/quantise/quantise_rewrite.h"
#include "nn/quantise/quantise_statistics.h"

namespace ap::nn {

struct NodeScale {
  double scale = 0;      ///< of the node's integers; the float value is integer * scale
  int shift = 0;         ///< Clip, Quadratic: what it shifts its accumulator by
  std::int64_t low = 0;  ///< Input, Clip, Quadratic: the smallest integer
  /// Clip, Quadratic of something whose scale is given and not a power of two off: multiply by this first.
  std::int64_t rescale = 1;
  /// Smooth: the step of what its table reads; `low` is the smallest integer that it reads.
  double argument = 0;
  int bits = 0;  ///< Clip: of its integers where they are fewer than those asked for, else 0
};

/// What weights may have at most, whatever was asked for.
inline constexpr int kMostWeightBits = 15;

/// The largest magnitude of a weight of `bits` bits.
constexpr std::int64_t weight_limit(int bits) { return (std::int64_t{1} << (bits - 1)) - 1; }

std::vector<NodeScale> choose_scales(const IntegerGraph& graph, std::span<const NodeStatistics> statistics,
                                     const QuantiseOptions& options);

}  // namespace ap::nn
