#include "nn/integer_executor_linear.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/cpu.h"

namespace ap::nn {
namespace {

constexpr int kRows = 4;
constexpr int kColumns = 16;

std::size_t index(int i) { return static_cast<std::size_t>(i); }

std::uint32_t product(std::int16_t a, std::int16_t b) {
  return static_cast<std::uint32_t>(std::int32_t{a} * b);
}

std::int32_t pair(std::int16_t first, std::int16_t second) {
  const std::int16_t both[2] = {first, second};
  std::int32_t packed;
  std::memcpy(&packed, both, sizeof packed);
  return packed;
}

// vpmaddwd cannot overflow here: it would need four factors of -32768, and weights stay above that.
__attribute__((target("avx2"))) void tile_kernel_avx2(const std::int32_t* w, const std::int16_t* x, int pairs,
                                                      std::int32_t* sums) {
  __m256i acc[kRows][2];
  for (auto& row : acc) row[0] = row[1] = _mm256_setzero_si256();
  for (int k = 0; k < pairs; ++k) {
    const __m256i left = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + k * 2 * kColumns));
    const __m256i right =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + k * 2 * kColumns + kColumns));
    for (int row = 0; row < kRows; ++row) {
      const __m256i weight = _mm256_set1_epi32(w[k * kRows + row]);
      acc[row][0] = _mm256_add_epi32(acc[row][0], _mm256_madd_epi16(weight, left));
      acc[row][1] = _mm256_add_epi32(acc[row][1], _mm256_madd_epi16(weight, right));
    }
  }
  for (int row = 0; row < kRows; ++row) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + row * kColumns), acc[row][0]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + row * kColumns + 8), acc[row][1]);
  }
}

}  // namespace

void tile_kernel_scalar(const std::int32_t* w, const std::int16_t* x, int pairs, std::int32_t* sums) {
  std::uint32_t acc[kRows][kColumns] = {};
  for (int k = 0; k < pairs; ++k) {
    for (int row = 0; row < kRows; ++row) {
      std::int16_t weight[2];
      std::memcpy(weight, &w[k * kRows + row], sizeof weight);
      const std::int16_t* column = x + k * 2 * kColumns;
      for (int j = 0; j < kColumns; ++j) {
        acc[row][j] += product(weight[0], column[2 * j]) + product(weight[1], column[2 * j + 1]);
      }
    }
  }
  std::memcpy(sums, acc, sizeof acc);
}

TileKernel tile_kernel() { return cpu().avx2 ? tile_kernel_avx2 : tile_kernel_scalar; }

LinearKernel::LinearKernel(const QLinear& op, const Shape& out_shape) : op_(&op), out_(out_shape) {
  const Window& w = op.window;
  padded_h_ = op.in_shape.h + w.pad.top + w.pad.bottom;
  padded_w_ = op.in_shape.w + w.pad.left + w.pad.right;
  const int group_inputs = op.in_shape.c / op.groups;
  depth_ = group_inputs * w.kernel_h * w.kernel_w;
  for (int c = 0; c < group_inputs; ++c) {
    for (int y = 0; y < w.kernel_h; ++y) {
      for (int x = 0; x < w.kernel_w; ++x) tap_offset_.push_back((c * padded_h_ + y) * padded_w_ + x);
    }
  }
  for (int y = 0; y < out_.h; ++y) {
    for (int x = 0; x < out_.w; ++x) column_offset_.push_back(y * w.stride_h * padded_w_ + x * w.stride_w);
  }
  if (group_inputs == 1 || column_offset_.size() == 1) return;  // these read the weights as they are

  const int group_outputs = out_.c / op.groups;
  for (int g = 0; g < op.groups; ++g) {
    for (int block = 0; block < group_outputs; block += kRows) {
      for (int k = 0; k < depth_; k += 2) {
        for (int row = block; row < block + kRows; ++row) {
          const bool exists = row < group_outputs;
          const std::int16_t* weights = op.weights.data() + index(g * group_outputs + row) * index(depth_);
          packed_.push_back(exists ? pair(weights[k], k + 1 < depth_ ? weights[k + 1] : std::int16_t{0}) : 0);
        }
      }
    }
  }
}

void LinearKernel::run(std::span<const std::int32_t> in, std::span<std::int32_t> out) const {
  const auto [low, high] = std::minmax_element(in.begin(), in.end());
  if (*low < std::numeric_limits<std::int16_t>::min() || *high > std::numeric_limits<std::int16_t>::max()) {
    run_wide(in, out);
    return;
  }
  const Shape& shape = op_->in_shape;
  const Padding& pad = op_->window.pad;
  AlignedVector<std::int16_t> padded(index(shape.c) * index(padded_h_) * index(padded_w_), 0);
  const std::int32_t* from = in.data();
  for (int c = 0; c < shape.c; ++c) {
    for (int y = 0; y < shape.h; ++y, from += shape.w) {
      std::int16_t* to = padded.data() +
                         (index(c) * index(padded_h_) + index(y + pad.top)) * index(padded_w_) +
                         index(pad.left);
      for (int x = 0; x < shape.w; ++x) to[x] = static_cast<std::int16_t>(from[x]);
    }
  }
  if (shape.c == op_->groups) {
    run_depthwise(padded.data(), out.data());
  } else if (column_offset_.size() == 1) {
    run_single_position(padded.data(), out.data());
  } else {
    run_dense(padded.data(), out.data());
  }
}

