// The integer convolution of the clear executor. Inputs and weights are 16-bit, sums are taken modulo 2^32,
// which is exact whenever the true result fits 32 bits: two's-complement addition is a ring homomorphism, so
// partial sums may wrap. Inputs that do not fit 16 bits go through a plain 64-bit loop.
//
// Inputs are packed two to an element: two channels, or, where a group has one channel, two rows that meet in
// one window. A strided convolution reads several images, its phases: phase (a, b) has the rows a, a +
// stride, ... and the columns b, b + stride, ... of the padded image. So every tap of a window is one shift
// of a packed image, and the kernels of executor_kernels.h need no gathering: the positions of one image, row
// after row, are one long vector, with a few between the rows that mean nothing.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/memory.h"
#include "nn/execute/executor_kernels.h"
#include "nn/ir/quantised_network.h"

namespace ap::nn {

/// What depends on the weights and shapes only: built once, used for every image.
class LinearKernel {
 public:
  /// `op` must outlive this object; its weights must not change any more (its bias may).
  LinearKernel(const QLinear& op, const Shape& out_shape,
               const ExecutorKernels& kernels = executor_kernels());
  /// out[o] = sum weights * in + bias[o] modulo 2^32. Safe to call from several threads.
  void run(std::span<const std::int32_t> in, std::span<std::int32_t> out) const;

 private:
  struct Workspace;
  /// Two weights that one pair of inputs meets: positions in an output's weights, the second -1 if missing.
  struct Tap {
    int first, second;
  };

  void plan_positions();
  void plan_single_position();
  void pack_weights(std::span<const Tap> taps);
  bool run_positions(const std::int32_t* in, std::int32_t* out, Workspace& work) const;
  bool run_single_position(const std::int32_t* in, std::int32_t* out, Workspace& work) const;
  void run_wide(std::span<const std::int32_t> in, std::span<std::int32_t> out) const;
  bool pack_group(const std::int32_t* in, Workspace& work) const;
  void unpack(const std::int32_t* flat, std::int32_t* out, std::int32_t* end) const;

  const QLinear* op_;
  const ExecutorKernels* kernels_;
  Shape out_;
  int group_inputs_, group_outputs_;
  bool single_position_;      ///< lanes hold outputs, not positions
  bool paired_rows_ = false;  ///< a pair is two rows of one channel
  int pairs_ = 0;             ///< packed images a group has, each of all phases
  int phases_h_ = 1, phases_w_ = 1;
  int rows_ = 0, pitch_ = 0;            ///< of one phase of a packed image
  int vectors_ = 0;                     ///< that cover all positions, or outputs
  AlignedVector<std::int32_t> packed_;  ///< pairs of weights [group], then as PairConvolution wants them,
                                        ///< or [group][pair][output] for a single position
  std::vector<std::int32_t> offsets_;   ///< of each tap
  std::vector<std::int32_t> column_;    ///< input that each weight of a single position meets, or -1
};

}  // namespace ap::nn
