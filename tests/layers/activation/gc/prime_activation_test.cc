// Activation layers on shares modulo primes, through the whole protocol.
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/gc/messages.h"
#include "tests/layers/activation/gc/activation_protocol.h"

namespace ap::activation {
namespace {

void expect_exact(std::vector<TestLayer>& layers, std::uint8_t seed) {
  run_session(layers, seed);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ActivationSpec& spec = layers[i].spec;
    ASSERT_EQ(layers[i].result, reference(spec, layers[i].a, layers[i].b, layers[i].r))
        << "layer " << i << ": " << spec.in_prime << " to " << spec.out_prime;
  }
}

/// Makes the first elements' sums `sums`, each on random shares and on the client's extreme ones.
void set_sums(TestLayer& layer, const std::vector<std::uint64_t>& sums) {
  const std::uint64_t p = layer.spec.in_prime;
  const std::uint64_t extremes[] = {0, 1, p / 2, p / 2 + 1, p - 1};
  for (std::size_t i = 0; i < 6 * sums.size() && i < layer.a.size(); ++i) {
    if (i % 6 > 0) layer.b[i] = extremes[i % 6 - 1];
    layer.a[i] = (sums[i / 6] + p - layer.b[i]) % p;
  }
}

/// Windows of `size` entries, most of them overlapping and some repeated.
void set_windows(ActivationSpec& spec, std::size_t outputs, std::size_t size, Prng& prng) {
  spec.outputs = outputs;
  spec.pool_size = size;
  for (std::size_t i = 0; i < outputs * size; ++i) {
    spec.windows.push_back(static_cast<std::uint32_t>(prng.next64() % spec.inputs));
  }
}

TEST(PrimeActivation, EverySumOfSmallPrimes) {
  Prng prng(mpc::test_seed(60));
  std::vector<TestLayer> layers;
  for (const std::uint64_t p : {7681, 12289, 4099}) {
    for (const auto& [g, m, out] : {std::array{0, 8, 12289},
                                    {3, 8, 7681},
                                    {4, 12, 0},
                                    {5, 4, 4099},
                                    {11, 1, 12289},
                                    {1, 6, 0},
                                    {2, 9, 4127}}) {
      const auto next = static_cast<std::uint64_t>(out);
      TestLayer layer = random_layer(with_primes(plain_spec(p, 0, m, 20, g), p, next), prng);
      for (std::uint64_t x = 0; x < p; ++x) layer.a[x] = (x + p - layer.b[x]) % p;
      layers.push_back(std::move(layer));
    }
  }
  expect_exact(layers, 61);
}

TEST(PrimeActivation, EveryShareOfTheClient) {
  // Two sums on either side of every boundary, with every b.
  Prng prng(mpc::test_seed(62));
  std::vector<TestLayer> layers;
  constexpr std::uint64_t kPrime = 7681;
  for (const std::uint64_t sum : {std::uint64_t{0}, kPrime - 1, kPrime / 2, kPrime / 2 + 1, std::uint64_t{7},
                                  std::uint64_t{8}, std::uint64_t{511}, std::uint64_t{512}}) {
    TestLayer layer = random_layer(with_primes(plain_spec(kPrime, 0, 6, 0, 3), kPrime, 12289), prng);
    for (std::uint64_t b = 0; b < kPrime; ++b) {
      layer.b[b] = b;
      layer.a[b] = (sum + kPrime - b) % kPrime;
    }
    layers.push_back(std::move(layer));
  }
  expect_exact(layers, 63);
}

TEST(PrimeActivation, EdgesOfLargePrimes) {
  Prng prng(mpc::test_seed(64));
  std::vector<TestLayer> layers;
  for (const std::uint64_t p :
       {4079617ULL, 4194301ULL, 66994177ULL, 576599359489ULL, 549755813911ULL, 1099511627689ULL, 65537ULL}) {
    for (const auto& [g, m, out] : {std::array<std::uint64_t, 3>{0, 16, 1099511627689},
                                    {8, 8, p},
                                    {12, 8, 4079617},
                                    {14, 1, 0},
                                    {8, 7, 0},
                                    {p >> 30 != 0 ? 24U : 9U, 8, 66994177}}) {
      const auto shift = static_cast<int>(g);
      const std::uint64_t unit = std::uint64_t{1} << g;
      std::vector<std::uint64_t> sums;
      for (const std::uint64_t edge :
           {std::uint64_t{0}, p / 2, p / 4, unit, unit << m, p / 2 & ~(unit - 1)}) {
        for (std::uint64_t off = 0; off < 5; ++off) sums.push_back((edge + p + off - 2) % p);
      }
      TestLayer layer = random_layer(
          with_primes(plain_spec(6 * sums.size() + 300, 0, static_cast<int>(m), 40, shift), p, out), prng);
      set_sums(layer, sums);
      for (std::size_t i = 0; i < layer.r.size(); i += 5) {
        layer.r[i] = i % 2 != 0 || out == 0 ? 0 : out - 1;
      }
      layers.push_back(std::move(layer));
    }
  }
  expect_exact(layers, 65);
}

TEST(PrimeActivation, FromARingToPrimes) {
  Prng prng(mpc::test_seed(66));
  std::vector<TestLayer> layers;
  TestLayer every = random_layer(with_primes(plain_spec(4096, 4, 2, 0, 2), 0, 7681), prng);
  for (std::size_t i = 0; i < 4096; ++i) {
    every.a[i] = i % 64;
    every.b[i] = i / 64;
  }
  layers.push_back(std::move(every));
  for (const auto& [n, m, g] : {std::array{13, 8, 0}, {16, 12, 4}, {40, 12, 16}, {9, 12, 3}}) {
    layers.push_back(random_layer(with_primes(plain_spec(3000, n, m, 0, g), 0, 7681), prng));
  }
  expect_exact(layers, 67);
}

TEST(PrimeActivation, PoolingWithEveryPairOfModuli) {
  Prng prng(mpc::test_seed(68));
  std::vector<TestLayer> layers;
  for (const std::uint64_t in : {0ULL, 7681ULL, 4079617ULL, 1099511627689ULL}) {
    for (const std::uint64_t out : {0ULL, 12289ULL, 66994177ULL}) {
      for (const std::size_t size : {2, 9}) {
        ActivationSpec spec = with_primes(plain_spec(400, 12, 7, 20, in >> 30 != 0 ? 24 : 5), in, out);
        if (in == 0) spec.guard_bits = 3;
        set_windows(spec, 150, size, prng);
        layers.push_back(random_layer(spec, prng));
      }
    }
  }
  expect_exact(layers, 69);
}

TEST(PrimeActivation, SeveralMessagesInALayer) {
  Prng prng(mpc::test_seed(70));
  ActivationSpec pooled = with_primes(plain_spec(4000, 0, 8, 0, 8), 66994177, 4079617);
  set_windows(pooled, 2000, 4, prng);
  std::vector<TestLayer> layers = {
      random_layer(with_primes(plain_spec(6011, 0, 8, 0, 8), 66994177, 66994177), prng),
      random_layer(pooled, prng)};
  ASSERT_GT(table_bytes(layers[0].spec), std::uint64_t{2} << 22);
  expect_exact(layers, 71);
}

TEST(PrimeActivation, SentBytesEqualTheFormulas) {
  Prng prng(mpc::test_seed(72));
  ActivationSpec pooled = with_primes(plain_spec(333, 0, 5, 0, 3), 7681, 12289);
  set_windows(pooled, 77, 4, prng);
  for (const ActivationSpec& spec : {with_primes(plain_spec(1000, 0, 8, 0, 8), 4079617, 4079617),
                                     with_primes(plain_spec(777, 0, 8, 18, 8), 66994177, 0),
                                     with_primes(plain_spec(501, 13, 8, 0), 0, 12289), pooled}) {
    mpc::ChannelPair channels;
    std::vector<TestLayer> layers = {random_layer(spec, prng)};
    run_session(channels, layers, 73);
    EXPECT_EQ(channels.server->sent_bytes(kCotColumns), column_bytes(spec));
    EXPECT_EQ(channels.client->sent_bytes(kGarbledTables), table_bytes(spec));
    EXPECT_EQ(channels.server->sent_bytes(kInputChoices), choice_bytes(spec));
    EXPECT_EQ(channels.client->sent_bytes(kInputLabels), label_bytes(spec));
  }
}

TEST(PrimeActivation, ResultIsUniformInTheMask) {
  // One value, all masks: the server sees every word equally often, so nothing of the value.
  constexpr std::uint64_t kPrime = 4099;
  Prng prng(mpc::test_seed(74));
  std::vector<TestLayer> layers;
  for (const std::uint64_t value : {3, 4000}) {
    TestLayer layer = random_layer(with_primes(plain_spec(kPrime, 0, 12, 0, 0), 12289, kPrime), prng);
    for (std::size_t i = 0; i < kPrime; ++i) {
      layer.r[i] = i;
      layer.a[i] = (value + 12289 - layer.b[i]) % 12289;
    }
    layers.push_back(std::move(layer));
  }
  expect_exact(layers, 75);
  for (TestLayer& layer : layers) {
    std::sort(layer.result.begin(), layer.result.end());
    for (std::size_t i = 0; i < kPrime; ++i) ASSERT_EQ(layer.result[i], i);
  }
}

// The recipe in layers/activation/activation_spec.h: what a caller adds for another lower bound and for rounding.
TEST(PrimeActivation, LowerBoundAndRoundingByTheCaller) {
  constexpr std::int64_t kPrime = 12289;
  constexpr int kShift = 5;
  Prng prng(mpc::test_seed(76));
  for (const std::int64_t low : {-8, 5}) {
    TestLayer layer = random_layer(with_primes(plain_spec(kPrime, 0, 4, 0, kShift), kPrime, 7681), prng);
    const std::int64_t offset = (1 << (kShift - 1)) - (low << kShift);
    std::vector<std::int64_t> wanted;
    for (std::int64_t i = 0; i < kPrime; ++i) {
      const std::int64_t x = i - kPrime / 2;
      const auto at = static_cast<std::size_t>(i);
      const auto share = static_cast<std::int64_t>(layer.b[at]);
      layer.a[at] = static_cast<std::uint64_t>(((x + offset - share) % kPrime + kPrime) % kPrime);
      const auto rounded =
          static_cast<std::int64_t>(std::floor(static_cast<double>(x) / (1 << kShift) + 0.5));
      wanted.push_back(std::clamp<std::int64_t>(rounded, low, low + 15));
    }
    std::vector<TestLayer> layers = {std::move(layer)};
    run_session(layers, 77);
    for (std::int64_t i = 0; i < kPrime; ++i) {
      if (std::abs(i - kPrime / 2 + offset) > kPrime / 2) continue;  // no room
      const auto at = static_cast<std::size_t>(i);
      const auto sum = static_cast<std::int64_t>(layers[0].result[at] + layers[0].r[at]) + low;
      ASSERT_EQ((sum - wanted[at]) % 7681, 0) << i;
    }
  }
}

TEST(PrimeActivation, TranscriptIsFrozen) {
  Prng prng(mpc::test_seed(78));
  ActivationSpec pooled = with_primes(plain_spec(40, 0, 5, 14, 3), 7681, 0);
  set_windows(pooled, 10, 4, prng);
  std::vector<TestLayer> layers = {
      random_layer(with_primes(plain_spec(100, 0, 8, 0, 8), 4079617, 66994177), prng),
      random_layer(pooled, prng)};
  mpc::ChannelPair channels;
  run_session(channels, layers, 79);
  EXPECT_EQ(channels.client->sent_hash(), "5ffcdc0ae177305eed20ca3dc6b621c7");
  EXPECT_EQ(channels.server->sent_hash(), "bd3fe5d472d25c3e67bd0eb46f645201");
}

TEST(PrimeActivation, WordsOutsideTheFieldAreRefused) {
  mpc::ChannelPair channels;
  const ActivationSpec spec = with_primes(plain_spec(2, 0, 4, 0, 3), 7681, 12289);
  const std::vector<std::uint64_t> good = {1, 7680};
  const std::vector<std::uint64_t> wide = {7681, 1};
  const std::vector<std::uint64_t> mask = {0, 12288};
  const std::vector<std::uint64_t> wide_mask = {12289, 0};
  const auto code_of = [](const auto& body) {
    try {
      body();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  mpc::run_two(
      channels,
      [&] {
        ActivationGarbler garbler(*channels.client, mpc::test_session(), Prng(mpc::test_seed(80), 1));
        EXPECT_EQ(code_of([&] { garbler.garble(spec, wide, mask); }), ErrorCode::input);
        EXPECT_EQ(code_of([&] { garbler.garble(spec, good, wide_mask); }), ErrorCode::input);
        garbler.answer(garbler.garble(spec, good, mask));
      },
      [&] {
        ActivationEvaluator evaluator(*channels.server, mpc::test_session(), Prng(mpc::test_seed(80), 2));
        EvaluatorPreprocessing material = evaluator.receive_tables(evaluator.prepare(spec));
        EXPECT_EQ(code_of([&] { evaluator.request(material, wide); }), ErrorCode::input);
        evaluator.request(material, good);
        EXPECT_EQ(evaluator.evaluate(std::move(material)), reference(spec, good, good, mask));
      });
}

}  // namespace
}  // namespace ap::activation
