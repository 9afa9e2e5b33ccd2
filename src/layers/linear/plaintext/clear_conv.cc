#include "layers/linear/plaintext/clear_conv.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "layers/linear/plaintext/clear_kernels.h"

namespace ap::linear {
namespace {

// Depth of a panel of columns: 256 x 32 x 4 bytes fit the first-level cache.
constexpr std::int64_t kDepth = 256;
// Fewer pixels than this fill too little of a register block; then each output is a dot product.
constexpr std::int64_t kFewPixels = 8;

constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Weights in panels; 0 where they are not used.
std::size_t panel_size(const Geometry& geometry) {
  const std::int64_t pixels = std::int64_t{geometry.out().h} * geometry.out().w;
  if (geometry.in.c == geometry.groups || pixels < kFewPixels) return 0;
  const std::int64_t blocks = ceil_div(geometry.c_out / geometry.groups, kRows);
  return static_cast<std::size_t>(geometry.groups * blocks * geometry.fan_in() * kRows);
}

}  // namespace

std::size_t ClearConv::memory_bytes(const Geometry& geometry) {
  if (const std::size_t panels = panel_size(geometry); panels > 0) return panels * sizeof(std::int32_t);
  return static_cast<std::size_t>(geometry.weight_count()) * sizeof(std::int16_t);
}

ClearConv::ClearConv(const Geometry& geometry, std::span<const std::int16_t> weights) : geometry_(geometry) {
  check(geometry);
  if (weights.size() != static_cast<std::size_t>(geometry.weight_count())) {
    fail_input("a linear layer of this shape has {} weights, but {} were given", geometry.weight_count(),
               weights.size());
  }
  if (panel_size(geometry) == 0) {
    weights_.assign(weights.begin(), weights.end());
    return;
  }
  const std::int64_t outputs = geometry.c_out / geometry.groups, depth = geometry.fan_in();
  const std::int64_t blocks = ceil_div(outputs, kRows);
  panels_.assign(panel_size(geometry), 0);
  for (std::int64_t group = 0; group < geometry.groups; ++group) {
    for (std::int64_t m = 0; m < outputs; ++m) {
      for (std::int64_t k = 0; k < depth; ++k) {
        panels_[static_cast<std::size_t>((((group * blocks + m / kRows) * depth) + k) * kRows + m % kRows)] =
            weights[static_cast<std::size_t>((group * outputs + m) * depth + k)];
      }
    }
  }
}

void ClearConv::apply(std::span<const std::uint32_t> x, std::span<std::uint32_t> y) const { run(x, y); }
void ClearConv::apply(std::span<const std::uint64_t> x, std::span<std::uint64_t> y) const { run(x, y); }

template <typename T>
void ClearConv::run(std::span<const T> x, std::span<T> y) const {
  AP_ASSERT(x.size() == static_cast<std::size_t>(geometry_.in.size()) &&
            y.size() == static_cast<std::size_t>(geometry_.out().size()));
  const std::int64_t pixels = std::int64_t{geometry_.out().h} * geometry_.out().w;
  if (geometry_.in.c == geometry_.groups) {
    run_depthwise(x, y);
  } else if (pixels < kFewPixels) {
    run_columns(x, y);
  } else {
    run_panels(x, y);
  }
}

// Inputs k0 <= k < k1 of `lanes` output pixels from `pixel` on: column[(k - k0) k_step + i pixel_step].
template <typename T>
void ClearConv::gather(std::span<const T> x, int group, std::int64_t k0, std::int64_t k1, std::int64_t pixel,
                       std::int64_t lanes, T* column, std::int64_t k_step, std::int64_t pixel_step) const {
  const nn::Window& w = geometry_.window;
  const int out_w = geometry_.out().w;
  const std::int64_t taps = std::int64_t{w.kernel_h} * w.kernel_w;
  const std::int64_t first_channel = std::int64_t{group} * (geometry_.in.c / geometry_.groups);
  const std::int64_t first_row = pixel / out_w, first_col = pixel % out_w;
  for (std::int64_t k = k0; k < k1; ++k) {
    const T* channel = x.data() + (first_channel + k / taps) * geometry_.in.h * geometry_.in.w;
    const std::int64_t l = k % taps / w.kernel_w - w.pad.top, l2 = k % taps % w.kernel_w - w.pad.left;
    T* out = column + (k - k0) * k_step;
    std::int64_t row = first_row, col = first_col;
    for (std::int64_t i = 0; i < lanes;) {
      // One run of pixels within one output row.
      const std::int64_t run_length = std::min(lanes - i, out_w - col);
      const std::int64_t y = row * w.stride_h + l;
      const bool inside = y >= 0 && y < geometry_.in.h;
      for (std::int64_t j = 0; j < run_length; ++j) {
        const std::int64_t at = (col + j) * w.stride_w + l2;
        out[(i + j) * pixel_step] =
            inside && at >= 0 && at < geometry_.in.w ? channel[y * geometry_.in.w + at] : T{0};
      }
      i += run_length;
      col = 0;
      ++row;
    }
  }
}

template <typename T>
void ClearConv::run_panels(std::span<const T> x, std::span<T> y) const {
  const ClearKernels<T>& kernels = clear_kernels<T>();
  const std::int64_t pixels = std::int64_t{geometry_.out().h} * geometry_.out().w;
  const std::int64_t outputs = geometry_.c_out / geometry_.groups, depth = geometry_.fan_in();
  const std::int64_t blocks = ceil_div(outputs, kRows), tiles = ceil_div(pixels, kLanes);
  // Small maps have few tiles; then the outputs are shared out too, each share gathering its own columns.
  const auto wanted = static_cast<std::int64_t>(2 * thread_count());
  const std::int64_t shares =
      thread_count() == 1 ? 1
                          : std::clamp<std::int64_t>(ceil_div(wanted, geometry_.groups * tiles), 1, blocks);
  const std::int64_t share_blocks = ceil_div(blocks, shares);

  parallel_for(static_cast<std::size_t>(geometry_.groups * tiles * shares), [&](std::size_t task) {
    const std::int64_t share = static_cast<std::int64_t>(task) % shares;
    const std::int64_t tile = static_cast<std::int64_t>(task) / shares % tiles;
    const std::int64_t group = static_cast<std::int64_t>(task) / shares / tiles;
    const std::int64_t first = share * share_blocks, last = std::min(blocks, first + share_blocks);
    if (first >= last) return;
    const std::int64_t pixel = tile * kLanes, lanes = std::min<std::int64_t>(kLanes, pixels - pixel);
    AlignedVector<T> sums(static_cast<std::size_t>((last - first) * kRows * kLanes));
    AlignedVector<T> columns(static_cast<std::size_t>(std::min(depth, kDepth) * kLanes));
    for (std::int64_t k0 = 0; k0 < depth; k0 += kDepth) {
      const std::int64_t k1 = std::min(depth, k0 + kDepth);
      gather(x, static_cast<int>(group), k0, k1, pixel, lanes, columns.data(), kLanes, 1);
      for (std::int64_t block = first; block < last; ++block) {
        kernels.block(panels_.data() + ((group * blocks + block) * depth + k0) * kRows, columns.data(),
                      k1 - k0, sums.data() + (block - first) * kRows * kLanes);
      }
    }
    for (std::int64_t m = first * kRows; m < std::min(outputs, last * kRows); ++m) {
      std::copy_n(sums.data() + (m - first * kRows) * kLanes, lanes,
                  y.data() + (group * outputs + m) * pixels + pixel);
    }
  });
}

template <typename T>
void ClearConv::run_columns(std::span<const T> x, std::span<T> y) const {
  const ClearKernels<T>& kernels = clear_kernels<T>();
  const std::int64_t pixels = std::int64_t{geometry_.out().h} * geometry_.out().w;
  const std::int64_t outputs = geometry_.c_out / geometry_.groups, depth = geometry_.fan_in();
  AlignedVector<T> columns(static_cast<std::size_t>(geometry_.groups * pixels * depth));
  for (int group = 0; group < geometry_.groups; ++group) {
    gather(x, group, 0, depth, 0, pixels, columns.data() + group * pixels * depth, 1, depth);
  }
  constexpr std::int64_t kChunk = 32;
  parallel_for(static_cast<std::size_t>(ceil_div(geometry_.c_out, kChunk)), [&](std::size_t chunk) {
    const std::int64_t begin = static_cast<std::int64_t>(chunk) * kChunk;
    for (std::int64_t o = begin; o < std::min<std::int64_t>(geometry_.c_out, begin + kChunk); ++o) {
      for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
        y[static_cast<std::size_t>(o * pixels + pixel)] = kernels.dot(
            weights_.data() + o * depth, columns.data() + (o / outputs * pixels + pixel) * depth, depth);
      }
    }
  });
}

