// The inner loops of the integer executor, compiled for every instruction set and chosen once at run time.
// All of them compute modulo 2^32 and agree bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ap::nn {

/// Positions that a vector of a convolution holds.
inline constexpr int kPositions = 16;
/// Outputs whose weights stand together: blocks of 8 while there are as many left, then of 4, 2 and 1.
constexpr int row_block(int rows_left) {
  return rows_left >= 8 ? 8 : rows_left >= 4 ? 4 : rows_left >= 2 ? 2 : 1;
}

/// A sum of products of pairs at many positions of an image. A pair is two 16-bit numbers in one 32-bit
/// element, low half first, and "." the inner product of two:
///   out[row * row_stride + i] = bias[row] + sum over t of weights(row, t) . image[i + offsets[t]]
/// for rows 0 .. rows - 1 and i = 0 .. kPositions * vectors - 1; `image` is readable as far as that reaches.
struct PairConvolution {
  const std::int32_t* weights = nullptr;  ///< [block of outputs, see row_block][tap][output of the block]
  const std::int32_t* offsets = nullptr;  ///< of each tap
  int taps = 0;
  const std::int32_t* image = nullptr;
  const std::int32_t* bias = nullptr;
  int rows = 0, vectors = 0;
  std::int32_t* out = nullptr;
  std::size_t row_stride = 0;
};

/// out = min(max(floor((x + offset) / 2^shift), low), high), shift 0 to 31.
struct Truncate {
  int shift = 0;
  std::int32_t low = 0, high = 0;
};

/// out = min(max(floor((c0 + c1 t + c2 t^2 + offset) / 2^shift), low), high) in 64 bits.
struct Polynomial {
  std::int64_t c0 = 0, c1 = 0, c2 = 0;
  int shift = 0;
  std::int64_t low = 0, high = 0;
};

/// Arrays do not overlap unless said otherwise.
struct ExecutorKernels {
  const char* name;
  void (*convolve)(const PairConvolution& c);
  /// out[i] = the pair (first[i], second[i]); false if one of the numbers does not fit 16 bits.
  bool (*pack_pairs)(const std::int32_t* first, const std::int32_t* second, std::size_t n, std::int32_t* out);
  /// out[i] = in[i * stride].
  void (*pick)(const std::int32_t* in, std::size_t stride, std::size_t n, std::int32_t* out);
  void (*truncate)(const Truncate& op, const std::int32_t* x, const std::int32_t* offset, std::size_t n,
                   std::int32_t* out);
  /// `truncate` with the same offset everywhere.
  void (*truncate_evenly)(const Truncate& op, const std::int32_t* x, std::int32_t offset, std::size_t n,
                          std::int32_t* out);
  void (*polynomial)(const Polynomial& op, const std::int32_t* t, const std::int64_t* offset, std::size_t n,
                     std::int32_t* out);
  /// out[i] += factor * in[i * stride].
  void (*add_scaled)(const std::int32_t* in, std::size_t stride, std::uint32_t factor, std::size_t n,
                     std::int32_t* out);
  /// out[i] = max(out[i], in[i * stride]).
  void (*maximum)(const std::int32_t* in, std::size_t stride, std::size_t n, std::int32_t* out);
};

/// The plain kernels, and those of each instruction set that this processor has, fastest last.
std::span<const ExecutorKernels* const> all_executor_kernels();
/// The fastest.
const ExecutorKernels& executor_kernels();

}  // namespace ap::nn
