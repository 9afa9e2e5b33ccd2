// The elements that a sliding window covers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "nn/graph.h"

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

}  // namespace ap::nn
