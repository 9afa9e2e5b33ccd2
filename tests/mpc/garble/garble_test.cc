#include "mpc/garble/garble.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "base/bits.h"
#include "mpc/core/hash.h"
#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

const HashKeys& keys() {
  static const HashKeys made(test_session());
  return made;
}

/// The permutation of one instance of a batch that starts at `tweak`.
Permutation pi_of(std::size_t instance, std::uint64_t tweak) {
  return keys().at(tweak + instance / kInstancesPerKey * kInstancesPerKey);
}

void fill_blocks(Prng& prng, std::vector<Block>& blocks) {
  prng.fill(std::span(reinterpret_cast<std::uint8_t*>(blocks.data()), blocks.size() * sizeof(Block)));
}

struct Batch {
  Block delta;
  std::vector<Block> inputs;
  std::vector<std::uint64_t> known;
  std::vector<std::uint64_t> masks;
  std::vector<Block> outputs;
  Bytes garbled;
};

Batch garble_batch(const Circuit& circuit, std::size_t instances, std::uint64_t tweak, Prng& prng) {
  Batch batch;
  batch.delta = {prng.next64() | 1, prng.next64()};
  batch.inputs.resize(instances * circuit.inputs);
  fill_blocks(prng, batch.inputs);
  batch.known.resize(circuit.knowns ? instances : 0);
  prng.fill(std::span<std::uint64_t>(batch.known));
  batch.masks.resize(circuit.word_bits ? instances : 0);
  if (circuit.word_bits) sample_bits(prng, circuit.word_bits, batch.masks);
  batch.outputs.resize(instances * circuit.outputs.size());
  batch.garbled.resize(circuit.garbled_bytes(instances));
  garble(circuit, keys(), batch.delta, tweak, instances, batch.inputs, batch.known, batch.masks,
         batch.outputs, batch.garbled);
  return batch;
}

/// Evaluates on the given input bits and compares every label and word with the plain evaluator.
void expect_correct(const Circuit& circuit, const Batch& batch, std::uint64_t tweak,
                    const std::vector<std::uint8_t>& bits) {
  const std::size_t instances = bits.size() / circuit.inputs;
  std::vector<Block> active = batch.inputs;
  for (std::size_t i = 0; i < active.size(); ++i) active[i] ^= mask_of(bits[i]) & batch.delta;
  std::vector<Block> outputs(batch.outputs.size());
  std::vector<std::uint64_t> words(batch.masks.size());
  evaluate(circuit, keys(), tweak, instances, active, {}, batch.garbled, outputs, words);
  std::vector<std::uint8_t> plain(circuit.outputs.size());
  for (std::size_t i = 0; i < instances; ++i) {
    const std::uint64_t word =
        evaluate_plain(circuit, std::span(bits).subspan(i * circuit.inputs, circuit.inputs),
                       circuit.knowns ? batch.known[i] : 0, circuit.word_bits ? batch.masks[i] : 0, plain);
    for (std::size_t k = 0; k < plain.size(); ++k) {
      const std::size_t at = i * plain.size() + k;
      ASSERT_EQ(outputs[at], batch.outputs[at] ^ (mask_of(plain[k]) & batch.delta)) << i << " " << k;
    }
    if (circuit.word_bits) {
      ASSERT_EQ(words[i], word) << i;
    }
  }
}

TEST(Garble, EveryGateKindOnEveryInput) {
  Circuit circuit;
  circuit.inputs = 2;
  circuit.knowns = 3;
  for (const GateKind kind : {GateKind::xor_wires, GateKind::not_wire, GateKind::xor_known,
                              GateKind::and_known, GateKind::and_wires, GateKind::majority_known}) {
    for (std::uint32_t k = 0; k < 3; ++k) circuit.outputs.push_back(circuit.add(kind, 0, 1, k));
  }
  circuit.word_bits = 9;
  circuit.word_gates = {{0, 1, 0}, {1, 0, 4}, {0, 0, 8}};
  circuit.final_gate = {1, 0, {100, 511, 3, 77}};
  Prng prng(test_seed(1));
  std::vector<std::uint8_t> bits;
  for (int i = 0; i < 100; ++i) bits.insert(bits.end(), {0, 0, 0, 1, 1, 0, 1, 1});
  const Batch batch = garble_batch(circuit, bits.size() / 2, 1000, prng);
  expect_correct(circuit, batch, 1000, bits);
}

TEST(Garble, RandomCircuitsOfRandomSizes) {
  Prng prng(test_seed(2));
  const auto below = [&](std::uint64_t limit) { return static_cast<std::uint32_t>(prng.next64() % limit); };
  for (int round = 0; round < 60; ++round) {
    Circuit circuit;
    circuit.inputs = 1 + below(12);
    circuit.knowns = below(65);
    for (std::uint32_t g = below(60); g > 0; --g) {
      const auto wires = static_cast<std::uint32_t>(circuit.wires());
      const std::uint32_t kinds = 6;
      auto kind = static_cast<GateKind>(below(kinds));
      if (circuit.knowns == 0 && kind != GateKind::xor_wires && kind != GateKind::not_wire)
        kind = GateKind::and_wires;
      circuit.add(kind, below(wires), below(wires), circuit.knowns ? below(circuit.knowns) : 0);
    }
    const auto wires = static_cast<std::uint32_t>(circuit.wires());
    for (std::uint32_t k = below(6); k > 0; --k) circuit.outputs.push_back(below(wires));
    if (round % 3 > 0) {
      circuit.word_bits = 1 + static_cast<int>(below(kMaxWordBits));
      for (std::uint32_t k = below(6); k > 0; --k) {
        circuit.word_gates.push_back(
            {below(wires), below(wires), static_cast<int>(below(static_cast<unsigned>(circuit.word_bits)))});
      }
      circuit.final_gate = {below(wires), below(wires), {prng.next64(), 0, ~0ULL, prng.next64()}};
    }
    const std::size_t instances = 1 + below(round % 10 == 0 ? 2000 : 70);
    const std::uint64_t tweak = prng.next64() >> 8;
    const Batch batch = garble_batch(circuit, instances, tweak, prng);
    std::vector<std::uint8_t> bits(instances * circuit.inputs);
    for (auto& bit : bits) bit = static_cast<std::uint8_t>(below(2));
    expect_correct(circuit, batch, tweak, bits);
  }
}

