// The arithmetic that running polynomial networks in the clear spends its time with, for every instruction set: every result
// is the same bit for bit, because sums run in one order and every step is fused or rounded once.
#pragma once

#include <cstddef>
#include <span>

namespace ap::approximation {

/// A polynomial in Chebyshev's basis of t = x * factor (a symmetric interval).
struct FloatSeries {
  const float* coefficients = nullptr;
  std::size_t count = 0;
  float factor = 1;
};

struct ClearKernels {
  const char* name;
  /// out[r * out_stride + i] += sum_k weights[r * depth + k] * columns[k * width + i], in the order of k.
  void (*multiply_add)(std::size_t rows, std::size_t depth, std::size_t width, const float* weights,
                       const float* columns, float* out, std::size_t out_stride);
  /// y[i] = p(x[i]) by Clenshaw's recurrence; y may be x.
  void (*evaluate)(const FloatSeries& p, std::size_t n, const float* x, float* y);
  /// How many of x are not in [-bound, bound] (numbers that are none among them), and in `largest` the greatest absolute
  /// value, which it does not lower.
  std::size_t (*outside)(std::size_t n, const float* x, float bound, float& largest);
};

/// The plain kernels, and those of each instruction set that this processor has, fastest last.
std::span<const ClearKernels* const> all_clear_kernels();
/// The fastest.
const ClearKernels& clear_kernels();

}  // namespace ap::approximation
