// The definition of each operator, written as plainly as possible and in double precision, to compare with.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "nn/ir/graph.h"

namespace ap::nn::naive {

struct ConvParameters {
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  Padding pad;
  int groups;
};

inline double pixel(const Tensor& t, int c, int y, int x) {
  if (y < 0 || y >= t.shape.h || x < 0 || x >= t.shape.w) return 0;
  return static_cast<double>(t.data[static_cast<std::size_t>((c * t.shape.h + y) * t.shape.w + x)]);
}

inline Tensor conv(const Tensor& in, const std::vector<float>& weights, const std::vector<float>& bias,
                   int c_out, const ConvParameters& p) {
  const int wide_h = (p.kernel_h - 1) * p.dilation_h + 1, wide_w = (p.kernel_w - 1) * p.dilation_w + 1;
  Tensor out;
  out.shape = {c_out, (in.shape.h + p.pad.top + p.pad.bottom - wide_h) / p.stride_h + 1,
               (in.shape.w + p.pad.left + p.pad.right - wide_w) / p.stride_w + 1};
  const int c_in = in.shape.c / p.groups, per_group = c_out / p.groups;
  for (int o = 0; o < c_out; ++o) {
    for (int y = 0; y < out.shape.h; ++y) {
      for (int x = 0; x < out.shape.w; ++x) {
        double sum = static_cast<double>(bias[static_cast<std::size_t>(o)]);
        for (int c = 0; c < c_in; ++c) {
          for (int ky = 0; ky < p.kernel_h; ++ky) {
            for (int kx = 0; kx < p.kernel_w; ++kx) {
              const auto w = static_cast<std::size_t>(((o * c_in + c) * p.kernel_h + ky) * p.kernel_w + kx);
              sum += static_cast<double>(weights[w]) * pixel(in, o / per_group * c_in + c,
                                                             y * p.stride_h - p.pad.top + ky * p.dilation_h,
                                                             x * p.stride_w - p.pad.left + kx * p.dilation_w);
            }
          }
        }
        out.data.push_back(static_cast<float>(sum));
      }
    }
  }
  return out;
}

/// kind 0: maximum; 1: average of the real elements; 2: average with the padding as zeros.
inline Tensor pool(const Tensor& in, const Window& w, int kind) {
  Tensor out;
  out.shape = {in.shape.c, w.out_h(in.shape.h), w.out_w(in.shape.w)};
  for (int c = 0; c < in.shape.c; ++c) {
    for (int y = 0; y < out.shape.h; ++y) {
      for (int x = 0; x < out.shape.w; ++x) {
        double sum = 0, best = -std::numeric_limits<double>::infinity();
        int real = 0;
        for (int ky = 0; ky < w.kernel_h; ++ky) {
          for (int kx = 0; kx < w.kernel_w; ++kx) {
            const int iy = y * w.stride_h - w.pad.top + ky, ix = x * w.stride_w - w.pad.left + kx;
            if (iy < 0 || iy >= in.shape.h || ix < 0 || ix >= in.shape.w) continue;
            ++real;
            sum += pixel(in, c, iy, ix);
            best = std::max(best, pixel(in, c, iy, ix));
          }
        }
        const double value = kind == 0 ? best : sum / (kind == 1 ? real : w.kernel_h * w.kernel_w);
        out.data.push_back(static_cast<float>(value));
      }
    }
  }
  return out;
}

}  // namespace ap::nn::naive
