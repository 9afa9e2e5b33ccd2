// Inner loops of ClearConv, for integers mod 2^32 and mod 2^64, in one version per instruction set.
#pragma once

#include <cstdint>

namespace ap::linear {

/// Outputs and pixels of one register block.
inline constexpr int kRows = 8;
inline constexpr int kLanes = 32;

template <typename T>
struct ClearKernels {
  /// sums[kRows][kLanes] += weights[k][kRows]^T columns[k][kLanes], k < depth.
  void (*block)(const std::int32_t* weights, const T* columns, std::int64_t depth, T* sums);
  /// sum of weights[k] x[k], k < depth.
  T (*dot)(const std::int16_t* weights, const T* x, std::int64_t depth);
  /// y[i] += weight x[i], i < count.
  void (*add_scaled)(T weight, const T* x, std::int64_t count, T* y);
};

/// The versions by name, for tests: "scalar", "avx2", "avx512". The caller checks that the processor has it.
template <typename T>
ClearKernels<T> clear_kernels(const char* name);
/// The fastest version that this processor has.
template <typename T>
const ClearKernels<T>& clear_kernels();

}  // namespace ap::linear
