#include "mpc/garble/field_word.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "mpc/garble/garble.h"
#include "tests/mpc/two_parties.h"

namespace ap::mpc {
namespace {

const HashKeys& keys() {
  static const HashKeys made(test_session());
  return made;
}

struct Batch {
  Block delta;
  std::vector<Block> labels;
  std::vector<std::uint64_t> known;
  std::vector<std::uint64_t> masks;
  Bytes garbled;
};

Circuit word_circuit(std::uint64_t modulus) {
  Circuit circuit;
  circuit.inputs = 4;
  circuit.knowns = 130;
  const Wire sum = circuit.add(GateKind::xor_known, 0, 0, 129);
  const Wire product = circuit.add(GateKind::majority_known, sum, 1, 64);
  const Wire last = circuit.add(GateKind::and_known, product, 0, 3);
  circuit.word_bits = static_cast<int>(std::bit_width(modulus));
  circuit.word_modulus = modulus;
  circuit.word_gates = {{0, 1, 0}, {product, last, circuit.word_bits - 2}, {2, 2, 1}};
  circuit.final_gate = {3, sum, {modulus - 1, 1, 0, modulus / 2}};
  return circuit;
}

Batch garble_batch(const Circuit& circuit, std::size_t instances, Prng& prng) {
  Batch batch{{prng.next64() | 1, prng.next64()}, {}, {}, {}, {}};
  batch.labels.resize(instances * circuit.inputs);
  prng.fill(
      std::span(reinterpret_cast<std::uint8_t*>(batch.labels.data()), batch.labels.size() * sizeof(Block)));
  batch.known.resize(instances * circuit.known_words());
  prng.fill(std::span<std::uint64_t>(batch.known));
  batch.masks.resize(instances);
  sample_uniform(prng, circuit.word_modulus, batch.masks);
  batch.garbled.resize(circuit.garbled_bytes(instances));
  garble(circuit, keys(), batch.delta, 900, instances, batch.labels, batch.known, batch.masks, {},
         batch.garbled);
  return batch;
}

TEST(FieldWord, AgreesWithThePlainWordOnEveryInput) {
  Prng prng(test_seed(90));
  for (const std::uint64_t modulus : {3ULL, 5ULL, 7681ULL, 4079617ULL, 549755813911ULL, 1099511627689ULL}) {
    const Circuit circuit = word_circuit(modulus);
    const std::size_t instances = 16 * 37;
    Batch batch = garble_batch(circuit, instances, prng);
    batch.masks[0] = modulus - 1;
    std::vector<Block> active = batch.labels;
    for (std::size_t i = 0; i < active.size(); ++i)
      active[i] ^= mask_of((i / 4) >> (i % 4) & 1) & batch.delta;
    garble(circuit, keys(), batch.delta, 900, instances, batch.labels, batch.known, batch.masks, {},
           batch.garbled);
    std::vector<std::uint64_t> words(instances);
    evaluate(circuit, keys(), 900, instances, active, {}, batch.garbled, {}, words);
    for (std::size_t i = 0; i < instances; ++i) {
      std::vector<std::uint8_t> bits;
      for (std::size_t j = 0; j < 4; ++j) bits.push_back((i >> j) & 1);
      ASSERT_EQ(words[i],
                evaluate_plain(circuit, bits, std::span(batch.known).subspan(3 * i, 3), batch.masks[i], {}))
          << modulus << " " << i;
    }
  }
}

TEST(FieldWord, AnyBytesGiveWordsBelowTheModulus) {
  Prng prng(test_seed(91));
  const Circuit circuit = word_circuit(549755813911);  // just above 2^39: most rows of ones are too large
  const Batch batch = garble_batch(circuit, 500, prng);
  std::vector<std::uint64_t> words(500);
  for (const std::uint8_t fill : {0, 255}) {
    evaluate(circuit, keys(), 900, 500, batch.labels, {}, Bytes(batch.garbled.size(), fill), {}, words);
    for (const std::uint64_t word : words) ASSERT_LT(word, circuit.word_modulus);
  }
}

TEST(FieldWord, SentRowsAreUniform) {
  // Modulo 3 a pad that was not uniform, or a value that showed through, would shift the counts.
  Prng prng(test_seed(92));
  const Circuit circuit = word_circuit(3);
  const std::size_t instances = 32 * 300;
  const Batch batch = garble_batch(circuit, instances, prng);
  const std::size_t word_bytes = field_word_bytes(circuit, 32);
  const std::size_t chunk = circuit.garbled_bytes(32);
  std::array<double, 4> counts{};
  double total = 0;
  for (std::size_t at = chunk - word_bytes; at < batch.garbled.size(); at += chunk) {
    for (std::size_t i = 0; i < word_bytes; ++i) {
      for (int shift = 0; shift < 8; shift += 2) ++counts[(batch.garbled[at + i] >> shift) & 3];
      total += 4;
    }
  }
  EXPECT_EQ(counts[3], 0);
  const double deviation = std::sqrt(total * 2 / 9);
  for (int v = 0; v < 3; ++v)
    EXPECT_LT(std::abs(counts[static_cast<std::size_t>(v)] - total / 3), 6 * deviation);
}

}  // namespace
}  // namespace ap::mpc
