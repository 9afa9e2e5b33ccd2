#include "nn/execute/executor_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "nn/ir/window_visit.h"

namespace ap::nn {
namespace {

using Values = std::vector<std::int32_t>;

/// Numbers of all sizes, and every now and then one at the end of its range.
class Numbers {
 public:
  explicit Numbers(unsigned seed) : random_(seed) {}
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  std::int32_t any() {
    constexpr std::int32_t kEnds[] = {std::numeric_limits<std::int32_t>::min(),
                                      std::numeric_limits<std::int32_t>::max(),
                                      -32769,
                                      -32768,
                                      -1,
                                      0,
                                      32767,
                                      32768};
    if (pick(0, 7) == 0) return kEnds[pick(0, 7)];
    return static_cast<std::int32_t>(random_()) >> pick(0, 31);
  }
  /// Two 16-bit halves, with `extreme` each of them at an end.
  std::int32_t any_pair(bool extreme) {
    if (!extreme) return static_cast<std::int32_t>(random_());
    const auto half = [&] { return random_() & 1 ? 0x8000U : 0x7fffU; };
    return static_cast<std::int32_t>(half() << 16 | half());
  }
  template <typename F>
  Values vector(std::size_t n, F f) {
    Values v(n);
    std::generate(v.begin(), v.end(), f);
    return v;
  }

