// What a linear layer packed for SIMD does and how noisy its replies are, from public shapes alone.
#pragma once

#include <cstdint>
#include <vector>

#include "layers/linear/simd/conv.h"
#include "layers/linear/simd/fc.h"
#include "layers/linear/simd/noise.h"

namespace ap::linear {

/// A linear layer that is packed for SIMD: a convolution, or a matrix if its input is a vector and it has no
/// groups.
bool is_matrix(const Geometry& geometry);

/// What one layer does in one ring by one method: shapes only.
struct SimdLayer {
  SimdCounts counts;
  std::vector<SimdTerms> terms;  ///< the distinct noises of its replies
};
/// @throws Error(input) if the layer does not fit.
SimdLayer simd_layer(const Geometry& geometry, SimdConvMethod conv_method, SimdFcMethod fc_method,
                     std::uint32_t n);

/// Noise of the noisiest reply, before it is flooded.
noise::SimdNoise worst_noise(const SimdLayer& layer, const bfv::BatchParameters& parameters);

}  // namespace ap::linear
