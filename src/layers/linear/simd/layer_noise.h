// What a linear layer packed by slots does and how noisy its replies are, from public shapes alone.
#pragma once

#include <cstdint>
#include <vector>

#include "layers/linear/simd/batched_conv.h"
#include "layers/linear/simd/batched_fc.h"
#include "layers/linear/simd/noise.h"

namespace ap::linear {

/// A linear layer that is packed by slots: a convolution, or a matrix if its input is a vector and it has no
/// groups.
bool is_matrix(const Geometry& geometry);

/// What one layer does in one ring by one method: shapes only.
struct BatchedLayer {
  BatchedCounts counts;
  std::vector<BatchedTerms> terms;  ///< the distinct noises of its replies
};
/// @throws Error(input) if the layer does not fit.
BatchedLayer batched_layer(const Geometry& geometry, BatchedConvMethod conv_method, BatchedFcMethod fc_method,
                           std::uint32_t n);

/// Noise of the noisiest reply, before it is flooded.
noise::BatchedNoise worst_noise(const BatchedLayer& layer, const bfv::BatchParameters& parameters);

}  // namespace ap::linear
