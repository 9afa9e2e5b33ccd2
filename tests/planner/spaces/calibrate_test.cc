#include "planner/spaces/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "plan/moduli.h"

namespace ap::plan {
namespace {

nn::QNode node(const char* name, nn::QOp op, std::vector<int> inputs, nn::Shape shape, std::int64_t low,
               std::int64_t high) {
  nn::QNode n;
  n.name = name;
  n.op = std::move(op);
  n.inputs = std::move(inputs);
  n.shape = shape;
  n.low = low;
  n.high = high;
  return n;
}

// The accumulator of the one layer is the input itself.
nn::QuantisedNetwork identity_network(int elements) {
  nn::QuantisedNetwork net;
  nn::QLinear linear;
  linear.in_shape = {1, 1, elements};
  linear.weights = {1};
  linear.bias = {0};
  nn::QActivation relu;
  relu.shift = 4;
  const std::int64_t most = 1 << 24;
  const nn::Shape shape{1, 1, elements};
  net.nodes = {node("input", nn::QInput{}, {}, shape, -most, most),
               node("linear", linear, {0}, shape, -most, most), node("relu", relu, {1}, shape, 0, 255)};
  return net;
}

std::vector<std::int32_t> laplace_images(int elements, int images, double scale, unsigned seed) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> exponential(1 / scale);
  std::vector<std::int32_t> values(static_cast<std::size_t>(elements * images));
  for (auto& v : values)
    v = static_cast<std::int32_t>(std::lround(exponential(random)) * (random() & 1 ? 1 : -1));
  return values;
}

TEST(Tails, OfAnExponentialAreFound) {
  const int elements = 1000, images = 200;
  const double scale = 500;
  const auto net = identity_network(elements);
  const auto tails = observe_tails(net, laplace_images(elements, images, scale, 1));
  EXPECT_EQ(tails[0].high.rate, 0);
  for (const Tail& tail : {tails[1].low, tails[1].high}) {
    EXPECT_NEAR(tail.mean_excess, scale, 0.15 * scale);
    // P(an element of 1000 exceeds B on this side) = 500 exp(-B / scale).
    for (const double bits : {-10.0, -20.0, -30.0}) {
      const double truth = scale * (std::log(elements / 2.0) - bits * std::numbers::ln2);
      EXPECT_NEAR(tail.bound(bits) / truth, 1, 0.12) << bits;
    }
    EXPECT_GE(tail.bound(-0.01), tail.largest * 1.12);
  }
}

TEST(CalibratedRanges, HoldOnNewImagesAsStated) {
  const int elements = 1000;
  const auto net = identity_network(elements);
  const auto tails = observe_tails(net, laplace_images(elements, 200, 500, 1));
  for (const double log2 : {-3.0, -8.0, -20.0}) {
    const auto ranges = calibrated_ranges(net, tails, log2);
    const int images = 2000;
    const auto fresh = laplace_images(elements, images, 500, 2);
    double overflows = 0;
    for (int i = 0; i < images; ++i) {
      bool out = false;
      for (int k = 0; k < elements; ++k) {
        const std::int32_t v = fresh[static_cast<std::size_t>(i * elements + k)];
        out = out || v < ranges[1].low || v > ranges[1].high;
      }
      overflows += out;
    }
    EXPECT_LE(overflows / images, 2 * std::exp2(log2) + 1e-3) << log2;
  }
  const auto narrow = calibrated_ranges(net, tails, -1), wide = calibrated_ranges(net, tails, -400);
  EXPECT_LT(narrow[1].high, wide[1].high);
  EXPECT_LE(wide[1].high, net.nodes[1].high);
  EXPECT_EQ(narrow[0], (nn::Interval{net.nodes[0].low, net.nodes[0].high}));
  EXPECT_LT(assign_moduli(net, narrow, 2)[1], assign_moduli(net, 2)[1]);
  EXPECT_THROW(observe_tails(net, {}), Error);
}

}  // namespace
}  // namespace ap::plan
