#include "mpc/garble/circuit.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/error.h"
#include "mpc/garble/garble.h"

namespace ap::mpc {
namespace {

TEST(Circuit, CountsAndBytes) {
  Circuit circuit;
  circuit.inputs = 2;
  circuit.knowns = 1;
  const Wire x = circuit.add(GateKind::xor_wires, 0, 1);
  const Wire n = circuit.add(GateKind::not_wire, x);
  const Wire k = circuit.add(GateKind::and_known, n, 0, 0);
  const Wire a = circuit.add(GateKind::and_wires, k, x);
  circuit.add(GateKind::majority_known, a, k, 0);
  EXPECT_EQ(circuit.and_gates(), 2u);
  EXPECT_EQ(circuit.ciphertexts(), 5u);
  EXPECT_EQ(circuit.tweaks(), 5u);
  EXPECT_EQ(circuit.garbled_bytes(0), 0u);
  EXPECT_EQ(circuit.garbled_bytes(3), 3u * 80);
  circuit.word_bits = 5;
  circuit.word_gates = {{0, 1, 2}};  // 3 rows of 3 bits
  circuit.final_gate = {0, 1, {}};   // 4 rows of 5 bits
  EXPECT_EQ(circuit.tweaks(), 7u);
  EXPECT_EQ(circuit.garbled_bytes(1), 80u + 2 + 3);
  EXPECT_EQ(circuit.garbled_bytes(33), 33u * 80 + 32 * 9 / 8 + 32 * 20 / 8 + 2 + 3);
}

TEST(Circuit, PlainGatesAreTheTruthTables) {
  for (unsigned bits = 0; bits < 8; ++bits) {
    const std::uint8_t x = bits & 1;
    const std::uint8_t y = (bits >> 1) & 1;
    const std::uint8_t k = (bits >> 2) & 1;
    Circuit circuit;
    circuit.inputs = 2;
    circuit.knowns = 1;
    for (const GateKind kind : {GateKind::xor_wires, GateKind::not_wire, GateKind::xor_known,
                                GateKind::and_known, GateKind::and_wires, GateKind::majority_known}) {
      circuit.outputs.push_back(circuit.add(kind, 0, 1, 0));
    }
    circuit.word_bits = 8;
    circuit.word_gates = {{0, 1, 3}};
    circuit.final_gate = {0, 1, {10, 20, 30, 40}};
    std::vector<std::uint8_t> out(6);
    const std::uint8_t in[] = {x, y};
    const std::uint64_t word = evaluate_plain(circuit, in, k, 50, out);
    EXPECT_EQ(out,
              (std::vector<std::uint8_t>{static_cast<std::uint8_t>(x ^ y), static_cast<std::uint8_t>(!x),
                                         static_cast<std::uint8_t>(x ^ k), static_cast<std::uint8_t>(x & k),
                                         static_cast<std::uint8_t>(x & y),
                                         static_cast<std::uint8_t>((x & y) | (x & k) | (y & k))}));
    EXPECT_EQ(word, (10u + 20u * x + 10u * y + 8u * (x & y) - 50u) % 256);
  }
}

TEST(Circuit, MalformedCircuitsAreOurFault) {
  Circuit forward;
  forward.inputs = 1;
  forward.add(GateKind::xor_wires, 0, 1);
  EXPECT_THROW(forward.check(), Error);
  Circuit unknown;
  unknown.inputs = 1;
  unknown.add(GateKind::and_known, 0, 0, 0);
  EXPECT_THROW(unknown.check(), Error);
}

}  // namespace
}  // namespace ap::mpc
