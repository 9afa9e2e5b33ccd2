#include "analysis/approximation/linear_maps.h"

#include <algorithm>
#include <cstddef>

#include "analysis/approximation/clear_kernels.h"

namespace ap::approximation {
namespace {

// Patches of so many values are multiplied at a time: they stay in the second-level cache.
constexpr std::size_t kPatchValues = 1 << 16;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// Calls run(row of the patch matrix, place in it, index of the input, stride, count) for every run of inputs that one tap
// of one channel meets in output rows [first, end); places count from the first of these rows.
template <typename Run>
void for_each_run(const nn::Window& w, const nn::Shape& in, int out_w, int channels, int first, int end,
                  Run run) {
  std::size_t tap = 0;
  for (int c = 0; c < channels; ++c) {
    for (int ky = 0; ky < w.kernel_h; ++ky) {
      for (int kx = 0; kx < w.kernel_w; ++kx, ++tap) {
        const int shift = kx - w.pad.left;
        const int x0 = shift >= 0 ? 0 : (-shift + w.stride_w - 1) / w.stride_w;
        const int x1 = shift >= in.w ? 0 : std::min(out_w, (in.w - 1 - shift) / w.stride_w + 1);
        if (x0 >= x1) continue;
        for (int y = first; y < end; ++y) {
          const int iy = y * w.stride_h - w.pad.top + ky;
          if (iy < 0 || iy >= in.h) continue;
          run(tap, at(y - first) * at(out_w) + at(x0),
              (at(c) * at(in.h) + at(iy)) * at(in.w) + at(x0 * w.stride_w + shift), at(w.stride_w),
              at(x1 - x0));
        }
      }
    }
  }
}

// Calls block(first, end) for output rows whose patches fit.
template <typename Block>
void for_each_block(std::size_t depth, const nn::Shape& out, Block block) {
  const int rows = static_cast<int>(
      std::clamp<std::size_t>(kPatchValues / std::max<std::size_t>(1, depth * at(out.w)), 1, at(out.h)));
  for (int first = 0; first < out.h; first += rows) block(first, std::min(out.h, first + rows));
}

}  // namespace

void convolve(const nn::ConvOp& op, const nn::Shape& in, const nn::Shape& out, std::span<const float> x,
              std::span<float> y, PatchMemory& memory) {
  const int c_in = in.c / op.groups, c_out = out.c / op.groups;
  const std::size_t plane = at(out.h) * at(out.w), depth = at(c_in * op.window.kernel_h * op.window.kernel_w);
  for (std::size_t c = 0; c < at(out.c); ++c) std::fill_n(y.data() + c * plane, plane, op.bias[c]);
  for_each_block(depth, out, [&](int first, int end) {
    const std::size_t width = at(end - first) * at(out.w);
    for (std::size_t g = 0; g < at(op.groups); ++g) {
      memory.patches.assign(depth * width, 0);
      const float* from = x.data() + g * at(c_in) * at(in.h) * at(in.w);
      for_each_run(op.window, in, out.w, c_in, first, end,
                   [&](std::size_t tap, std::size_t place, std::size_t i, std::size_t stride, std::size_t n) {
                     float* to = memory.patches.data() + tap * width + place;
                     for (std::size_t k = 0; k < n; ++k) to[k] = from[i + k * stride];
                   });
      clear_kernels().multiply_add(at(c_out), depth, width, op.weights.data() + g * at(c_out) * depth,
                                   memory.patches.data(),
                                   y.data() + g * at(c_out) * plane + at(first) * at(out.w), plane);
    }
  });
}

void convolve_transposed(const nn::ConvOp& op, const nn::Shape& in, const nn::Shape& out,
                         std::span<const float> y, std::span<float> x, PatchMemory& memory) {
  const int c_in = in.c / op.groups, c_out = out.c / op.groups;
  const std::size_t plane = at(out.h) * at(out.w), depth = at(c_in * op.window.kernel_h * op.window.kernel_w);
  std::vector<float> columns;
  for_each_block(depth, out, [&](int first, int end) {
    const std::size_t width = at(end - first) * at(out.w);
    for (std::size_t g = 0; g < at(op.groups); ++g) {
      const float* weights = op.weights.data() + g * at(c_out) * depth;
      memory.transposed.resize(depth * at(c_out));
      columns.resize(at(c_out) * width);
      for (std::size_t o = 0; o < at(c_out); ++o) {
        for (std::size_t k = 0; k < depth; ++k) memory.transposed[k * at(c_out) + o] = weights[o * depth + k];
        std::copy_n(y.data() + (g * at(c_out) + o) * plane + at(first) * at(out.w), width,
                    columns.data() + o * width);
      }
      memory.patches.assign(depth * width, 0);
      clear_kernels().multiply_add(depth, at(c_out), width, memory.transposed.data(), columns.data(),
                                   memory.patches.data(), width);
      float* to = x.data() + g * at(c_in) * at(in.h) * at(in.w);
      for_each_run(op.window, in, out.w, c_in, first, end,
                   [&](std::size_t tap, std::size_t place, std::size_t i, std::size_t stride, std::size_t n) {
                     const float* from = memory.patches.data() + tap * width + place;
                     for (std::size_t k = 0; k < n; ++k) to[i + k * stride] += from[k];
                   });
    }
  });
}

void connect(const nn::FullyConnectedOp& op, std::span<const float> x, std::span<float> y) {
  std::copy(op.bias.begin(), op.bias.end(), y.begin());
  clear_kernels().multiply_add(y.size(), x.size(), 1, op.weights.data(), x.data(), y.data(), 1);
}

void connect_transposed(const nn::FullyConnectedOp& op, std::span<const float> y, std::span<float> x) {
  for (std::size_t o = 0; o < y.size(); ++o) {
    const float* row = op.weights.data() + o * x.size();
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[o] * row[i];
  }
}

}  // namespace ap::approximation
