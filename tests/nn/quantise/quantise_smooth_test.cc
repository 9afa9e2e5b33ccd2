#include "nn/quantise/quantise_smooth.h"

#include <gtest/gtest.h>

#include "nn/execute/integer_executor.h"
#include "nn/quantise/quantise.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

constexpr SmoothKind kKinds[] = {SmoothKind::sigmoid,  SmoothKind::tanh,      SmoothKind::erf,
                                 SmoothKind::softsign, SmoothKind::silu,      SmoothKind::hard_swish,
                                 SmoothKind::gelu,     SmoothKind::gelu_tanh, SmoothKind::mish,
                                 SmoothKind::softplus, SmoothKind::elu,       SmoothKind::selu,
                                 SmoothKind::celu};

SmoothOp op_of(SmoothKind kind) {
  if (kind == SmoothKind::selu) return {kind, 1.6732632F, 1.0507010F};
  return {kind, 1, 1};
}

TEST(SmoothTables, AreWithinOneStepOfTheRoundedFunction) {
  for (const SmoothKind kind : kKinds) {
    const SmoothOp op = op_of(kind);
    const double slope = smooth_slope(op);
    for (const int activation_bits : {3, 5, 8}) {
      for (const double largest : {2.0, 4.1, 8.0, 30.0}) {
        double step = largest / (std::ldexp(1.0, activation_bits) - 1), argument = step / slope;
        int bits = activation_bits + 1;
        std::int64_t low = -(std::int64_t{1} << activation_bits);
        if (slope == 0) {
          bits = std::min(activation_bits, 8);
          step = 2 / (std::ldexp(1.0, activation_bits) - 1);
          argument = 2 * largest / (std::ldexp(1.0, bits) - 1);
          low = -(std::int64_t{1} << (bits - 1));
        }
        const QTable table = make_table(op, 5, low, bits, argument, step, "x");
        EXPECT_EQ(table.shift, 5);
        EXPECT_LE(table.index_bits(), 8);
        ASSERT_EQ(table.values.size(), std::size_t{1} << table.index_bits());
        for (std::int64_t u = 0; u < std::int64_t{1} << bits; ++u) {
          const double exact = smooth(op, argument * static_cast<double>(u + low)) / step;
          ASSERT_LE(std::abs(table.at(u) - std::llround(exact)), table.cell_bits == 0 && !table.even ? 0 : 1)
              << name_of(kind) << ", " << activation_bits << " bits to " << largest << ", u " << u;
        }
      }
    }
  }
}

/// What a lookup sends is 2^index_bits values: at 8 bits at most 128 of a few bits each.
TEST(SmoothTables, AreSmallAtEightBits) {
  for (const auto& [kind, cells, value_bits] :
       {std::tuple{SmoothKind::silu, 64, 4}, {SmoothKind::gelu, 64, 4}, {SmoothKind::hard_swish, 64, 4}}) {
    const QTable table = make_table({kind}, 0, -256, 9, 8.0 / 255, 8.0 / 255, "x");
    EXPECT_TRUE(table.even);
    EXPECT_LE(table.values.size(), static_cast<std::size_t>(cells)) << name_of(kind);
    EXPECT_LE(table.value_bits(), value_bits) << name_of(kind);
  }
}

TEST(SmoothTables, MoreBitsThanCellsCanHoldAreRefused) {
  const double step = 8.0 / 16383;
  const std::string error =
      error_of([&] { make_table({SmoothKind::silu}, 0, -16384, 15, step, step, "features.3"); });
  expect_contains(error, {"features.3", "silu", "256 cells", "fewer activation bits"});
}

TEST(SmoothTables, ReachEndsWhereTheFunctionIsFlat) {
  const SmoothRange reach = smooth_reach({SmoothKind::sigmoid}, {-50, 3}, 1.0 / 255);
  EXPECT_NEAR(reach.low, -6.25, 0.1);
  EXPECT_EQ(reach.high, 3);
  EXPECT_NEAR(smooth_reach({SmoothKind::hard_swish}, {-50, 50}, 0.01).low, -3, 0.1);
}

/// conv -> f -> conv -> sigmoid gate of a pool -> product -> fully connected, against the float network.
TEST(SmoothTables, QuantisedNetworksFollowTheFloatNetwork) {
  for (const SmoothKind kind : kKinds) {
    std::mt19937 random(11);
    Graph graph;
    graph.name = name_of(kind);
    auto& nodes = graph.nodes;
    const Window same{3, 3, 1, 1, {1, 1, 1, 1}};
    nodes.push_back({"input", InputOp{}, {}, {3, 6, 6}});
    nodes.push_back({"conv1",
                     ConvOp{same, 1, random_floats(4 * 27, random, -0.8F, 0.8F), random_floats(4, random)},
                     {0},
                     {4, 6, 6}});
    nodes.push_back({"curve", op_of(kind), {1}, {4, 6, 6}});
    nodes.push_back({"pool", AveragePoolOp{{6, 6, 1, 1, {}}, false}, {2}, {4, 1, 1}});
    nodes.push_back(
        {"scores", FullyConnectedOp{random_floats(16, random), random_floats(4, random)}, {3}, {4, 1, 1}});
    nodes.push_back({"gate", SmoothOp{SmoothKind::sigmoid}, {4}, {4, 1, 1}});
    nodes.push_back({"gated", ProductOp{}, {2, 5}, {4, 6, 6}});
    nodes.push_back({"fc",
                     FullyConnectedOp{random_floats(5 * 144, random, -0.3F, 0.3F), random_floats(5, random)},
                     {6},
                     {5, 1, 1}});
    validate(graph);
    std::vector<Tensor> images;
    for (int i = 0; i < 24; ++i) images.push_back(random_image({3, 6, 6}, random));
    const QuantisedNetwork network = quantise(graph, images);
    const IntegerExecutor executor(network);
    double error = 0, power = 0;
    for (const Tensor& image : images) {
      const auto logits = executor.logits(quantise_input(network, image.data));
      const Tensor wanted = output_of(graph, image);
      for (std::size_t k = 0; k < wanted.data.size(); ++k) {
        const double difference = logits[k] * network.nodes.back().scale - wanted.data[k];
        error += difference * difference;
        power += double{wanted.data[k]} * wanted.data[k];
      }
    }
    EXPECT_LT(std::sqrt(error / power), 0.03) << name_of(kind);
  }
}

}  // namespace
}  // namespace ap::nn
