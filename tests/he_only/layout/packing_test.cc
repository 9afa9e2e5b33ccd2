#include "he_only/layout/packing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/he_only/networks.h"

namespace ap::he_only {
namespace {

using testing::random_floats;

// A convolution by its definition, with a dilated kernel.
std::vector<double> convolved(const nn::ConvOp& op, const nn::Shape& in, const nn::Shape& out,
                              const std::vector<float>& x) {
  const nn::Window& w = op.window;
  const int c_in = in.c / op.groups, c_out = out.c / op.groups;
  std::vector<double> y;
  for (int o = 0; o < out.c; ++o) {
    for (int oy = 0; oy < out.h; ++oy) {
      for (int ox = 0; ox < out.w; ++ox) {
        double sum = 0;
        for (int c = 0; c < c_in; ++c) {
          for (int ky = 0; ky < w.kernel_h; ++ky) {
            for (int kx = 0; kx < w.kernel_w; ++kx) {
              const int iy = oy * w.stride_h + ky - w.pad.top, ix = ox * w.stride_w + kx - w.pad.left;
              if (iy < 0 || iy >= in.h || ix < 0 || ix >= in.w) continue;
              const int channel = o / c_out * c_in + c;
              sum += double{op.weights[static_cast<std::size_t>(
                         ((o * c_in + c) * w.kernel_h + ky) * w.kernel_w + kx)]} *
                     x[static_cast<std::size_t>((channel * in.h + iy) * in.w + ix)];
            }
          }
        }
        y.push_back(sum);
      }
    }
  }
  return y;
}

// What the server computes: every pair of ciphertexts by its diagonals, and the folds, on slots that repeat.
std::vector<double> by_slots(const SparseMap& map, const Layout& in, const Layout& out,
                             const std::vector<float>& x) {
  std::vector<double> y(map.rows());
  for (std::size_t to = 0; to < out.ciphertexts; ++to) {
    std::vector<circuits::Complex> sum(out.period);
    for (std::size_t from = 0; from < in.ciphertexts; ++from) {
      const auto packed = pack(map, in, out, from, to, 2.0);
      const auto expected = diagonals_of(map, in, out)[to][from];
      if (!packed) {
        EXPECT_TRUE(expected.empty());
        continue;
      }
      std::vector<std::size_t> numbers;
      for (const auto& [number, values] : packed->matrix.diagonals()) numbers.push_back(number);
      EXPECT_EQ(numbers, expected);
      const std::size_t size = packed->matrix.size();
      std::vector<circuits::Complex> slots(size);
      for (std::size_t i = 0; i < map.columns; ++i) {
        const std::size_t slot = in.slot(i);
        if (slot / in.period != from) continue;
        for (std::size_t copy = slot % in.period; copy < size; copy += in.period) slots[copy] = x[i];
      }
      std::vector<circuits::Complex> product = packed->matrix * slots;
      for (const std::size_t step : packed->folds) {
        std::vector<circuits::Complex> rotated(size);
        for (std::size_t i = 0; i < size; ++i) rotated[i] = product[i] + product[(i + step) % size];
        product = rotated;
      }
      for (std::size_t i = 0; i < size; ++i)
        EXPECT_NEAR(std::abs(product[i] - product[i % out.period]), 0, 1e-9);
      for (std::size_t i = 0; i < out.period; ++i) sum[i] += product[i];
    }
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t slot = out.slot(i);
      if (slot / out.period == to) y[i] = sum[slot % out.period].real() / 2;
    }
  }
  return y;
}

void expect_near(const std::vector<double>& x, const std::vector<double>& y) {
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], y[i], 1e-5) << i;
}

TEST(Packing, EveryStridePaddingDilationAndGroupIsTheConvolution) {
  std::mt19937 random(7);
  const nn::Shape in{4, 9, 8};
  int count = 0;
  for (const int kernel : {1, 2, 3, 5}) {
    for (const int stride : {1, 2, 3}) {
      for (const int pad : {0, 1, 2}) {
        for (const int dilation : {1, 2}) {
          for (const int groups : {1, 2, 4}) {
            const int wide = (kernel - 1) * dilation + 1;
            if (wide > in.w + 2 * pad || (kernel == 1 && dilation > 1)) continue;
            nn::ConvOp op;
            op.window = {wide, wide, stride, stride, {pad, pad / 2, pad, pad}};
            op.groups = groups;
            const nn::Shape out{8, op.window.out_h(in.h), op.window.out_w(in.w)};
            if (out.h < 1 || out.w < 1) continue;
            op.weights =
                random_floats(static_cast<std::size_t>(out.c * in.c / groups * wide * wide), 1, random);
            for (std::size_t i = 0; i < op.weights.size(); ++i) {
              const int ky = static_cast<int>(i) / wide % wide, kx = static_cast<int>(i) % wide;
              if (ky % dilation != 0 || kx % dilation != 0) op.weights[i] = 0;
            }
            op.bias.resize(8);
            const std::vector<float> x = random_floats(static_cast<std::size_t>(in.size()), 1, random);
            const SparseMap map = convolution_map(op, in, out);
            // One ciphertext, and several of 128 slots.
            for (const std::size_t most : {std::size_t{4096}, std::size_t{128}}) {
              const Layout from = dense_layout(in, most), to = layout_after(from, out, most);
              SCOPED_TRACE(::testing::Message()
                           << "kernel " << kernel << " stride " << stride << " pad " << pad << " dilation "
                           << dilation << " groups " << groups << " slots " << most);
              expect_near(by_slots(map, from, to, x), convolved(op, in, out, x));
              ++count;
            }
          }
        }
      }
    }
  }
  EXPECT_GT(count, 300);
}

