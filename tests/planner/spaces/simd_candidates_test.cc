#include "planner/spaces/simd_candidates.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "layers/linear/simd/noise.h"
#include "plan/moduli.h"
#include "plan/primes.h"
#include "planner/spaces/assemble.h"
#include "security/limits.h"
#include "tests/planner/convolution_node.h"
#include "tests/planner/policies/baseline_networks.h"

namespace ap::plan {
namespace {

using linear::SimdCounts;
using test::baseline_network;

std::int64_t up(std::int64_t x, std::int64_t by) { return (x + by - 1) / by; }
std::int64_t power_of_two(std::int64_t x) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(x)));
}

// The table of GAZELLE's and DELPHI's counts (systems, section 2.3), written down again: f taps, c_i and c_o
// channels, c_n of them in a ciphertext.
SimdCounts by_formula(const linear::Geometry& g, linear::SimdConvMethod method, std::int64_t n) {
  const nn::Window& w = g.window;
  const bool copies = method == linear::SimdConvMethod::shifted_copies;
  const int phases = copies ? 1 : w.stride_h * w.stride_w;
  const nn::Shape out = g.out();
  const std::int64_t map = copies || w.stride_h == 1 ? std::int64_t{out.h} * out.w
                                                     : up(g.in.h, w.stride_h) * up(g.in.w, w.stride_w);
  const std::int64_t c_i = std::int64_t{g.in.c} * phases, c_o = g.c_out;
  // 3x3 at stride 2 with padding 1 reaches two rows of each phase, 1x1 one.
  const std::int64_t side = copies || w.stride_h == 1 ? w.kernel_h : (w.kernel_h + 1) / 2;
  const std::int64_t f = side * side;
  const std::int64_t c_n =
      std::min(n / power_of_two(map), power_of_two(std::max({c_i, c_o, std::int64_t{2}})));
  const std::int64_t i = up(c_i, c_n), o = up(c_o, c_n);
  return {copies ? i * f : i, o, i * o * c_n * f, copies ? 0 : i * (f - 1), o * (c_n - 1)};
}

SimdCounts hybrid(std::int64_t n_i, std::int64_t n_o, std::int64_t n) {
  n_i = std::max(power_of_two(n_i), power_of_two(n_o));
  n_o = power_of_two(n_o);
  while (n_i * n_i < n) n_i *= 2;
  n_o = std::max(n_o, n / n_i);
  return {1, 1, n_i * n_o / n, n_i * n_o / n - 1, std::countr_zero(static_cast<std::uint64_t>(n / n_o))};
}

TEST(SimdCandidates, CountsEqualTheFormulas) {
  for (const char* name : {"minionn_cifar10_relu6", "resnet32_cifar100_delphi_relu6"}) {
    std::string missing;
    const nn::QuantisedNetwork* network = baseline_network(name, missing);
    if (network == nullptr) GTEST_SKIP() << "no file " << missing;
    for (const int i : linear_nodes(*network)) {
      const nn::QNode& node = network->nodes[static_cast<std::size_t>(i)];
      const linear::Geometry g = linear::geometry_of(std::get<nn::QLinear>(node.op), node.shape.c);
      if (linear::is_matrix(g)) {
        EXPECT_EQ(linear::SimdPacking(g, {}, linear::SimdFcMethod::hybrid, 8192).counts(),
                  hybrid(g.in.c, g.c_out, 8192))
            << node.name;
        continue;
      }
      for (const auto method :
           {linear::SimdConvMethod::shifted_copies, linear::SimdConvMethod::output_rotation}) {
        EXPECT_EQ(linear::SimdPacking(g, method, {}, 8192).counts(), by_formula(g, method, 8192))
            << name << node.name;
      }
    }
  }
}

TEST(SimdCandidates, KeepTheirRateAtFullSecurity) {
  const nn::QNode node = convolution(16, 16, 16);
  const std::uint64_t p = smallest_prime(100'000, 32768);
  for (const double der : {-5.0, -15.0, -40.0}) {
    const auto all = simd_candidates(node, p, der);
    ASSERT_FALSE(all.empty());
    for (const SimdCandidate& c : all) {
      EXPECT_LE(c.der_log2, der);
      EXPECT_LE(c.parameters.log2_qp(), security::max_log2_q(c.parameters.n));
      EXPECT_EQ(c.parameters.p(), p);
      EXPECT_GT(c.choice.predicted_bytes, 0U);
      EXPECT_GT(c.choice.predicted_s, 0);
      EXPECT_EQ(c.choice.log2_p, std::bit_width(p));
      // Flooding is counted honestly: 40 bits more than what it hides.
      const linear::SimdPacking packing(linear::geometry_of(std::get<nn::QLinear>(node.op), 16),
                                        c.choice.simd()->conv, c.choice.simd()->fc, c.parameters.n);
      const auto noise = noise::worst_noise(packing.terms(), c.parameters);
      EXPECT_GE(c.choice.simd()->flood_bits, 40 + 0.5 * std::log2(noise::mean_variance(noise)));
    }
  }
}

// With flooding, a relaxed rate buys less than a bit of q.
TEST(SimdCandidates, ARelaxedRateBuysNextToNothing) {
  const nn::QNode node = convolution(16, 16, 16);
  const std::uint64_t p = smallest_prime(100'000, 8192);
  SimdOptions options;
  options.degrees = {8192};
  const auto strict = simd_candidates(node, p, -40, options), relaxed = simd_candidates(node, p, -5, options);
  ASSERT_EQ(strict.size(), relaxed.size());
  for (std::size_t i = 0; i < strict.size(); ++i) {
    EXPECT_LE(strict[i].parameters.log2_q() - relaxed[i].parameters.log2_q(), 1.01);
  }
}

TEST(SimdCandidates, ParetoIsSortedAndNothingInItIsBeaten) {
  const nn::QNode node = convolution(16, 32, 16);
  const std::vector<double> rates = {-5, -10, -15};
  const auto front = simd_pareto(node, smallest_prime(100'000, 32768), rates);
  ASSERT_FALSE(front.empty());
  for (std::size_t i = 0; i < front.size(); ++i) {
    if (i > 0) {
      EXPECT_GE(front[i - 1].der_log2, front[i].der_log2);
    }
    for (std::size_t k = 0; k < front.size(); ++k) {
      if (i == k) continue;
      EXPECT_FALSE(front[k].der_log2 <= front[i].der_log2 &&
                   front[k].choice.predicted_bytes <= front[i].choice.predicted_bytes &&
                   front[k].choice.predicted_s <= front[i].choice.predicted_s);
    }
  }
}

TEST(SimdCandidates, CoefficientPackingIsCheaper) {
  const nn::QNode node = convolution(16, 16, 16);
  const PackingPrices prices = compare_packings(node, 19, {0, -40, 4096});
  ASSERT_TRUE(prices.slots.has_value());
  EXPECT_LT(price_of(prices.coefficients, kGigabit), price_of(*prices.slots, kGigabit));
}

}  // namespace
}  // namespace ap::plan
