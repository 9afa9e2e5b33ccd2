// The convolution by its definition, modulo 2^64, and random shapes for the tests of this module.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "layers/linear/coefficient/layout.h"

namespace ap::linear {

inline std::vector<std::uint64_t> naive_conv(const Geometry& g, const std::vector<std::uint64_t>& x,
                                             const std::vector<std::int16_t>& weights) {
  const nn::Shape out = g.out();
  const nn::Window& w = g.window;
  const int c_group = g.in.c / g.groups, m_group = g.c_out / g.groups;
  std::vector<std::uint64_t> y(static_cast<std::size_t>(out.size()));
  for (int o = 0; o < out.c; ++o) {
    for (int i = 0; i < out.h; ++i) {
      for (int j = 0; j < out.w; ++j) {
        std::uint64_t sum = 0;
        for (int c = 0; c < c_group; ++c) {
          for (int l = 0; l < w.kernel_h; ++l) {
            for (int k = 0; k < w.kernel_w; ++k) {
              const int row = i * w.stride_h + l - w.pad.top, column = j * w.stride_w + k - w.pad.left;
              if (row < 0 || row >= g.in.h || column < 0 || column >= g.in.w) continue;
              const int channel = o / m_group * c_group + c;
              const auto weight =
                  weights[static_cast<std::size_t>(((o * c_group + c) * w.kernel_h + l) * w.kernel_w + k)];
              sum += x[static_cast<std::size_t>((channel * g.in.h + row) * g.in.w + column)] *
                     static_cast<std::uint64_t>(std::int64_t{weight});
            }
          }
        }
        y[static_cast<std::size_t>((o * out.h + i) * out.w + j)] = sum;
      }
    }
  }
  return y;
}

using Random = std::mt19937_64;
inline int pick(Random& random, int low, int high) {
  return low + static_cast<int>(random() % static_cast<std::uint64_t>(high - low + 1));
}

inline std::vector<std::int16_t> random_weights(const Geometry& g, Random& random, int bits = 16) {
  std::vector<std::int16_t> weights(static_cast<std::size_t>(g.weight_count()));
  for (auto& w : weights) w = static_cast<std::int16_t>(static_cast<std::int16_t>(random()) >> (16 - bits));
  return weights;
}

inline std::vector<std::uint64_t> random_values(std::size_t count, Random& random, int bits = 64) {
  std::vector<std::uint64_t> x(count);
  for (auto& v : x) v = random() >> (64 - bits);
  return x;
}

inline Geometry random_geometry(Random& random, int max_side, int max_channels) {
  for (;;) {
    Geometry g;
    const int kind = pick(random, 0, 4);
    g.groups = kind == 0 ? pick(random, 2, max_channels) : 1;  // grouped, often depthwise
    const int per_group = kind == 0 ? pick(random, 1, 2) : pick(random, 1, max_channels);
    g.in.c = g.groups * per_group;
    g.c_out = g.groups * (kind == 0 ? pick(random, 1, 2) : pick(random, 1, max_channels));
    if (kind == 1) {  // fully connected
      g.in.c = pick(random, 1, 300);
      g.c_out = pick(random, 1, 40);
      return g;
    }
    g.in.h = pick(random, 1, max_side);
    g.in.w = pick(random, 1, max_side);
    nn::Window& w = g.window;
    w.kernel_h = pick(random, 1, 5);
    w.kernel_w = pick(random, 1, 5);
    w.stride_h = pick(random, 1, 3);
    w.stride_w = pick(random, 1, 3);
    if (pick(random, 0, 2) != 0) {
      w.pad = {pick(random, 0, 3), pick(random, 0, 3), pick(random, 0, 3), pick(random, 0, 3)};
    }
    if (pick(random, 0, 2) == 0) {  // the common "same" padding
      w.kernel_w = w.kernel_h;
      const int p = w.kernel_h / 2;
      w.pad = {p, p, p, p};
    }
    if (g.in.h + w.pad.top + w.pad.bottom >= w.kernel_h && g.in.w + w.pad.left + w.pad.right >= w.kernel_w) {
      return g;
    }
  }
}

inline Packing random_packing(const Geometry& g, Random& random) {
  Packing p;
  p.phases = pick(random, 0, 1) == 1;
  const ReducedMap map = reduce(g, p.phases);
  p.window_h = pick(random, 0, 1) ? map.h : pick(random, map.kernel_h, map.h);
  p.window_w = pick(random, 0, 1) ? map.w : pick(random, map.kernel_w, map.w);
  p.channels_in = pick(random, 1, map.channels_in);
  p.channels_out = pick(random, 1, map.channels_out);
  p.groups = pick(random, 1, g.groups);
  return p;
}

}  // namespace ap::linear