 private:
  std::mt19937 random_;
};

TEST(ExecutorKernels, ConvolutionsEqualTheirDefinition) {
  Numbers numbers(1);
  for (int trial = 0; trial < 120; ++trial) {
    const int rows = numbers.pick(1, 19), vectors = numbers.pick(1, 8), taps = numbers.pick(1, 60);
    const bool extreme = trial % 3 == 0;
    const auto pair = [&] { return numbers.any_pair(extreme); };
    const Values weights = numbers.vector(static_cast<std::size_t>(rows * taps), pair);
    const Values offsets =
        numbers.vector(static_cast<std::size_t>(taps), [&] { return numbers.pick(0, 50); });
    const Values image = numbers.vector(static_cast<std::size_t>(vectors * kPositions + 50), pair);
    const Values bias = numbers.vector(static_cast<std::size_t>(rows), [&] { return numbers.any(); });
    const auto stride = static_cast<std::size_t>(vectors * kPositions + 3);
    Values wanted(static_cast<std::size_t>(rows) * stride, 77);
    const auto half = [](std::int32_t v, int which) {
      return std::int64_t{static_cast<std::int16_t>(v >> (16 * which))};
    };
    for (int row = 0, before = 0; row < rows;) {
      const int block = row_block(rows - row);
      for (int r = 0; r < block; ++r) {
        for (int i = 0; i < vectors * kPositions; ++i) {
          std::int64_t sum = bias[static_cast<std::size_t>(row + r)];
          for (int t = 0; t < taps; ++t) {
            const std::int32_t w = weights[static_cast<std::size_t>(before + t * block + r)];
            const std::int32_t x = image[static_cast<std::size_t>(i + offsets[static_cast<std::size_t>(t)])];
            sum += half(w, 0) * half(x, 0) + half(w, 1) * half(x, 1);
          }
          wanted[static_cast<std::size_t>(row + r) * stride + static_cast<std::size_t>(i)] =
              static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
        }
      }
      before += block * taps;
      row += block;
    }
    for (const ExecutorKernels* kernels : all_executor_kernels()) {
      Values out(wanted.size(), 77);
      kernels->convolve({weights.data(), offsets.data(), taps, image.data(), bias.data(), rows, vectors,
                         out.data(), stride});
      ASSERT_EQ(out, wanted) << kernels->name << " rows " << rows << " vectors " << vectors << " taps "
                             << taps;
    }
  }
}

TEST(ExecutorKernels, LoopsEqualTheirDefinition) {
  Numbers numbers(2);
  const auto narrow = [](std::int64_t v) { return static_cast<std::int32_t>(static_cast<std::uint32_t>(v)); };
  for (int trial = 0; trial < 200; ++trial) {
    const auto n = static_cast<std::size_t>(numbers.pick(1, 70)),
               stride = static_cast<std::size_t>(numbers.pick(1, 3));
    const auto any = [&] { return numbers.any(); };
    const Values x = numbers.vector(n * stride, any), y = numbers.vector(n, any),
                 start = numbers.vector(n, any);
    const int shift = numbers.pick(1, 31), a = numbers.pick(-300, 300), b = numbers.pick(-300, 300);
    const Truncate clamp{shift, trial % 4 ? std::min(a, b) : std::numeric_limits<std::int32_t>::min(),
                         trial % 4 ? std::max(a, b) : std::numeric_limits<std::int32_t>::max()};
    const Polynomial poly{a, b, numbers.pick(-3, 3), numbers.pick(0, 20), clamp.low, clamp.high};
    const std::vector<std::int64_t> wide(y.begin(), y.end());
    const auto factor = static_cast<std::uint32_t>(numbers.any());
    Values small(n);
    for (std::size_t i = 0; i < n; ++i) small[i] = x[i] >> 16;
    Values picked(n), truncated(n), even(n), evaluated(n), added(n), larger(n);
    for (std::size_t i = 0; i < n; ++i) {
      const auto clamped = [&](std::int64_t v) {
        return narrow(std::clamp<std::int64_t>(v, clamp.low, clamp.high));
      };
      const std::int64_t t = small[i];
      picked[i] = x[i * stride];
      truncated[i] = clamped((std::int64_t{x[i]} + y[i]) >> shift);
      even[i] = clamped((std::int64_t{x[i]} + y[0]) >> shift);
      evaluated[i] = clamped((poly.c0 + poly.c1 * t + poly.c2 * t * t + wide[i]) >> poly.shift);
      added[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(start[i]) +
                                           factor * static_cast<std::uint32_t>(picked[i]));
      larger[i] = std::max(start[i], picked[i]);
    }
    for (const ExecutorKernels* k : all_executor_kernels()) {
      Values out(n);
      k->pick(x.data(), stride, n, out.data());
      EXPECT_EQ(out, picked) << k->name;
      k->truncate(clamp, x.data(), y.data(), n, out.data());
      EXPECT_EQ(out, truncated) << k->name << " " << shift;
      k->truncate_evenly(clamp, x.data(), y[0], n, out.data());
      EXPECT_EQ(out, even) << k->name << " " << shift;
      k->polynomial(poly, small.data(), wide.data(), n, out.data());
      EXPECT_EQ(out, evaluated) << k->name;
      out = start;
      k->add_scaled(x.data(), stride, factor, n, out.data());
      EXPECT_EQ(out, added) << k->name;
      out = start;
      k->maximum(x.data(), stride, n, out.data());
      EXPECT_EQ(out, larger) << k->name;
    }
  }
}

TEST(ExecutorKernels, PackingRefusesWhatDoesNotFit) {
  for (const ExecutorKernels* k : all_executor_kernels()) {
    for (std::size_t n = 1; n < 50; ++n) {
      Values a(n, -32768), b(n, 32767), out(n);
      EXPECT_TRUE(k->pack_pairs(a.data(), b.data(), n, out.data()));
      EXPECT_EQ(out, Values(n, 0x7fff8000)) << k->name;
      a[n - 1] = -32769;
      EXPECT_FALSE(k->pack_pairs(a.data(), b.data(), n, out.data())) << k->name;
      a[n - 1] = 0;
      b[n / 2] = 32768;
      EXPECT_FALSE(k->pack_pairs(a.data(), b.data(), n, out.data())) << k->name;
    }
  }
}

TEST(WindowVisit, RowsCoverTheSameElements) {
  Numbers numbers(3);
  for (int trial = 0; trial < 300; ++trial) {
    Window w;
    w.kernel_h = numbers.pick(1, 4), w.kernel_w = numbers.pick(1, 4);
    w.stride_h = numbers.pick(1, 3), w.stride_w = numbers.pick(1, 3);
    w.pad = {numbers.pick(0, 3), numbers.pick(0, 3), numbers.pick(0, 3), numbers.pick(0, 3)};
    const Shape in{2, numbers.pick(4, 9), numbers.pick(4, 9)}, out{2, w.out_h(in.h), w.out_w(in.w)};
    std::vector<std::pair<std::size_t, std::size_t>> single, rows;
    for_each_in_window(w, in, out, [&](std::size_t o, std::size_t i) { single.emplace_back(o, i); });
    for_each_row_in_window(w, in, out, [&](std::size_t o, std::size_t i, std::size_t stride, std::size_t n) {
      for (std::size_t k = 0; k < n; ++k) rows.emplace_back(o + k, i + k * stride);
    });
    std::ranges::sort(single);
    std::ranges::sort(rows);
    ASSERT_EQ(single, rows) << trial;
  }
}

}  // namespace
}  // namespace ap::nn