double chi_square(const std::vector<std::size_t>& count) {
  double total = 0;
  for (const std::size_t c : count) total += static_cast<double>(c);
  const double mean = total / static_cast<double>(count.size());
  double sum = 0;
  for (const std::size_t c : count)
    sum += (static_cast<double>(c) - mean) * (static_cast<double>(c) - mean) / mean;
  return sum;
}

TEST(Garble, OpenedPiecesAndClosedRowsAreUniformWhateverTheInputs) {
  // Opens the rows by hand, from the format alone, with the mask fixed at zero: only the free rho hides the
  // piece.
  Circuit circuit;
  circuit.inputs = 2;
  circuit.word_bits = 3;
  circuit.word_gates = {{0, 1, 0}};
  circuit.final_gate = {0, 1, {0, 0, 0, 0}};
  Prng prng(test_seed(3));
  constexpr std::size_t kInstances = 32768;
  const std::vector<std::uint64_t> masks(kInstances, 0);
  const std::size_t chunk_bytes = circuit.garbled_bytes(kGarbleLanes);
  for (std::uint8_t input = 0; input < 4; ++input) {
    const Block delta{prng.next64() | 1, prng.next64()};
    std::vector<Block> labels(kInstances * 2);
    fill_blocks(prng, labels);
    Bytes garbled(circuit.garbled_bytes(kInstances));
    garble(circuit, keys(), delta, 0, kInstances, labels, {}, masks, {}, garbled);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] ^= mask_of((input >> (i % 2)) & 1) & delta;
    std::vector<std::uint64_t> words(kInstances);
    evaluate(circuit, keys(), 0, kInstances, labels, {}, garbled, {}, words);

    std::vector<std::size_t> piece_count(8);
    std::vector<std::size_t> row_count(8);
    std::vector<std::uint64_t> rows(3 * kGarbleLanes);
    std::vector<std::uint64_t> finals(4 * kGarbleLanes);
    for (std::size_t i = 0; i < kInstances; ++i) {
      const std::size_t lane = i % kGarbleLanes;
      const std::size_t at = i / kGarbleLanes * chunk_bytes;
      unpack_bits(std::span(garbled).subspan(at, 36), 3, rows);
      unpack_bits(std::span(garbled).subspan(at + 36, 48), 3, finals);
      const Block& x = labels[2 * i];
      const Block& y = labels[2 * i + 1];
      const std::size_t row = 2 * low_bit(x) + low_bit(y);
      const Block key = x ^ sigma(y);
      Block pad;
      pi_of(i, 0).hash(&key, i, &pad, 1);
      const std::uint64_t piece = (pad.lo ^ (row == 0 ? 0 : rows[3 * lane + row - 1])) & 7;
      pi_of(i, 0).hash(&key, kInstances + i, &pad, 1);
      const std::uint64_t rest = (pad.lo ^ finals[4 * lane + row]) & 7;
      const std::uint64_t expected = (input & 1U) & (input >> 1);
      ASSERT_EQ((piece + rest) & 7, expected);
      ASSERT_EQ(words[i], expected);
      ++piece_count[piece];
      for (std::size_t r = 0; r < 3; ++r) ++row_count[rows[3 * lane + r]];
    }
    EXPECT_LT(chi_square(piece_count), 40);  // 7 degrees of freedom: beyond 40 has probability 1e-6
    EXPECT_LT(chi_square(row_count), 40);
  }
}

TEST(Garble, EqualInstancesGarbleDifferently) {
  // Same labels, same knowns, another tweak each: a reused tweak would make these tables equal.
  Circuit circuit;
  circuit.inputs = 2;
  circuit.outputs = {circuit.add(GateKind::and_wires, 0, 1)};
  const Block delta{0x123456789abcdef1, 0x0fedcba987654321};
  std::vector<Block> inputs;
  for (int i = 0; i < 200; ++i) inputs.insert(inputs.end(), {Block{1, 2}, Block{3, 4}});
  std::vector<Block> outputs(200);
  Bytes garbled(circuit.garbled_bytes(200));
  garble(circuit, keys(), delta, 5, 200, inputs, {}, {}, outputs, garbled);
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (std::size_t i = 0; i < garbled.size(); i += 16) {
    const Block block = load_block(&garbled[i]);
    seen.insert({block.lo, block.hi});
  }
  EXPECT_EQ(seen.size(), 400u);
}

}  // namespace
}  // namespace ap::mpc
