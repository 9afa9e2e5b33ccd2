#include "nn/execute/float_kernels.h"

#include <Eigen/Core>
#include <algorithm>
#include <cstring>

namespace ap::nn {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Strided = Eigen::OuterStride<>;

std::ptrdiff_t wide(int v) { return v; }

/// The output positions whose tap at offset `k` falls inside the image: [begin, end).
struct Span {
  int begin, end;
};
Span inside(int size, int out, int stride, int pad, int k) {
  const int first = pad - k;  // stride * o >= first
  const int begin = first > 0 ? (first + stride - 1) / stride : 0;
  const int last = size - 1 + pad - k;  // stride * o <= last
  const int end = last < 0 ? 0 : std::min(out, last / stride + 1);
  return {std::min(begin, end), end};
}

/// Rows [y0, y1) of the patch matrix [channels * kernel_h * kernel_w][(y1 - y0) * out_w] (im2col).
void gather_patches(const Window& w, const Shape& in, int channels, int out_w, int y0, int y1, const float* x,
                    float* patches) {
  for (int c = 0; c < channels; ++c) {
    const float* plane = x + wide(c) * in.h * in.w;
    for (int ky = 0; ky < w.kernel_h; ++ky) {
      for (int kx = 0; kx < w.kernel_w; ++kx) {
        const Span columns = inside(in.w, out_w, w.stride_w, w.pad.left, kx);
        for (int oy = y0; oy < y1; ++oy, patches += out_w) {
          const int iy = oy * w.stride_h - w.pad.top + ky;
          if (iy < 0 || iy >= in.h || columns.begin >= columns.end) {
            std::fill_n(patches, out_w, 0.0F);
            continue;
          }
          std::fill(patches, patches + columns.begin, 0.0F);
          std::fill(patches + columns.end, patches + out_w, 0.0F);
          const float* row = plane + wide(iy) * in.w;
          if (w.stride_w == 1) {
            std::memcpy(patches + columns.begin, row + columns.begin - w.pad.left + kx,
                        sizeof(float) * static_cast<std::size_t>(columns.end - columns.begin));
          } else {
            for (int ox = columns.begin; ox < columns.end; ++ox) {
              patches[ox] = row[wide(ox) * w.stride_w - w.pad.left + kx];
            }
          }
        }
      }
    }
  }
}

/// One input and one output plane: adds kernel * x to y.
void convolve_plane(const Window& w, const Shape& in, const Shape& out, const float* kernel, const float* x,
                    float* y) {
  for (int ky = 0; ky < w.kernel_h; ++ky) {
    const Span rows = inside(in.h, out.h, w.stride_h, w.pad.top, ky);
    for (int kx = 0; kx < w.kernel_w; ++kx) {
      const float weight = kernel[wide(ky) * w.kernel_w + kx];
      const Span columns = inside(in.w, out.w, w.stride_w, w.pad.left, kx);
      for (int oy = rows.begin; oy < rows.end; ++oy) {
        const float* row = x + (wide(oy) * w.stride_h - w.pad.top + ky) * in.w;
        float* to = y + wide(oy) * out.w;
        if (w.stride_w == 1) {
          const std::ptrdiff_t offset = wide(kx) - w.pad.left;
          for (int ox = columns.begin; ox < columns.end; ++ox) to[ox] += weight * row[ox + offset];
        } else {
          for (int ox = columns.begin; ox < columns.end; ++ox) {
            to[ox] += weight * row[wide(ox) * w.stride_w - w.pad.left + kx];
          }
        }
      }
    }
  }
}

bool is_pointwise(const Window& w) {
  return w.kernel_h == 1 && w.kernel_w == 1 && w.stride_h == 1 && w.stride_w == 1 && w.pad == Padding{};
}

/// weights[c_out][depth] times the patches of `channels` input channels, some output rows at a time so that
/// the patches stay in the cache.
void convolve_group(const Window& w, const Shape& in, int channels, const Shape& out, int c_out,
                    const float* weights, const float* x, float* y, Scratch& scratch) {
  constexpr std::ptrdiff_t kPatchFloats = 1 << 16;
  const std::ptrdiff_t depth = wide(channels) * w.kernel_h * w.kernel_w, plane = wide(out.h) * out.w;
  const Eigen::Map<const Matrix> matrix(weights, c_out, depth);
  if (is_pointwise(w)) {
    Eigen::Map<Matrix>(y, c_out, plane).noalias() += matrix * Eigen::Map<const Matrix>(x, depth, plane);
    return;
  }
  const auto rows = static_cast<int>(std::clamp<std::ptrdiff_t>(kPatchFloats / (depth * out.w), 1, out.h));
  scratch.resize(static_cast<std::size_t>(depth * rows * out.w));
  for (int y0 = 0; y0 < out.h; y0 += rows) {
    const int y1 = std::min(out.h, y0 + rows);
    gather_patches(w, in, channels, out.w, y0, y1, x, scratch.data());
    const std::ptrdiff_t width = wide(y1 - y0) * out.w;
    Eigen::Map<Matrix, 0, Strided>(y + wide(y0) * out.w, c_out, width, Strided(plane)).noalias() +=
        matrix * Eigen::Map<const Matrix>(scratch.data(), depth, width);
  }
}

}  // namespace

