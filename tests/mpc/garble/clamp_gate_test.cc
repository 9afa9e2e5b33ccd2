#include "mpc/garble/clamp_gate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/bits.h"
#include "mpc/core/hash.h"
#include "mpc/core/packed_field.h"
#include "mpc/garble/garble.h"
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

/// Inputs: first unused bits, m + h bits of a, then the carry and the guard as wires of their own, so that
/// they too take every value.
Circuit gate_circuit(std::uint32_t first, int m, int h, int word_bits, bool guard) {
  Circuit circuit;
  const auto width = first + static_cast<std::uint32_t>(m + h);
  circuit.inputs = width + 2;
  circuit.knowns = width;
  circuit.word_bits = word_bits;
  circuit.clamp_gate = {first, m, h, width, guard, width + 1};
  return circuit;
}

struct Case {
  Block delta;
  std::vector<Block> labels;
  std::vector<std::uint64_t> clear;
  std::vector<std::uint64_t> known;
  std::vector<std::uint64_t> masks;
  Bytes garbled;
};

Case garble_case(const Circuit& circuit, std::vector<std::uint64_t> clear, std::vector<std::uint64_t> known,
                 std::vector<std::uint64_t> masks, std::uint64_t tweak, Prng& prng) {
  Case made{{prng.next64() | 1, prng.next64()}, {}, std::move(clear), std::move(known), std::move(masks), {}};
  const std::size_t instances = made.clear.size();
  made.labels.resize(instances * circuit.inputs);
  prng.fill(
      std::span(reinterpret_cast<std::uint8_t*>(made.labels.data()), made.labels.size() * sizeof(Block)));
  made.garbled.resize(circuit.garbled_bytes(instances));
  garble(circuit, keys(), made.delta, tweak, instances, made.labels, made.known, made.masks, {},
         made.garbled);
  for (std::size_t i = 0; i < made.labels.size(); ++i) {
    const std::uint64_t bit = (made.clear[i / circuit.inputs] >> (i % circuit.inputs)) & 1;
    made.labels[i] ^= mask_of(bit) & made.delta;  // from here on the active labels
  }
  return made;
}

TEST(ClampGate, AgreesWithThePlainGateOnAllShapes) {
  Prng prng(test_seed(50));
  for (int h = 1; h <= kMaxClampHighBits; ++h) {
    for (int m : {1, 2, 3, 8, 16}) {
      for (const int extra : {0, 1, 10, 24}) {
        const Circuit circuit =
            gate_circuit(static_cast<std::uint32_t>(extra % 4), m, h, m + extra, extra % 2);
        const std::size_t instances = 97;
        std::vector<std::uint64_t> clear(instances);
        std::vector<std::uint64_t> known(instances);
        std::vector<std::uint64_t> masks(instances);
        sample_bits(prng, static_cast<int>(circuit.inputs), clear);
        sample_bits(prng, static_cast<int>(circuit.knowns), known);
        sample_bits(prng, circuit.word_bits, masks);
        const Case made = garble_case(circuit, clear, known, masks, 77, prng);
        std::vector<std::uint64_t> words(instances);
        evaluate(circuit, keys(), 77, instances, made.labels, clear, made.garbled, {}, words);
        for (std::size_t i = 0; i < instances; ++i) {
          std::vector<std::uint8_t> bits;
          for (std::uint32_t j = 0; j < circuit.inputs; ++j) bits.push_back((clear[i] >> j) & 1);
          ASSERT_EQ(words[i], evaluate_plain(circuit, bits, known[i], masks[i], {}))
              << m << " " << h << " " << extra;
        }
      }
    }
  }
}

TEST(ClampGate, OpenedBitAndLowPiecesAreUniformWhateverTheInputs) {
  // Opens by hand, from the format alone: one low bit, one upper bit, mask 0, word of 2 bits. Tweak slots:
  // lambda, the low bit, the table. Neither e nor the low piece may depend on the inputs; the word alone is
  // the result.
  const Circuit circuit = gate_circuit(0, 1, 1, 2, false);
  constexpr std::size_t kInstances = 32 * 512;
  const std::size_t chunk_bytes = circuit.garbled_bytes(kGarbleLanes);
  ASSERT_EQ(chunk_bytes, kGarbleLanes * 2 / 8 + kGarbleLanes * 4 * 3 / 8);
  Prng prng(test_seed(51));
  for (std::uint64_t inputs = 0; inputs < 32; ++inputs) {  // a: 2 bits, carry: 1 bit, b: 2 bits
    const std::uint64_t a = inputs & 7;
    const Case made = garble_case(circuit, std::vector<std::uint64_t>(kInstances, a),
                                  std::vector<std::uint64_t>(kInstances, inputs >> 3),
                                  std::vector<std::uint64_t>(kInstances, 0), 0, prng);
    std::size_t ones = 0;
    std::vector<std::size_t> pieces(4);
    for (std::size_t i = 0; i < kInstances; ++i) {
      const std::size_t lane = i % kGarbleLanes;
      const auto chunk = std::span(made.garbled).subspan(i / kGarbleLanes * chunk_bytes, chunk_bytes);
      const Block& low = made.labels[4 * i];
      const Block& high = made.labels[4 * i + 1];
      const Block& carry = made.labels[4 * i + 2];
      Block pad;
      pi_of(i, 0).hash(&low, kInstances + i, &pad, 1);
      ++pieces[(pad.lo ^ ((a & 1) ? packed_field(chunk, 2 * lane, 2) : 0)) & 3];
      const Block key =
          carry ^ Block { (high.lo << 1) ^ ((high.hi >> 63) * 0x87), (high.hi << 1) | (high.lo >> 63) };
      pi_of(i, 0).hash(&key, 2 * kInstances + i, &pad, 1);
      const std::size_t row = 2 * low_bit(high) + low_bit(carry);
      const std::uint64_t opened =
          packed_field(chunk.subspan(8), 3 * (row * kGarbleLanes + lane), 3) ^ pad.lo;
      ones += (opened >> 2) & 1;
    }
    const double deviation = std::sqrt(static_cast<double>(kInstances)) / 2;
    EXPECT_LT(std::abs(static_cast<double>(ones) - kInstances / 2.0), 6 * deviation) << inputs;
    for (const std::size_t count : pieces) {
      EXPECT_LT(std::abs(static_cast<double>(count) - kInstances / 4.0), 6 * deviation) << inputs;
    }
  }
}

}  // namespace
}  // namespace ap::mpc
