// The public shape of a linear layer, from which every packing derives its counts, sizes and indices.
#pragma once

#include <cstdint>

#include "nn/ir/quantised_network.h"

namespace ap::linear {

/// A convolution, or (input {n_in, 1, 1}, kernel 1x1) a fully connected layer.
struct Geometry {
  nn::Shape in;
  nn::Window window;
  int groups = 1;
  int c_out = 0;

  nn::Shape out() const { return {c_out, window.out_h(in.h), window.out_w(in.w)}; }
  /// Inputs that one output sees: c_in / groups * kernel_h * kernel_w.
  std::int64_t fan_in() const { return std::int64_t{in.c / groups} * window.kernel_h * window.kernel_w; }
  std::int64_t weight_count() const { return c_out * fan_in(); }
  friend bool operator==(const Geometry&, const Geometry&) = default;
};

Geometry geometry_of(const nn::QLinear& layer, int c_out);

/// @throws Error(input) naming the first dimension that is not positive, does not divide or is too large.
void check(const Geometry& geometry);

}  // namespace ap::linear