// One input channel a group, so an output channel is a sum of scaled shifts of one input channel.
template <typename T>
void ClearConv::run_depthwise(std::span<const T> x, std::span<T> y) const {
  const ClearKernels<T>& kernels = clear_kernels<T>();
  const nn::Window& w = geometry_.window;
  const nn::Shape out = geometry_.out();
  const int outputs = geometry_.c_out / geometry_.groups;
  const std::int64_t taps = std::int64_t{w.kernel_h} * w.kernel_w;
  parallel_for(static_cast<std::size_t>(geometry_.groups), [&](std::size_t group) {
    AlignedVector<T> shifted(static_cast<std::size_t>(taps * out.h * out.w));
    gather(x, static_cast<int>(group), 0, taps, 0, std::int64_t{out.h} * out.w, shifted.data(),
           std::int64_t{out.h} * out.w, 1);
    for (int m = 0; m < outputs; ++m) {
      const std::int64_t o = static_cast<std::int64_t>(group) * outputs + m;
      T* sum = y.data() + o * out.h * out.w;
      std::fill_n(sum, std::int64_t{out.h} * out.w, T{0});
      for (std::int64_t t = 0; t < taps; ++t) {
        const auto weight = static_cast<T>(std::int64_t{weights_[static_cast<std::size_t>(o * taps + t)]});
        kernels.add_scaled(weight, shifted.data() + t * out.h * out.w, std::int64_t{out.h} * out.w, sum);
      }
    }
  });
}

}  // namespace ap::linear
