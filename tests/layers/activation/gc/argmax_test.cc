// The number of the largest value by either protocol, through the whole protocols.
#include <gtest/gtest.h>

#include <bit>

#include "base/bits.h"
#include "base/error.h"
#include "layers/activation/argmax_spec.h"
#include "layers/activation/gc/argmax_circuit.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/gc/messages.h"
#include "layers/activation/ot/ot_messages.h"
#include "tests/layers/activation/ot/ot_protocol.h"

namespace ap::activation {
namespace {

using Values = std::vector<std::int64_t>;

std::uint64_t modulus_of(const ActivationSpec& spec) {
  return spec.in_prime != 0 ? spec.in_prime : std::uint64_t{1} << spec.sum_bits;
}

/// The first of the largest.
std::uint64_t best_of(const Values& values) {
  std::uint64_t best = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}

TestLayer layer_of(const ActivationSpec& spec, const Values& values, Prng& prng) {
  TestLayer layer = random_layer(spec, prng);
  const std::uint64_t modulus = modulus_of(spec);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t value = values[i] < 0 ? modulus - static_cast<std::uint64_t>(-values[i])
                                              : static_cast<std::uint64_t>(values[i]);
    layer.a[i] = (value + modulus - layer.b[i]) % modulus;
  }
  return layer;
}

/// The number that the client finds when it adds r.
std::uint64_t opened(const TestLayer& layer) {
  EXPECT_EQ(layer.result.size(), 1U);
  return (layer.result[0] + layer.r[0]) & ((std::uint64_t{1} << layer.spec.out_bits) - 1);
}

struct Case {
  ActivationSpec spec;
  Values values;
};

void expect_best(const std::vector<Case>& cases, bool by_ot, std::uint8_t seed) {
  Prng prng(mpc::test_seed(seed));
  std::vector<TestLayer> layers;
  for (const Case& c : cases) layers.push_back(layer_of(c.spec, c.values, prng));
  mpc::ChannelPair channels;
  if (by_ot) {
    run_ot_session(channels, layers, seed);
  } else {
    run_session(channels, layers, seed);
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    ASSERT_EQ(opened(layers[i]), best_of(cases[i].values))
        << "case " << i << ", " << cases[i].values.size() << " values of " << cases[i].spec.sum_bits
        << " bits";
  }
  // Sizes are those of the formulas.
  OtCost ot;
  std::uint64_t tables = 0, choices = 0, labels = 0;
  for (const Case& c : cases) {
    if (by_ot) {
      ot += ot_cost(c.spec);
    } else {
      tables += table_bytes(c.spec);
      choices += choice_bytes(c.spec);
      labels += label_bytes(c.spec);
    }
  }
  std::uint64_t client = 0, server = 0;
  for (net::MessageType type = kOtChoices; type <= kOtCorrection; ++type) {
    client += channels.client->sent_bytes(type);
    server += channels.server->sent_bytes(type);
  }
  EXPECT_EQ(client, ot.client_bytes);
  EXPECT_EQ(server, ot.server_bytes);
  EXPECT_EQ(channels.client->sent_bytes(kGarbledTables), tables);
  EXPECT_EQ(channels.client->sent_bytes(kInputLabels), labels);
  EXPECT_EQ(channels.server->sent_bytes(kInputChoices), choices);
}

/// Every tuple of `count` values of `bits` bits.
void add_all(std::vector<Case>& cases, std::size_t count, int bits) {
  const ActivationSpec spec = argmax_spec(count, bits);
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  std::int64_t tuples = 1;
  for (std::size_t i = 0; i < count; ++i) tuples *= 2 * half;
  for (std::int64_t t = 0; t < tuples; ++t) {
    Values values;
    for (std::int64_t rest = t, i = 0; i < static_cast<std::int64_t>(count); ++i, rest /= 2 * half) {
      values.push_back(rest % (2 * half) - half);
    }
    cases.push_back({spec, std::move(values)});
  }
}

/// Ties, extremes and random values in [low, high].
void add_edges(std::vector<Case>& cases, const ActivationSpec& spec, std::int64_t low, std::int64_t high,
               Prng& prng) {
  const std::size_t n = spec.inputs;
  cases.push_back({spec, Values(n, low)});
  cases.push_back({spec, Values(n, high)});
  cases.push_back({spec, Values(n, 0)});
  Values alternating, rising, falling;
  for (std::size_t i = 0; i < n; ++i) {
    alternating.push_back(i % 2 == 0 ? low : high);
    rising.push_back(low + static_cast<std::int64_t>(i));
    falling.push_back(high - static_cast<std::int64_t>(i));
  }
  cases.push_back({spec, alternating});
  cases.push_back({spec, rising});
  cases.push_back({spec, falling});
  for (std::size_t winner = 0; winner < n; winner += 1 + n / 7) {
    Values one(n, low), two(n, -1);
    one[winner] = high;
    two[winner] = 0;
    two.back() = 0;
    cases.push_back({spec, one});
    cases.push_back({spec, two});
  }
  for (int i = 0; i < 4; ++i) {
    Values random;
    const auto span = static_cast<std::uint64_t>(high - low) + 1;
    for (std::size_t j = 0; j < n; ++j)
      random.push_back(low + static_cast<std::int64_t>(prng.next64() % span));
    cases.push_back({spec, random});
  }
}

std::vector<Case> power_of_two_edges() {
  Prng prng(mpc::test_seed(80));
  std::vector<Case> cases;
  for (const auto& [count, bits] :
       {std::pair<std::size_t, int>{2, 40}, {3, 5}, {5, 12}, {10, 20}, {16, 7}, {17, 40}}) {
    const std::int64_t half = std::int64_t{1} << (bits - 1);
    add_edges(cases, argmax_spec(count, bits), -half, half - 1, prng);
  }
  add_edges(cases, argmax_spec(100, 24), -(1 << 23), (1 << 23) - 1, prng);
  return cases;
}

TEST(Argmax, EveryTupleOfSmallValuesByGarbling) {
  std::vector<Case> cases;
  add_all(cases, 2, 3);
  add_all(cases, 3, 2);
  add_all(cases, 4, 2);
  expect_best(cases, false, 81);
}

TEST(Argmax, EveryTupleOfSmallValuesByTransfers) {
  std::vector<Case> cases;
  add_all(cases, 2, 3);
  add_all(cases, 3, 2);
  add_all(cases, 4, 2);
  expect_best(cases, true, 82);
}

TEST(Argmax, TiesAndExtremesByGarbling) { expect_best(power_of_two_edges(), false, 83); }
TEST(Argmax, TiesAndExtremesByTransfers) { expect_best(power_of_two_edges(), true, 84); }

TEST(Argmax, TiesAndExtremesModuloPrimes) {
  Prng prng(mpc::test_seed(85));
  std::vector<Case> cases;
  for (const auto& [count, prime] : {std::pair<std::size_t, std::uint64_t>{2, 4099},
                                     {10, 12289},
                                     {10, 1099511627689},  // 2^40 - 87
                                     {33, 4169729}}) {
    const auto half = static_cast<std::int64_t>(prime / 2);
    add_edges(cases, argmax_spec(count, static_cast<int>(std::bit_width(prime)), prime), -half, half, prng);
  }
  expect_best(cases, false, 86);
}

/// The circuit alone against brute force, for all numbers of values up to 9: every shape of tree.
TEST(Argmax, CircuitOfEveryTree) {
  Prng prng(mpc::test_seed(87));
  for (std::size_t count = 2; count <= 9; ++count) {
    const int bits = 3;
    const mpc::Circuit circuit = argmax_circuit(count, bits);
    circuit.check();
    for (int repeat = 0; repeat < 2000; ++repeat) {
      Values values;
      std::vector<std::uint8_t> inputs;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t word = prng.next64() % 8;
        for (int j = 0; j < bits; ++j) inputs.push_back((word >> j) & 1);
        values.push_back(static_cast<std::int64_t>(word) - (word >= 4 ? 8 : 0));
      }
      const std::uint64_t mask = prng.next64() & ((std::uint64_t{1} << circuit.word_bits) - 1);
      const std::uint64_t word = evaluate_plain(circuit, inputs, 0, mask, {});
      ASSERT_EQ((word + mask) & ((std::uint64_t{1} << circuit.word_bits) - 1), best_of(values));
    }
  }
}

