// The elements that a sliding window covers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "nn/ir/graph.h"

namespace ap::nn {

/// Calls visit(output position, index of input element) for every real element under every window.
template <typename Visit>
void for_each_in_window(const Window& w, const Shape& in, const Shape& out, Visit visit) {
  std::size_t position = 0;
  for (int c = 0; c < out.c; ++c) {
    for (int y = 0; y < out.h; ++y) {
      const int top = y * w.stride_h - w.pad.top;
      for (int x = 0; x < out.w; ++x, ++position) {
        const int left = x * w.stride_w - w.pad.left;
        for (int iy = std::max(top, 0); iy < std::min(top + w.kernel_h, in.h); ++iy) {
          for (int ix = std::max(left, 0); ix < std::min(left + w.kernel_w, in.w); ++ix) {
            visit(position, static_cast<std::size_t>((std::int64_t{c} * in.h + iy) * in.w + ix));
          }
        }
      }
    }
  }
}

/// Visits the same elements in runs: visit(position, index, stride, n) stands for output positions position,
/// position + 1, ... and elements index, index + stride, ..., n of each. Never with n = 0.
template <typename Visit>
void for_each_row_in_window(const Window& w, const Shape& in, const Shape& out, Visit visit) {
  for (int c = 0; c < out.c; ++c) {
    for (int y = 0; y < out.h; ++y) {
      for (int ky = 0; ky < w.kernel_h; ++ky) {
        const int iy = y * w.stride_h - w.pad.top + ky;
        if (iy < 0 || iy >= in.h) continue;
        for (int kx = 0; kx < w.kernel_w; ++kx) {
          const int shift = kx - w.pad.left;  // output x reads column x * stride + shift
          const int first = shift >= 0 ? 0 : (-shift + w.stride_w - 1) / w.stride_w;
          const int end = shift >= in.w ? 0 : std::min(out.w, (in.w - 1 - shift) / w.stride_w + 1);
          if (first >= end) continue;
          visit(static_cast<std::size_t>((std::int64_t{c} * out.h + y) * out.w + first),
                static_cast<std::size_t>((std::int64_t{c} * in.h + iy) * in.w + first * w.stride_w + shift),
                static_cast<std::size_t>(w.stride_w), static_cast<std::size_t>(end - first));
        }
      }
    }
  }
}

}  // namespace ap::nn