TEST(Packing, StridedLayersFollowEachOtherInOneGrid) {
  std::mt19937 random(8);
  const nn::Shape a{3, 16, 16}, b{8, 8, 8}, c{16, 4, 4};
  const Layout first = dense_layout(a, 1024), second = layout_after(first, b, 1024),
               third = layout_after(second, c, 1024);
  EXPECT_EQ(second.gap, 2);
  EXPECT_EQ(third.gap, 4);
  EXPECT_EQ(third.period, 256U);  // sixteen channels in one plane of 16 x 16
  std::set<std::size_t> slots;
  for (std::size_t i = 0; i < static_cast<std::size_t>(c.size()); ++i) slots.insert(third.slot(i));
  EXPECT_EQ(slots.size(), 256U);
  EXPECT_EQ(*slots.rbegin(), 255U);
  nn::ConvOp op{testing::window(3, 2, 1), 1, random_floats(16 * 8 * 9, 1, random), std::vector<float>(16)};
  const std::vector<float> x = random_floats(static_cast<std::size_t>(b.size()), 1, random);
  const SparseMap map = convolution_map(op, b, c);
  expect_near(by_slots(map, second, third, x), convolved(op, b, c, x));
}

TEST(Packing, ResNetHasAsManyDiagonalsAsPublished) {
  // 144 of 16 channels at 32 x 32, 392 of 32 at 16 x 16 and 900 of 64 at 8 x 8 (Orion's packing of ResNet-20).
  std::mt19937 random(9);
  Layout layout = dense_layout({16, 32, 32}, 32768);
  const int channels[] = {16, 32, 64}, sizes[] = {32, 16, 8};
  const std::size_t expected[] = {144, 392, 900};
  for (int stage = 0; stage < 3; ++stage) {
    const nn::Shape shape{channels[stage], sizes[stage], sizes[stage]};
    layout = layout_after(layout, shape, 32768);
    const auto weights = static_cast<std::size_t>(shape.c) * static_cast<std::size_t>(shape.c) * 9;
    const nn::ConvOp op{testing::window(3, 1, 1), 1, random_floats(weights, 1, random), {}};
    const SparseMap map = convolution_map(op, shape, shape);
    EXPECT_EQ(diagonals_of(map, layout, layout)[0][0].size(), expected[stage]);
  }
}

TEST(Packing, FullyConnectedFoldsToFewSlots) {
  std::mt19937 random(10);
  const nn::FullyConnectedOp op{random_floats(10 * 300, 1, random), std::vector<float>(10)};
  const std::vector<float> x = random_floats(300, 1, random);
  std::vector<double> expected(10);
  for (std::size_t i = 0; i < 10; ++i) {
    for (std::size_t j = 0; j < 300; ++j) expected[i] += double{op.weights[i * 300 + j]} * x[j];
  }
  const Layout in = dense_layout({300, 1, 1}, 4096), out = dense_layout({10, 1, 1}, 4096);
  EXPECT_EQ(in.period, 512U);
  EXPECT_EQ(out.period, 16U);
  const SparseMap map = fully_connected_map(op, 300);
  expect_near(by_slots(map, in, out, x), expected);
  EXPECT_EQ(diagonals_of(map, in, out)[0][0].size(), 16U);
  EXPECT_EQ(fold_steps(512, 16), (std::vector<std::size_t>{16, 32, 64, 128, 256}));
  // The other way, from few slots to many.
  const nn::FullyConnectedOp back{random_floats(300 * 10, 1, random), std::vector<float>(300)};
  const std::vector<float> y = random_floats(10, 1, random);
  std::vector<double> more(300);
  for (std::size_t i = 0; i < 300; ++i) {
    for (std::size_t j = 0; j < 10; ++j) more[i] += double{back.weights[i * 10 + j]} * y[j];
  }
  expect_near(by_slots(fully_connected_map(back, 10), out, in, y), more);
}

}  // namespace
}  // namespace ap::he_only
