// The integer convolution of the clear executor. Inputs and weights are 16-bit, sums are taken modulo 2^32,
// which is exact whenever the true result fits 32 bits: two's-complement addition is a ring homomorphism, so
// partial sums may wrap. Inputs that do not fit 16 bits go through a plain 64-bit loop.
#pragma once

#include <cstdint>
#include <span>

#include "base/memory.h"
#include "nn/quantised_network.h"

namespace ap::nn {

/// What depends on the weights and shapes only: built once, used for every image.
class LinearKernel {
 public:
  /// `op` must outlive this object; its weights must not change any more (its bias may).
  LinearKernel(const QLinear& op, const Shape& out_shape);
  /// out[o] = sum weights * in + bias[o] modulo 2^32. Safe to call from several threads.
  void run(std::span<const std::int32_t> in, std::span<std::int32_t> out) const;

 private:
  void run_dense(const std::int16_t* padded, std::int32_t* out) const;
  void run_single_position(const std::int16_t* in, std::int32_t* out) const;
  void run_depthwise(const std::int16_t* padded, std::int32_t* out) const;
  void run_wide(std::span<const std::int32_t> in, std::span<std::int32_t> out) const;

  const QLinear* op_;
  Shape out_;
  int padded_h_, padded_w_;
  int depth_;                                ///< products a sum has: c_in / groups * kernel_h * kernel_w
  AlignedVector<std::int32_t> packed_;       ///< [group][block of 4 outputs][pair of taps][output]
  std::vector<std::int32_t> tap_offset_;     ///< of tap k in the padded image of a group
  std::vector<std::int32_t> column_offset_;  ///< of the window of output position n
};

/// Sixteen columns times four rows: sums[row][column] = sum over k of w[k][row] . x[k][column] modulo 2^32,
/// where each w[k][row] and x[k][column] is a pair of 16-bit numbers and "." their inner product.
using TileKernel = void (*)(const std::int32_t* w, const std::int16_t* x, int pairs, std::int32_t* sums);
void tile_kernel_scalar(const std::int32_t* w, const std::int16_t* x, int pairs, std::int32_t* sums);
/// The fastest kernel for this processor.
TileKernel tile_kernel();

}  // namespace ap::nn
