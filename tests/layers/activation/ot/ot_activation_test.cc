#include "layers/activation/ot/ot_activation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "layers/activation/ot/ot_messages.h"
#include "net/channel/recording_channel.h"
#include "tests/layers/activation/ot/ot_protocol.h"

namespace ap::activation {
namespace {

void expect_exact(std::vector<TestLayer>& layers, std::uint8_t seed) {
  mpc::ChannelPair channels;
  run_ot_session(channels, layers, seed);
  OtCost cost;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ASSERT_EQ(layers[i].result, reference(layers[i].spec, layers[i].a, layers[i].b, layers[i].r))
        << "layer " << i << ", n " << layers[i].spec.sum_bits << ", m " << layers[i].spec.clamp_bits;
    const OtCost layer = ot_cost(layers[i].spec);
    cost.client_bytes += layer.client_bytes;
    cost.server_bytes += layer.server_bytes;
  }
  // The bytes are those of the formula.
  std::uint64_t client = 0;
  std::uint64_t server = 0;
  for (net::MessageType type = kOtChoices; type <= kOtCorrection; ++type) {
    client += channels.client->sent_bytes(type);
    server += channels.server->sent_bytes(type);
  }
  EXPECT_EQ(client, cost.client_bytes);
  EXPECT_EQ(server, cost.server_bytes);
}

TEST(OtActivation, EveryPairOfSharesOfSmallShapes) {
  Prng prng(mpc::test_seed(50));
  std::vector<TestLayer> layers;
  for (const auto& [n, m, k, g] : {std::array{5, 2, 2, 0},
                                   {5, 2, 3, 0},
                                   {5, 3, 8, 0},
                                   {5, 4, 7, 1},
                                   {5, 4, 4, 0},
                                   {5, 4, 5, 0},
                                   {5, 5, 9, 0},
                                   {5, 7, 12, 0},
                                   {6, 3, 11, 0},
                                   {6, 5, 5, 0},
                                   {6, 1, 40, 0},
                                   {6, 1, 1, 0},
                                   {7, 1, 3, 0},
                                   {8, 2, 9, 0},
                                   {3, 1, 6, 5},
                                   {4, 2, 6, 2},
                                   {2, 1, 1, 3},
                                   {2, 1, 4, 0},
                                   {2, 2, 2, 0}}) {
    layers.push_back(all_pairs(n, m, k, g, prng));
  }
  expect_exact(layers, 51);
}

/// Accumulators around every boundary, and random ones, for shapes that need every kind of leaf and merge.
TEST(OtActivation, EdgesOfLargeShapes) {
  Prng prng(mpc::test_seed(52));
  std::vector<TestLayer> layers;
  for (const auto& [n, m, k, g] : {std::array{10, 8, 18, 0},
                                   {12, 8, 20, 2},
                                   {13, 8, 18, 4},
                                   {11, 8, 18, 0},
                                   {17, 8, 18, 0},
                                   {37, 16, 37, 0},
                                   {37, 37, 37, 0},
                                   {37, 36, 40, 0},
                                   {40, 16, 40, 8},
                                   {40, 1, 1, 0},
                                   {17, 16, 16, 0},
                                   {10, 16, 30, 8},
                                   {40, 40, 40, 8},
                                   {21, 16, 36, 1}}) {
    layers.push_back(edges_and_small_sums(n, m, k, g, 2001, prng));
  }
  expect_exact(layers, 53);
}

TEST(OtActivation, OverlappingPoolingWindows) {
  Prng prng(mpc::test_seed(54));
  std::vector<TestLayer> layers;
  for (const auto& [side, size, stride, n, m, k, g] : {std::array{8, 2, 2, 13, 8, 17, 0},
                                                       {9, 3, 2, 11, 8, 17, 2},
                                                       {7, 3, 1, 6, 6, 17, 0},
                                                       {6, 2, 1, 2, 1, 3, 1},
                                                       {8, 3, 2, 10, 8, 8, 0}}) {
    layers.push_back(random_layer(overlapping_windows(side, size, stride, n, m, k, g), prng));
  }
  // Windows of one repeated element, and of random ones.
  const ActivationSpec odd = odd_windows(prng);
  layers.push_back(random_layer(odd, prng));
  expect_exact(layers, 55);
}

TEST(OtActivation, ManyRandomInputs) {
  const std::size_t count = std::getenv("AP_SLOW") != nullptr ? std::size_t{1} << 22 : std::size_t{1} << 16;
  Prng prng(mpc::test_seed(56));
  for (const auto& [n, m, k, g] : {std::array{10, 8, 18, 0}, {12, 8, 20, 2}, {37, 37, 37, 0}}) {
    std::vector<TestLayer> layers;
    for (std::size_t done = 0; done < count; done += std::size_t{1} << 16) {
      layers.push_back(random_layer(plain_spec(std::size_t{1} << 16, n, m, k, g), prng));
      if (layers.size() == 16 || done + (std::size_t{1} << 16) >= count) {
        expect_exact(layers, 57);
        layers.clear();
      }
    }
  }
}

TEST(OtActivation, MaterialServesOnce) {
  mpc::ChannelPair channels;
  const ActivationSpec spec = plain_spec(3, 5, 3, 8);
  const std::vector<std::uint64_t> words = {1, 2, 3};
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
        OtActivationClient client(*channels.client, mpc::test_session());
        OtClientPreprocessing material = client.prepare(spec);
        EXPECT_FALSE(material.empty());
        client.run(std::move(material), words, words);
        EXPECT_TRUE(material.empty());
        EXPECT_EQ(code_of([&] { client.run(std::move(material), words, words); }), ErrorCode::security);
        OtClientPreprocessing other = client.prepare(spec);
        EXPECT_EQ(code_of([&] {
                    client.run(std::move(other), std::vector<std::uint64_t>{1, 2, 32}, words);
                  }),
                  ErrorCode::input);
        EXPECT_TRUE(other.empty());
      },
      [&] {
        OtActivationServer server(*channels.server, mpc::test_session());
        OtServerPreprocessing material = server.prepare(spec);
        EXPECT_EQ(server.run(std::move(material), words), reference(spec, words, words, words));
        EXPECT_EQ(code_of([&] { server.run(std::move(material), words); }), ErrorCode::security);
        OtServerPreprocessing other = server.prepare(spec);
        EXPECT_EQ(code_of([&] {
                    server.run(std::move(other), std::vector<std::uint64_t>{1, 2});
                  }),
                  ErrorCode::input);
      });
}

