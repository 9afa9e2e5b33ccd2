// A network with tables and products: squeeze-and-excitation behind a SiLU, then a product of equal shapes.
#pragma once

#include <bit>

#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol::test {

/// Random values in a table of this shape.
inline nn::QTable random_table(Prng& prng, int shift, int bits, bool relu, bool even, int cell_bits,
                               int value_bits, std::int64_t offset) {
  nn::QTable table{.shift = shift,
                   .low = relu ? -(std::int64_t{1} << (bits - 1)) : -100,
                   .bits = bits,
                   .relu = relu,
                   .even = even,
                   .cell_bits = cell_bits,
                   .offset = offset,
                   .values = {}};
  for (int i = 0; i < 1 << table.index_bits(); ++i) {
    table.values.push_back(static_cast<std::uint16_t>(prng.next64() >> (64 - value_bits)));
  }
  return table;
}

/// 2x6x6 -> conv -> even table, x -> pool -> conv -> table -> gate; x gate -> conv -> {table, even table}; their
/// product -> fully connected.
inline nn::QuantisedNetwork gated_network() {
  Prng prng(Seed{15});
  nn::QuantisedNetwork net;
  net.name = "gated";
  auto& nodes = net.nodes;
  const nn::Window same{3, 3, 1, 1, {1, 1, 1, 1}};
  nodes.push_back(make_node("input", nn::QInput{}, {}, {2, 6, 6}));
  nodes[0].low = -128;
  nodes[0].high = 127;
  nodes.push_back(make_node("conv1", make_linear(prng, {2, 6, 6}, same, 1, 4), {0}, {4, 6, 6}));
  nodes.push_back(make_node("curve", random_table(prng, 9, 9, true, true, 2, 4, -9), {1}, {4, 6, 6}));
  nodes.push_back(make_node("pool", nn::QSumPool{{6, 6, 1, 1, {}}}, {2}, {4, 1, 1}));
  nodes.push_back(make_node("scores", make_linear(prng, {4, 1, 1}, {}, 1, 4), {3}, {4, 1, 1}));
  nodes.push_back(make_node("gate", random_table(prng, 12, 8, false, false, 0, 8, 0), {4}, {4, 1, 1}));
  nodes.push_back(make_node("gated", nn::QProduct{8, -128, 8}, {2, 5}, {4, 6, 6}));
  nodes.push_back(make_node("conv2", make_linear(prng, {4, 6, 6}, same, 1, 3), {6}, {3, 6, 6}));
  nodes.push_back(make_node("slow", random_table(prng, 10, 7, true, false, 1, 3, -20), {7}, {3, 6, 6}));
  nodes.push_back(make_node("fast", random_table(prng, 9, 8, false, false, 1, 6, -30), {7}, {3, 6, 6}));
  nodes.push_back(make_node("product", nn::QProduct{5, -100, 8}, {8, 9}, {3, 6, 6}));
  nodes.push_back(make_node("fc", make_linear(prng, {108, 1, 1}, {}, 1, 10), {10}, {10, 1, 1}));
  nodes[6].scale = 256;
  nodes[10].scale = 256 * 32;
  nodes[8].scale = 256;
  nn::set_ranges(net, static_cast<int>(nodes.size()));
  return net;
}

}  // namespace ap::protocol::test