void convolve(const ConvOp& op, const Shape& in, const Shape& out, const float* x, float* y,
              Scratch& scratch) {
  const std::ptrdiff_t in_plane = wide(in.h) * in.w, out_plane = wide(out.h) * out.w;
  for (int c = 0; c < out.c; ++c)
    std::fill_n(y + c * out_plane, out_plane, op.bias[static_cast<std::size_t>(c)]);
  const int c_in = in.c / op.groups, c_out = out.c / op.groups;
  const std::ptrdiff_t taps = wide(op.window.kernel_h) * op.window.kernel_w;
  for (int g = 0; g < op.groups; ++g) {
    const float* weights = op.weights.data() + wide(g) * c_out * c_in * taps;
    const float* from = x + wide(g) * c_in * in_plane;
    float* to = y + wide(g) * c_out * out_plane;
    if (c_in == 1) {
      for (int o = 0; o < c_out; ++o) {
        convolve_plane(op.window, in, out, weights + o * taps, from, to + o * out_plane);
      }
    } else {
      convolve_group(op.window, in, c_in, out, c_out, weights, from, to, scratch);
    }
  }
}

void fully_connect(const FullyConnectedOp& op, const Shape& in, const float* x, float* y) {
  const auto n_out = static_cast<Eigen::Index>(op.bias.size());
  Eigen::Map<Eigen::VectorXf> result(y, n_out);
  result = Eigen::Map<const Eigen::VectorXf>(op.bias.data(), n_out);
  result.noalias() += Eigen::Map<const Matrix>(op.weights.data(), n_out, in.size()) *
                      Eigen::Map<const Eigen::VectorXf>(x, in.size());
}

namespace {

/// Calls visit(output index, first row, end row, first column, end column) for every window, clipped to the
/// image.
template <typename Visit>
void for_each_window(const Window& w, const Shape& in, const Shape& out, Visit visit) {
  for (int oy = 0; oy < out.h; ++oy) {
    const int top = oy * w.stride_h - w.pad.top;
    for (int ox = 0; ox < out.w; ++ox) {
      const int left = ox * w.stride_w - w.pad.left;
      visit(wide(oy) * out.w + ox, std::max(0, top), std::min(in.h, top + w.kernel_h), std::max(0, left),
            std::min(in.w, left + w.kernel_w));
    }
  }
}

}  // namespace

void max_pool(const Window& window, const Shape& in, const Shape& out, const float* x, float* y) {
  for (int c = 0; c < in.c; ++c, x += wide(in.h) * in.w, y += wide(out.h) * out.w) {
    for_each_window(window, in, out, [&](std::ptrdiff_t o, int y0, int y1, int x0, int x1) {
      float best = x[wide(y0) * in.w + x0];
      for (int iy = y0; iy < y1; ++iy) {
        for (int ix = x0; ix < x1; ++ix) best = std::max(best, x[wide(iy) * in.w + ix]);
      }
      y[o] = best;
    });
  }
}

void average_pool(const AveragePoolOp& op, const Shape& in, const Shape& out, const float* x, float* y) {
  const double whole = static_cast<double>(op.window.kernel_h) * op.window.kernel_w;
  for (int c = 0; c < in.c; ++c, x += wide(in.h) * in.w, y += wide(out.h) * out.w) {
    for_each_window(op.window, in, out, [&](std::ptrdiff_t o, int y0, int y1, int x0, int x1) {
      double sum = 0;
      for (int iy = y0; iy < y1; ++iy) {
        for (int ix = x0; ix < x1; ++ix) sum += static_cast<double>(x[wide(iy) * in.w + ix]);
      }
      const double real = static_cast<double>(y1 - y0) * (x1 - x0);
      y[o] = static_cast<float>(sum / (op.count_include_pad ? whole : real) * double{op.factor});
    });
  }
}

}  // namespace ap::nn