TEST(OtActivation, WrongSizesAreRefused) {
  const ActivationSpec spec = plain_spec(3, 5, 3, 8);
  const std::vector<std::uint64_t> words = {1, 2, 3};
  for (const std::size_t size : {std::size_t{0}, std::size_t{1000}}) {
    mpc::ChannelPair channels;
    ErrorCode code = ErrorCode::internal;
    mpc::run_two(
        channels,
        [&] {
          OtActivationClient client(*channels.client, mpc::test_session());
          OtClientPreprocessing material = client.prepare(spec);
          channels.client->send(kOtLeaves, Bytes(size));
        },
        [&] {
          OtActivationServer server(*channels.server, mpc::test_session());
          OtServerPreprocessing material = server.prepare(spec);
          try {
            server.run(std::move(material), words);
          } catch (const Error& error) {
            code = error.code();
          }
        });
    EXPECT_EQ(code, ErrorCode::peer);
  }
}

/// Whatever the inputs, the bits of every message are balanced.
TEST(OtActivation, MessagesHideTheInputs) {
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x3ff}}) {
    const std::size_t count = 1 << 14;
    const ActivationSpec spec = plain_spec(count, 10, 8, 18);
    const std::vector<std::uint64_t> words(count, value);
    std::vector<std::uint64_t> masks(count);
    Prng prng(mpc::test_seed(58));
    sample_bits(prng, spec.out_bits, masks);
    auto [client_end, server_end] = net::make_local_channels();
    net::RecordingChannel client_channel(std::move(client_end), net::RecordingChannel::Keep::messages);
    std::thread other([&server_end = server_end, &spec, &words] {
      OtActivationServer server(*server_end, mpc::test_session());
      server.run(server.prepare(spec), words);
    });
    OtActivationClient client(client_channel, mpc::test_session());
    client.run(client.prepare(spec), words, masks);
    other.join();
    std::size_t online = 0;
    for (const net::RecordedMessage& message : client_channel.messages()) {
      if (message.type < kOtChoices || message.type > kOtCorrection) continue;
      ++online;
      double ones = 0;
      for (const std::uint8_t byte : message.payload) ones += __builtin_popcount(byte);
      const double bits = 8.0 * static_cast<double>(message.payload.size());
      EXPECT_LT(std::abs(ones - bits / 2), 6 * std::sqrt(bits) / 2) << message.type;
    }
    EXPECT_EQ(online, 2u + 2 * 2 + 4);  // choices, leaves; two levels; flips, words twice, correction
  }
}

TEST(OtActivation, TranscriptIsFrozen) {
  mpc::ChannelPair channels;
  Prng prng(mpc::test_seed(59));
  ActivationSpec pooled = plain_spec(300, 12, 8, 20, 2);
  pooled.pool_size = 4;
  pooled.outputs = 90;
  for (std::size_t i = 0; i < 360; ++i)
    pooled.windows.push_back(static_cast<std::uint32_t>(prng.next64() % 300));
  std::vector<TestLayer> layers = {random_layer(plain_spec(1000, 10, 8, 18), prng),
                                   random_layer(pooled, prng)};
  run_ot_session(channels, layers, 60);
  EXPECT_EQ(channels.client->sent_hash(), "15ebf9c3dd4191fe12fec904947c5760");
  EXPECT_EQ(channels.server->sent_hash(), "c206a4d9d99b4b04a2671b98969f0a81");
}

}  // namespace
}  // namespace ap::activation