TEST(Argmax, AndGates) {
  // Sums (n - 2 ANDs and a half each), then (2 C - 3) n for the values and 2^l - 1 - l for the numbers.
  for (const int n : {12, 20, 30}) {
    EXPECT_EQ(argmax_circuit(8, n).and_gates(), static_cast<std::size_t>(13 * n + 4));
    EXPECT_EQ(argmax_circuit(2, n).and_gates(), static_cast<std::size_t>(n));
    EXPECT_EQ(and_gates(argmax_spec(8, n)), static_cast<std::uint64_t>(8 * (n - 2) + 13 * n + 4));
  }
}

TEST(Argmax, BadSpecsAreRefused) {
  EXPECT_THROW(argmax_spec(1, 20), Error);
  EXPECT_THROW(argmax_spec(kMaxArgmaxInputs + 1, 20), Error);
  EXPECT_THROW(argmax_spec(10, 1), Error);
  EXPECT_THROW(argmax_spec(10, 41), Error);
  EXPECT_THROW(argmax_spec(10, 20, 12289), Error);  // another width
  EXPECT_THROW(plan_ot_layer(argmax_spec(10, 14, 12289)), Error);
  ActivationSpec spec = argmax_spec(10, 20);
  spec.out_bits = 5;
  EXPECT_THROW(spec.validate(), Error);
  spec = argmax_spec(10, 20);
  spec.outputs = 2;
  EXPECT_THROW(spec.validate(), Error);
  spec = argmax_spec(10, 20);
  spec.guard_bits = 1;
  EXPECT_THROW(spec.validate(), Error);
}

/// What the server ends with is uniform, whatever the values: over all masks it takes every value once.
TEST(Argmax, TheServersResultIsMasked) {
  for (const bool by_ot : {false, true}) {
    Prng prng(mpc::test_seed(88));
    std::vector<TestLayer> layers;
    for (std::uint64_t r = 0; r < 8; ++r) {
      layers.push_back(layer_of(argmax_spec(5, 6), {-3, 7, 31, -32, 31}, prng));
      layers.back().r[0] = r;
    }
    mpc::ChannelPair channels;
    if (by_ot) {
      run_ot_session(channels, layers, 89);
    } else {
      run_session(channels, layers, 89);
    }
    for (std::uint64_t r = 0; r < 8; ++r)
      EXPECT_EQ(layers[r].result, std::vector<std::uint64_t>{(2 - r) & 7});
  }
}

}  // namespace
}  // namespace ap::activation
