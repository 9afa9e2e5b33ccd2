#include "layers/activation/gc/activation_garbler.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "layers/activation/gc/garbled_sizes.h"
#include "layers/activation/gc/messages.h"
#include "tests/layers/activation/gc/activation_protocol.h"

namespace ap::activation {
namespace {

void expect_exact(std::vector<TestLayer>& layers, std::uint8_t seed) {
  run_session(layers, seed);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ASSERT_EQ(layers[i].result, reference(layers[i].spec, layers[i].a, layers[i].b, layers[i].r))
        << "layer " << i;
  }
}

TEST(ActivationGarbler, EveryPairOfSharesOfSmallShapes) {
  Prng prng(mpc::test_seed(20));
  std::vector<TestLayer> layers;
  for (const auto& [n, m, k, g] : {std::array{5, 2, 2, 0},
                                   {5, 3, 8, 0},
                                   {5, 4, 7, 1},
                                   {5, 5, 9, 0},
                                   {5, 7, 12, 0},
                                   {6, 3, 11, 0},
                                   {6, 5, 5, 0},
                                   {6, 1, 40, 0},
                                   {4, 2, 6, 2},
                                   {2, 1, 1, 3}}) {
    const std::size_t side = std::size_t{1} << (n + g);
    TestLayer layer = random_layer(plain_spec(side * side, n, m, k, g), prng);
    for (std::size_t i = 0; i < side * side; ++i) {
      layer.a[i] = i % side;
      layer.b[i] = i / side;
    }
    layers.push_back(std::move(layer));
  }
  expect_exact(layers, 21);
}

TEST(ActivationGarbler, EdgesOfLargeShapes) {
  Prng prng(mpc::test_seed(22));
  std::vector<TestLayer> layers;
  for (const auto& [n, m, k, g] : {std::array{13, 8, 18, 0},
                                   {13, 8, 18, 4},
                                   {40, 16, 40, 8},
                                   {40, 1, 1, 0},
                                   {17, 16, 16, 0},
                                   {10, 16, 30, 8},
                                   {14, 8, 18, 3},
                                   {21, 16, 36, 1},
                                   {22, 16, 36, 1}}) {
    const ActivationSpec shape = plain_spec(1, n, m, k, g);
    const std::uint64_t modulus = std::uint64_t{1} << shape.share_bits();
    const std::uint64_t unit = std::uint64_t{1} << g;
    std::vector<std::uint64_t> sums;  // accumulators around every boundary
    for (const std::uint64_t edge : {std::uint64_t{0}, unit, unit << m, modulus / 2, modulus / 4}) {
      for (std::uint64_t off = 0; off < 5; ++off) sums.push_back((edge + off - 2) % modulus);
      sums.push_back((edge - unit) % modulus);
    }
    TestLayer layer = random_layer(plain_spec(4 * sums.size() + 1000, n, m, k, g), prng);
    for (std::size_t i = 0; i < 4 * sums.size(); ++i) {
      const std::uint64_t sum = sums[i / 4];
      if (i % 4 == 1) layer.b[i] = 0;
      if (i % 4 == 2) layer.b[i] = modulus - 1;
      if (i % 4 == 3) layer.b[i] = modulus / 2;
      layer.a[i] = (sum - layer.b[i]) % modulus;
    }
    for (std::size_t i = 0; i < layer.r.size(); i += 5) layer.r[i] = i % 2 ? 0 : (std::uint64_t{1} << k) - 1;
    layers.push_back(std::move(layer));
  }
  expect_exact(layers, 23);
}

TEST(ActivationGarbler, SeveralMessagesInALayer) {
  Prng prng(mpc::test_seed(24));
  std::vector<TestLayer> layers = {random_layer(plain_spec(30011, 13, 8, 18), prng)};
  ASSERT_GT(table_bytes(layers[0].spec), std::uint64_t{2} << 22);
  expect_exact(layers, 25);
}

TEST(ActivationGarbler, OverlappingPoolingWindows) {
  Prng prng(mpc::test_seed(26));
  std::vector<TestLayer> layers;
  for (const auto& [side, size, stride, n, g] :
       {std::array{8, 2, 2, 13, 0}, {9, 3, 2, 11, 2}, {7, 3, 1, 6, 0}, {6, 2, 1, 2, 1}}) {
    const auto width = static_cast<std::size_t>(side);
    ActivationSpec spec = plain_spec(width * width, n, std::min(8, n), 17, g);
    spec.pool_size = static_cast<std::size_t>(size * size);
    spec.outputs = 0;
    for (int y = -1; y < side; y += stride) {  // a border of one: indices outside are clamped, so repeated
      for (int x = -1; x < side; x += stride) {
        for (int d = 0; d < size * size; ++d) {
          const int row = std::clamp(y + d / size, 0, side - 1);
          const int column = std::clamp(x + d % size, 0, side - 1);
          spec.windows.push_back(static_cast<std::uint32_t>(row * side + column));
        }
        ++spec.outputs;
      }
    }
    layers.push_back(random_layer(spec, prng));
  }
  expect_exact(layers, 27);
}

TEST(ActivationGarbler, PoolingInSeveralMessages) {
  Prng prng(mpc::test_seed(28));
  ActivationSpec spec = plain_spec(3000, 40, 16, 40, 8);
  spec.outputs = 700;
  spec.pool_size = 9;
  for (std::size_t i = 0; i < spec.outputs * spec.pool_size; ++i) {
    spec.windows.push_back(static_cast<std::uint32_t>(prng.next64() % spec.inputs));
  }
  std::vector<TestLayer> layers = {random_layer(spec, prng)};
  ASSERT_GT(table_bytes(spec), std::uint64_t{2} << 22);
  expect_exact(layers, 29);
}

TEST(ActivationGarbler, SentBytesEqualTheFormulas) {
  Prng prng(mpc::test_seed(30));
  ActivationSpec pooled = plain_spec(333, 9, 5, 14, 1);
  pooled.outputs = 77;
  pooled.pool_size = 4;
  for (std::size_t i = 0; i < 77 * 4; ++i) pooled.windows.push_back(static_cast<std::uint32_t>(i));
  for (const ActivationSpec& spec : {plain_spec(1000, 13, 8, 18), plain_spec(5003, 10, 7, 15, 2), pooled}) {
    mpc::ChannelPair channels;
    std::vector<TestLayer> layers = {random_layer(spec, prng)};
    run_session(channels, layers, 31);
    EXPECT_EQ(channels.server->sent_bytes(kCotColumns), column_bytes(spec));
    EXPECT_EQ(channels.client->sent_bytes(kGarbledTables), table_bytes(spec));
    EXPECT_EQ(channels.server->sent_bytes(kInputChoices), choice_bytes(spec));
    EXPECT_EQ(channels.client->sent_bytes(kInputLabels), label_bytes(spec));
  }
}

TEST(ActivationGarbler, ResultIsUniformInTheMask) {
  // One value, all masks: the server sees every word equally often, so nothing of the value.
  std::vector<TestLayer> layers;
  Prng prng(mpc::test_seed(32));
  for (const std::uint64_t value : {3, 60}) {
    TestLayer layer = random_layer(plain_spec(64, 7, 5, 6), prng);
    for (std::size_t i = 0; i < 64; ++i) {
      layer.r[i] = i;
      layer.a[i] = (value - layer.b[i]) % 128;
    }
    layers.push_back(std::move(layer));
  }
  run_session(layers, 33);
  for (TestLayer& layer : layers) {
    std::sort(layer.result.begin(), layer.result.end());
    for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(layer.result[i], i);
  }
}

TEST(ActivationGarbler, TranscriptIsFrozen) {
  Prng prng(mpc::test_seed(34));
  ActivationSpec pooled = plain_spec(40, 9, 5, 14, 1);
  pooled.outputs = 10;
  pooled.pool_size = 4;
  for (std::uint32_t i = 0; i < 40; ++i) pooled.windows.push_back(i);
  std::vector<TestLayer> layers = {random_layer(plain_spec(100, 13, 8, 18), prng),
                                   random_layer(pooled, prng)};
  mpc::ChannelPair channels;
  run_session(channels, layers, 35);
  EXPECT_EQ(channels.client->sent_hash(), "4f5d2117a93ed2431b6e304a4686d9a4");
  EXPECT_EQ(channels.server->sent_hash(), "3b1083e52061ba63d1d5573ef0c8f59b");
}

TEST(ActivationGarbler, BadArgumentsAreRefusedBeforeAnythingIsSent) {
  mpc::ChannelPair channels;
  mpc::run_two(
      channels,
      [&] {
        ActivationGarbler garbler(*channels.client, mpc::test_session(), Prng(mpc::test_seed(36), 1));
        const ActivationSpec spec = plain_spec(2, 5, 3, 8);
        const std::vector<std::uint64_t> good = {1, 2};
        const std::vector<std::uint64_t> short_one = {1};
        const std::vector<std::uint64_t> wide = {1, 256};
        EXPECT_THROW(garbler.garble(plain_spec(2, 1, 3, 8), good, good), Error);
        EXPECT_THROW(garbler.garble(spec, short_one, good), Error);
        EXPECT_THROW(garbler.garble(spec, wide, good), Error);
        EXPECT_THROW(garbler.garble(spec, good, wide), Error);
        EXPECT_THROW(garbler.answer(GarblerPreprocessing()), Error);
        EXPECT_EQ(channels.client->sent_bytes(kGarbledTables), 0u);
      },
      [&] {
        ActivationEvaluator evaluator(*channels.server, mpc::test_session(), Prng(mpc::test_seed(36), 2));
      });
}

}  // namespace
}  // namespace ap::activation
