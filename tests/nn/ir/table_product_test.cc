// Tables and products of the integer network: their door, their bounds, their values.
#include <gtest/gtest.h>

#include "base/error.h"
#include "nn/execute/integer_executor.h"
#include "nn/ir/quantised_bounds.h"
#include "nn/ir/quantised_network.h"

namespace ap::nn {
namespace {

QNode node(const char* name, QOp op, std::vector<int> inputs, Shape shape, double scale) {
  return {name, std::move(op), std::move(inputs), shape, scale, 0, 0};
}

/// input -> table -> its sums -> table -> product -> logits (a sum).
QuantisedNetwork network() {
  QuantisedNetwork net;
  net.name = "tables";
  net.nodes.push_back(node("input", QInput{}, {}, {2, 2, 2}, 0.5));
  net.nodes[0].low = -128;
  net.nodes[0].high = 127;
  QTable silu{.shift = 1,
              .low = -16,
              .bits = 5,
              .relu = true,
              .even = true,
              .cell_bits = 2,
              .offset = -3,
              .values = {3, 1, 0, 2}};
  net.nodes.push_back(node("curve", silu, {0}, {2, 2, 2}, 1));
  net.nodes.push_back(node("pool", QSumPool{{2, 2, 1, 1, {}}}, {1}, {2, 1, 1}, 0.25));
  QTable gate{.shift = 0, .low = -4, .bits = 4, .cell_bits = 2, .offset = 5, .values = {0, 9, 200, 255}};
  net.nodes.push_back(node("gate", gate, {2}, {2, 1, 1}, 0.125));
  net.nodes.push_back(node("gated", QProduct{3, -20, 7}, {1, 3}, {2, 2, 2}, 1));
  net.nodes.push_back(node("logits", QSumPool{{2, 2, 1, 1, {}}}, {4}, {2, 1, 1}, 1));
  set_ranges(net, static_cast<int>(net.nodes.size()));
  return net;
}

TEST(TableAndProduct, ValuesAreThoseOfTheDefinition) {
  const QuantisedNetwork net = network();
  ASSERT_NO_THROW(validate(net));
  const std::vector<std::int32_t> input = {-128, -31, -9, -1, 0, 7, 40, 127};
  const auto values = run_integer(net, input);
  // t: -64 -15 -4 0 0 4 20 64; clamped to [-16, 15]: -16 -15 -4 0 0 4 15 15; magnitudes modulo 16 in cells of 4:
  // 0 3 1 0 0 1 3 3.
  EXPECT_EQ(values[1], (std::vector<std::int32_t>{0, -1, -2, 0, 0, 4 - 2, 15 - 1, 15 - 1}));
  EXPECT_EQ(values[2], (std::vector<std::int32_t>{-3, 30}));
  // u: 1 and 15.
  EXPECT_EQ(values[3], (std::vector<std::int32_t>{5, 260}));
  EXPECT_EQ(values[4], (std::vector<std::int32_t>{0, -1 /* -5/8 + 1/2 */, -1, 0, 0, 65, 107, 107}));
}

TEST(TableAndProduct, BoundsHoldEveryValue) {
  const QuantisedNetwork net = network();
  EXPECT_EQ(net.nodes[1].low, -3 + 0);
  EXPECT_EQ(net.nodes[1].high, 15 - 1);
  EXPECT_EQ(net.nodes[3].low, 5);
  EXPECT_EQ(net.nodes[3].high, 260);
  EXPECT_EQ(net.nodes[4].low, -20);
  EXPECT_EQ(net.nodes[4].high, 107);
}

TEST(TableAndProduct, BadOnesAreRefused) {
  const auto refused = [](const auto& change) {
    QuantisedNetwork net = network();
    change(net);
    try {
      validate(net);
    } catch (const Error& error) {
      return error.code() == ErrorCode::input;
    }
    return false;
  };
  const auto table = [](QuantisedNetwork& net) -> QTable& { return std::get<QTable>(net.nodes[1].op); };
  const auto product = [](QuantisedNetwork& net) -> QProduct& { return std::get<QProduct>(net.nodes[4].op); };
  EXPECT_FALSE(refused([](QuantisedNetwork&) {}));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).values.pop_back(); }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).values.clear(); }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).bits = 17; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).bits = 1; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).low = -15; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).relu = false; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).cell_bits = 31; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).cell_bits = -1; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).offset = std::int64_t{1} << 40; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { table(n).shift = 32; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { product(n).shift = -1; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { product(n).bits = 0; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { n.nodes[4].inputs = {1}; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { n.nodes[4].inputs = {3, 1}; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { n.nodes[4].scale = 2; }));
  EXPECT_TRUE(refused([&](QuantisedNetwork& n) { n.nodes[4].high += 1; }));
}

}  // namespace
}  // namespace ap::nn
