#include "layers/linear/coefficient/layout.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "tests/layers/linear/reference.h"

namespace ap::linear {
namespace {

// sum += x * w mod X^n + 1 mod 2^64, by the definition.
void negacyclic_multiply_add(const std::vector<std::uint64_t>& x, const std::vector<std::int32_t>& w,
                             std::vector<std::uint64_t>& sum) {
  const std::size_t n = x.size();
  for (std::size_t j = 0; j < n; ++j) {
    if (w[j] == 0) continue;
    const auto weight = static_cast<std::uint64_t>(std::int64_t{w[j]});
    for (std::size_t i = 0; i < n - j; ++i) sum[i + j] += x[i] * weight;
    for (std::size_t i = n - j; i < n; ++i) sum[i + j - n] -= x[i] * weight;
  }
}

struct Result {
  std::vector<std::uint64_t> y;
  Counts counted;
};

// The whole layer through the packing, on plain integers. Fails the test unless every output is read once.
Result through_packing(const Layout& layout, const std::vector<std::uint64_t>& x,
                       const std::vector<std::int16_t>& weights) {
  Result result;
  result.y.assign(static_cast<std::size_t>(layout.geometry().out().size()), 0);
  std::vector<int> times(result.y.size(), 0);
  std::vector<std::vector<std::uint64_t>> inputs(layout.uploads(), std::vector<std::uint64_t>(layout.n()));
  std::vector<std::vector<std::int32_t>> kernels(layout.weight_polynomials(),
                                                 std::vector<std::int32_t>(layout.n()));
  for (std::size_t i = 0; i < inputs.size(); ++i) layout.encode_input(i, x, inputs[i]);
  for (std::size_t i = 0; i < kernels.size(); ++i) layout.encode_weights(i, weights, kernels[i]);
  std::set<std::size_t> used_uploads, used_kernels;
  for (std::size_t r = 0; r < layout.replies(); ++r) {
    std::vector<std::uint64_t> sum(layout.n());
    for (std::size_t t = 0; t < layout.terms(); ++t) {
      negacyclic_multiply_add(inputs.at(layout.first_upload(r) + t), kernels.at(layout.first_weight(r) + t),
                              sum);
      used_uploads.insert(layout.first_upload(r) + t);
      used_kernels.insert(layout.first_weight(r) + t);
      ++result.counted.products;
    }
    std::int64_t before = -1;
    for (const OutputPosition& read : layout.reads(r)) {
      EXPECT_GT(std::int64_t{read.position}, before) << "positions must ascend and differ";
      before = read.position;
      result.y.at(read.output) = sum.at(read.position);
      ++times.at(read.output);
    }
  }
  for (const int t : times) EXPECT_EQ(t, 1);
  result.counted.uploads = static_cast<std::int64_t>(used_uploads.size());
  result.counted.weight_polynomials = static_cast<std::int64_t>(used_kernels.size());
  result.counted.replies = static_cast<std::int64_t>(layout.replies());
  return result;
}

std::string describe(const Geometry& g, const Packing& p, std::int64_t n) {
  const nn::Window& w = g.window;
  return fmt::format(
      "{}x{}x{} -> {} groups {} kernel {}x{} stride {}x{} pad {},{},{},{}; window {}x{} C {} M {} G {} "
      "phases {} n {}",
      g.in.h, g.in.w, g.in.c, g.c_out, g.groups, w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad.top,
      w.pad.left, w.pad.bottom, w.pad.right, p.window_h, p.window_w, p.channels_in, p.channels_out, p.groups,
      p.phases, n);
}

TEST(Layout, EqualsTheConvolutionForThousandsOfShapes) {
  Random random(1);
  int tested = 0, with_phases = 0, grouped = 0, exact = 0, split = 0;
  while (tested < 4000) {
    const Geometry g = random_geometry(random, 14, 6);
    const Packing p = random_packing(g, random);
    const std::int64_t needed = coefficients_needed(g, p);
    if (needed > 1024) continue;
    std::uint32_t n = 64;
    while (n < needed) n *= 2;
    // The bound itself: with one coefficient less the product must already wrap somewhere, with exactly this
    // many it must not. The layout does not need a power of two.
    if (pick(random, 0, 1) == 0) n = static_cast<std::uint32_t>(needed), ++exact;
    const Layout layout(g, p, n);
    const auto x = random_values(static_cast<std::size_t>(g.in.size()), random);
    const auto weights = random_weights(g, random);
    const Result result = through_packing(layout, x, weights);
    ASSERT_EQ(result.y, naive_conv(g, x, weights)) << describe(g, p, n);
    ASSERT_EQ(result.counted, layout.counts()) << describe(g, p, n);
    if (testing::Test::HasFailure()) FAIL() << describe(g, p, n);
    ++tested;
    with_phases += reduce(g, p.phases).phases_h * reduce(g, p.phases).phases_w > 1;
    grouped += p.groups > 1;
    split += layout.counts().replies > 1;
  }
  EXPECT_GT(with_phases, 300);
  EXPECT_GT(grouped, 100);
  EXPECT_GT(exact, 1000);
  EXPECT_GT(split, 1000);
}

TEST(Layout, CountsOfKnownLayers) {
  // 8x8x64 -> 64, 3x3: a padded channel takes 9 * 9 coefficients, so 25 fit in 2048 where 100 each would
  // give 20.
  const Geometry g{{64, 8, 8}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 64};
  const Packing p{10, 10, 5, 5, 1, false};
  EXPECT_EQ(coefficients_needed(g, p), 25 * 81);
  EXPECT_EQ(counts(g, p), (Counts{13, 13, 169, 169}));
  // Cheetah's own count with d_C = ceil(C / C_w), d_M = ceil(M / M_w), d_H = ceil((H-h+1)/(H_w-h+1)).
  const Packing windows{6, 10, 8, 4, 1, false};
  EXPECT_EQ(counts(g, windows), (Counts{8 * 2, 16 * 2, 8 * 16 * 2, 8 * 16}));
  // A 1x1 kernel of stride 2 needs one phase of four.
  const Geometry shortcut{{16, 32, 32}, {1, 1, 2, 2, {}}, 1, 32};
  EXPECT_EQ(reduce(shortcut, true).channels_in, 16);
  EXPECT_EQ(coefficients_needed(shortcut, {16, 16, 8, 1, 1, true}), 8 * 256);
}

TEST(Layout, DepthwiseGroupsShareAPolynomial) {
  const Geometry g{{192, 16, 16}, {3, 3, 1, 1, {1, 1, 1, 1}}, 192, 192};
  EXPECT_EQ(coefficients_needed(g, {18, 18, 1, 1, 3, false}), 7 * 17 * 17);
  EXPECT_EQ(counts(g, {18, 18, 1, 1, 3, false}), (Counts{64, 64, 64, 64}));
}

TEST(ProgressionFree, HasNoMidpoints) {
  for (int count = 1; count <= 40; ++count) {
    const std::vector<int> set = progression_free(count);
    ASSERT_EQ(static_cast<int>(set.size()), count);
    for (std::size_t i = 0; i < set.size(); ++i) {
      for (std::size_t j = 0; j < set.size(); ++j) {
        for (std::size_t k = 0; k < set.size(); ++k) {
          if (i == j && j == k) continue;
          EXPECT_NE(set[i] + set[j], 2 * set[k]) << count;
        }
      }
    }
  }
}

TEST(Layout, RefusesWhatDoesNotFit) {
  const Geometry g{{4, 8, 8}, {3, 3, 1, 1, {1, 1, 1, 1}}, 1, 4};
  EXPECT_THROW(Layout(g, {10, 10, 4, 4, 1, false}, 1024), Error);  // 16 * 81 > 1024
  EXPECT_THROW(Layout(g, {11, 10, 1, 1, 1, false}, 1024), Error);
  EXPECT_THROW(Layout(g, {2, 10, 1, 1, 1, false}, 1024), Error);
  EXPECT_THROW(Layout(g, {10, 10, 5, 1, 1, false}, 1024), Error);
  EXPECT_THROW(Layout(g, {10, 10, 1, 1, 2, false}, 1024), Error);
  EXPECT_THROW(Layout(g, {10, 10, 0, 1, 1, false}, 1024), Error);
  Geometry bad = g;
  bad.groups = 3;
  EXPECT_THROW(check(bad), Error);
  bad = g;
  bad.window.stride_w = 0;
  EXPECT_THROW(check(bad), Error);
  bad = g;
  bad.window.kernel_h = 11;
  EXPECT_THROW(check(bad), Error);
  bad = g;
  bad.in.c = bad.in.h = bad.in.w = 1 << 20;
  EXPECT_THROW(check(bad), Error);
}

}  // namespace
}  // namespace ap::linear
