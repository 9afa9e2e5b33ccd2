// Operations that the float and the integer executor share, over batches [n, c, h, w]. Only for .cc files.
#pragma once

#include <ATen/ATen.h>

#include "nn/ir/graph.h"

namespace ap::train {

/// A constant tensor of indices for gather().
struct GatherIndex {
  explicit GatherIndex(const std::vector<std::int32_t>& index);
  at::Tensor places;  ///< int64, 0 where nothing is read
  at::Tensor mask;    ///< 1 or, where nothing is read, 0; undefined if all is read
};

/// x with the window's padding of `value` around.
at::Tensor padded(const at::Tensor& x, const nn::Padding& pad, double value);
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weights, const at::Tensor& bias,
                    const nn::Window& window, int groups);
at::Tensor max_pool(const at::Tensor& x, const nn::Window& window);
/// The sum over each window, padding counting as zero, divided by `divisor`.
at::Tensor sum_pool(const at::Tensor& x, const nn::Window& window, std::int64_t divisor);
at::Tensor gather(const at::Tensor& x, const GatherIndex& index, const nn::Shape& out);
/// The value of `forward` with the gradient of x: straight through.
at::Tensor straight_through(const at::Tensor& x, const at::Tensor& forward);

}  // namespace ap::train
