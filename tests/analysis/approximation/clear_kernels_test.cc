#include "analysis/approximation/clear_kernels.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "he/circuits/chebyshev_series.h"
#include "tests/analysis/approximation/small_networks.h"

namespace ap::approximation {
namespace {

TEST(ClearKernels, ProductsAreRightAndTheSameEverywhere) {
  using Sizes = std::array<std::size_t, 3>;
  for (const auto& [rows, depth, width] : {Sizes{1, 1, 1}, Sizes{8, 9, 32}, Sizes{11, 27, 75}}) {
    const std::vector<float> weights = normal_values(rows * depth, 1, 1),
                             columns = normal_values(depth * width, 1, 2);
    const std::size_t stride = width + 3;
    const std::vector<float> start = normal_values(rows * stride, 1, 3);
    std::vector<float> first;
    for (const ClearKernels* kernels : all_clear_kernels()) {
      std::vector<float> out = start;
      kernels->multiply_add(rows, depth, width, weights.data(), columns.data(), out.data(), stride);
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t i = 0; i < stride; ++i) {
          double sum = double{start[r * stride + i]};
          for (std::size_t k = 0; k < depth && i < width; ++k)
            sum += double{weights[r * depth + k]} * double{columns[k * width + i]};
          ASSERT_NEAR(double{out[r * stride + i]}, sum, 2e-5) << kernels->name << ' ' << r << ' ' << i;
        }
      }
      if (first.empty()) first = out;
      EXPECT_EQ(first, out) << kernels->name;
    }
  }
}

TEST(ClearKernels, PolynomialsAreRightAndTheSameEverywhere) {
  const std::vector<float> x = normal_values(203, 0.8F, 4), coefficients = normal_values(15, 1, 5);
  const circuits::ChebyshevSeries series{-2, 2, {coefficients.begin(), coefficients.end()}};
  std::vector<float> first;
  for (const ClearKernels* kernels : all_clear_kernels()) {
    std::vector<float> y = x;  // in place
    kernels->evaluate({coefficients.data(), coefficients.size(), 0.5F}, x.size(), y.data(), y.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = series(double{x[i]});
      ASSERT_NEAR(double{y[i]}, expected, 1e-4 * (1 + std::abs(expected))) << kernels->name << ' ' << i;
    }
    if (first.empty()) first = y;
    EXPECT_EQ(first, y) << kernels->name;
  }
}

TEST(ClearKernels, CountWhatLiesOutside) {
  std::vector<float> x(100, 0.5F);
  x[3] = -2;
  x[98] = 1.25F;
  x[50] = 1;  // the end itself is inside
  x[60] = std::numeric_limits<float>::quiet_NaN();
  for (const ClearKernels* kernels : all_clear_kernels()) {
    float largest = 0;
    EXPECT_EQ(kernels->outside(x.size(), x.data(), 1, largest), 3U) << kernels->name;
    EXPECT_EQ(largest, 2) << kernels->name;
    float more = 7;
    EXPECT_EQ(kernels->outside(2, x.data(), 1, more), 0U);
    EXPECT_EQ(more, 7);
  }
}

}  // namespace
}  // namespace ap::approximation
