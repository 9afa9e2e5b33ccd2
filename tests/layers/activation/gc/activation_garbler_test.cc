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
    layers.push_back(all_pairs(n, m, k, g, prng));
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
    layers.push_back(edges(n, m, k, g, 1000, prng));
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
    layers.push_back(random_layer(overlapping_windows(side, size, stride, n, std::min(8, n), 17, g), prng));
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
