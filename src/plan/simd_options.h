// From the plan's choice for a layer packed for SIMD to what layers/linear/simd/simd_layer.h takes.
#pragma once

#include "layers/linear/simd/layer_noise.h"
#include "layers/linear/simd/linear.h"
#include "plan/plan.h"

namespace ap::plan {

/// reply_level must be positive.
inline linear::SimdOptions simd_options(const SimdChoice& choice) {
  return {choice.conv, choice.fc, choice.flood_bits, static_cast<std::size_t>(choice.reply_level)};
}

inline linear::SimdLayer simd_layer(const linear::Geometry& geometry, const SimdChoice& choice,
                                    std::uint32_t n) {
  return linear::simd_layer(geometry, choice.conv, choice.fc, n);
}

}  // namespace ap::plan