void LinearKernel::run_dense(const std::int16_t* padded, std::int32_t* out) const {
  const TileKernel kernel = tile_kernel();
  const int pairs = (depth_ + 1) / 2;
  const int positions = static_cast<int>(column_offset_.size());
  const int group_outputs = out_.c / op_->groups;
  const int blocks = (group_outputs + kRows - 1) / kRows;
  const std::size_t group_size = index(op_->in_shape.c / op_->groups) * index(padded_h_) * index(padded_w_);
  AlignedVector<std::int16_t> tile(index(pairs) * 2 * kColumns, 0);
  std::int32_t sums[kRows * kColumns];
  for (int g = 0; g < op_->groups; ++g) {
    const std::int16_t* image = padded + index(g) * group_size;
    for (int first = 0; first < positions; first += kColumns) {
      const int columns = std::min(kColumns, positions - first);
      for (int k = 0; k < depth_; ++k) {
        const std::int16_t* source = image + tap_offset_[index(k)];
        std::int16_t* to = tile.data() + index(k / 2) * 2 * kColumns + (k & 1);
        for (int j = 0; j < columns; ++j) to[2 * j] = source[column_offset_[index(first + j)]];
      }
      for (int block = 0; block < blocks; ++block) {
        kernel(packed_.data() + index(g * blocks + block) * index(pairs) * kRows, tile.data(), pairs, sums);
        const int rows = std::min(kRows, group_outputs - block * kRows);
        for (int row = 0; row < rows; ++row) {
          const std::size_t o = index(g * group_outputs + block * kRows + row);
          const auto bias = static_cast<std::uint32_t>(op_->bias[o]);
          std::int32_t* to = out + o * index(positions) + first;
          const std::int32_t* sum = sums + row * kColumns;
          for (int j = 0; j < columns; ++j) {
            to[j] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum[j]) + bias);
          }
        }
      }
    }
  }
}

void LinearKernel::run_single_position(const std::int16_t* padded, std::int32_t* out) const {
  const int group_outputs = out_.c / op_->groups;
  std::vector<std::int16_t> column(index(depth_));
  for (int g = 0; g < op_->groups; ++g) {
    const std::int16_t* image =
        padded + index(g) * index(op_->in_shape.c / op_->groups) * index(padded_h_) * index(padded_w_);
    for (int k = 0; k < depth_; ++k) column[index(k)] = image[tap_offset_[index(k)]];
    for (int row = 0; row < group_outputs; ++row) {
      const std::size_t o = index(g * group_outputs + row);
      const std::int16_t* weights = op_->weights.data() + o * index(depth_);
      auto sum = static_cast<std::uint32_t>(op_->bias[o]);
      for (int k = 0; k < depth_; ++k) sum += product(weights[k], column[index(k)]);
      out[o] = static_cast<std::int32_t>(sum);
    }
  }
}

void LinearKernel::run_depthwise(const std::int16_t* padded, std::int32_t* out) const {
  const Window& w = op_->window;
  const int multiplier = out_.c / op_->groups;
  std::vector<std::uint32_t> sums(index(out_.w));
  for (int o = 0; o < out_.c; ++o) {
    const std::int16_t* image = padded + index(o / multiplier) * index(padded_h_) * index(padded_w_);
    const std::int16_t* weights = op_->weights.data() + index(o) * index(depth_);
    for (int y = 0; y < out_.h; ++y) {
      std::fill(sums.begin(), sums.end(), static_cast<std::uint32_t>(op_->bias[index(o)]));
      for (int ky = 0; ky < w.kernel_h; ++ky) {
        const std::int16_t* row = image + index(y * w.stride_h + ky) * index(padded_w_);
        for (int kx = 0; kx < w.kernel_w; ++kx) {
          const std::int16_t weight = weights[ky * w.kernel_w + kx];
          for (int x = 0; x < out_.w; ++x) sums[index(x)] += product(weight, row[x * w.stride_w + kx]);
        }
      }
      for (std::uint32_t sum : sums) *out++ = static_cast<std::int32_t>(sum);
    }
  }
}

void LinearKernel::run_wide(std::span<const std::int32_t> in, std::span<std::int32_t> out) const {
  const QLinear& op = *op_;
  const Window& w = op.window;
  const int group_inputs = op.in_shape.c / op.groups, group_outputs = out_.c / op.groups;
  std::int32_t* to = out.data();
  for (int o = 0; o < out_.c; ++o) {
    for (int y = 0; y < out_.h; ++y) {
      for (int x = 0; x < out_.w; ++x) {
        auto sum = static_cast<std::uint64_t>(op.bias[index(o)]);
        for (int c = 0; c < group_inputs; ++c) {
          for (int ky = 0; ky < w.kernel_h; ++ky) {
            const int iy = y * w.stride_h + ky - w.pad.top;
            for (int kx = 0; kx < w.kernel_w; ++kx) {
              const int ix = x * w.stride_w + kx - w.pad.left;
              if (iy < 0 || iy >= op.in_shape.h || ix < 0 || ix >= op.in_shape.w) continue;
              const int channel = o / group_outputs * group_inputs + c;
              const std::int64_t weight =
                  op.weights[(index(o) * index(group_inputs) + index(c)) * index(w.kernel_h * w.kernel_w) +
                             index(ky * w.kernel_w + kx)];
              sum += static_cast<std::uint64_t>(
                  weight *
                  in[(index(channel) * index(op.in_shape.h) + index(iy)) * index(op.in_shape.w) + index(ix)]);
            }
          }
        }
        *to++ = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
      }
    }
  }
}

}  // namespace ap::nn
