// From the plan's choice for a layer packed by slots to what layers/linear/simd/batched_layer.h takes.
#pragma once

#include "layers/linear/simd/batched_layer.h"
#include "layers/linear/simd/layer_noise.h"
#include "plan/plan.h"

namespace ap::plan {

/// reply_level must be positive.
inline linear::BatchedOptions batched_options(const BatchedChoice& choice) {
  return {choice.conv, choice.fc, choice.flood_bits, static_cast<std::size_t>(choice.reply_level)};
}

inline linear::BatchedLayer batched_layer(const linear::Geometry& geometry, const BatchedChoice& choice,
                                          std::uint32_t n) {
  return linear::batched_layer(geometry, choice.conv, choice.fc, n);
}

}  // namespace ap::plan
