// Linear nodes of a float graph as products with patches, forward and transposed, by the kernels of clear_kernels.h.
#pragma once

#include <span>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::approximation {

/// Memory that one thread uses again and again.
struct PatchMemory {
  std::vector<float> patches, transposed;
};

/// y = W x + b. `y` has out.size() values.
void convolve(const nn::ConvOp& op, const nn::Shape& in, const nn::Shape& out, std::span<const float> x,
              std::span<float> y, PatchMemory& memory);
/// x += W^T y.
void convolve_transposed(const nn::ConvOp& op, const nn::Shape& in, const nn::Shape& out,
                         std::span<const float> y, std::span<float> x, PatchMemory& memory);

void connect(const nn::FullyConnectedOp& op, std::span<const float> x, std::span<float> y);
/// x += W^T y.
void connect_transposed(const nn::FullyConnectedOp& op, std::span<const float> y, std::span<float> x);

}  // namespace ap::approximation
