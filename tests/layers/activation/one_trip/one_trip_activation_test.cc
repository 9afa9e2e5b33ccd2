#include "layers/activation/one_trip/one_trip_activation.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <functional>

#include "base/error.h"
#include "layers/activation/argmax_spec.h"
#include "layers/activation/one_trip/one_trip_messages.h"
#include "tests/layers/activation/one_trip/one_trip_protocol.h"

namespace ap::activation {
namespace {

/// Exact, with the bytes of the formula.
void expect_exact(std::vector<TestLayer>& layers, std::uint8_t seed) {
  mpc::ChannelPair channels;
  run_one_trip_session(channels, layers, seed);
  OtCost cost;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ActivationSpec& spec = layers[i].spec;
    ASSERT_EQ(layers[i].result, reference(spec, layers[i].a, layers[i].b, layers[i].r))
        << "layer " << i << ", n " << spec.sum_bits << ", m " << spec.clamp_bits << ", g " << spec.guard_bits;
    cost += one_trip_cost(*one_trip_plan(spec));
  }
  EXPECT_EQ(channels.client->sent_bytes(kOneTripWords), cost.client_bytes);
  EXPECT_EQ(channels.server->sent_bytes(kOneTripChoices), cost.server_bytes);
  EXPECT_EQ(channels.client->sent_bytes(kOneTripTables) + channels.client->sent_bytes(kOneTripRepeated),
            cost.offline_bytes);
}

TEST(OneTripActivation, EveryPairOfSharesOfSmallShapes) {
  Prng prng(mpc::test_seed(150));
  std::vector<TestLayer> layers;
  for (const auto& [n, m, k, g] :
       {std::array{5, 2, 2, 0}, {5, 2, 3, 0}, {5, 3, 8, 0},  {5, 4, 7, 1},  {5, 4, 4, 0},
        {5, 4, 5, 0},           {5, 5, 9, 0}, {5, 7, 12, 0}, {6, 3, 11, 0}, {6, 5, 5, 0},
        {6, 1, 40, 0},          {6, 1, 1, 0}, {7, 1, 3, 0},  {8, 2, 9, 0},  {3, 1, 6, 5},
        {4, 2, 6, 2},           {2, 1, 1, 3}, {2, 1, 4, 0},  {2, 2, 2, 0},  {5, 3, 32, 3}}) {
    layers.push_back(all_pairs(n, m, k, g, prng));
  }
  expect_exact(layers, 151);
}

TEST(OneTripActivation, EdgesOfLargeShapes) {
  Prng prng(mpc::test_seed(152));
  std::vector<TestLayer> layers;
  for (const auto& [n, m, k, g] : {std::array{9, 8, 18, 0},
                                   {10, 8, 18, 0},
                                   {10, 8, 18, 1},
                                   {11, 8, 20, 0},
                                   {11, 8, 20, 9},
                                   {12, 8, 20, 2},
                                   {12, 8, 21, 0},
                                   {12, 8, 22, 4},
                                   {13, 8, 19, 0},
                                   {13, 8, 18, 6},
                                   {14, 8, 22, 0},
                                   {14, 8, 22, 3},
                                   {37, 37, 37, 0},
                                   {37, 36, 40, 0},
                                   {17, 16, 16, 0},
                                   {10, 16, 30, 8},
                                   {20, 16, 21, 1},
                                   {40, 40, 40, 0},
                                   {16, 15, 32, 16}}) {
    layers.push_back(edges_and_small_sums(n, m, k, g, 2001, prng));
  }
  expect_exact(layers, 153);
}

TEST(OneTripActivation, OverlappingPoolingWindows) {
  Prng prng(mpc::test_seed(154));
  std::vector<TestLayer> layers;
  for (const auto& [side, size, stride, n, m, k, g] : {std::array{8, 2, 2, 13, 8, 17, 0},
                                                       {9, 3, 2, 11, 8, 17, 2},
                                                       {7, 3, 1, 6, 6, 17, 0},
                                                       {6, 2, 1, 2, 1, 3, 1},
                                                       {8, 3, 2, 10, 8, 8, 0}}) {
    layers.push_back(random_layer(overlapping_windows(side, size, stride, n, m, k, g), prng));
  }
  // Windows of one repeated element, which share their value, and of random ones.
  const ActivationSpec odd = odd_windows(prng);
  layers.push_back(random_layer(odd, prng));
  EXPECT_EQ(one_trip_plan(odd)->repeated, 9U);
  expect_exact(layers, 155);
}

// The first of the largest values, ties and extremes included; its number under the client's mask.
TEST(OneTripActivation, Argmax) {
  Prng prng(mpc::test_seed(156));
  for (const auto& [count, bits] : {std::array{2, 8}, {3, 20}, {10, 24}, {100, 21}}) {
    std::vector<TestLayer> layers;
    std::vector<std::size_t> best;
    for (int round = 0; round < 12; ++round) {
      TestLayer layer;
      layer.spec = argmax_spec(static_cast<std::size_t>(count), bits);
      const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
      std::vector<std::int64_t> values(static_cast<std::size_t>(count));
      for (auto& value : values) {
        value = static_cast<std::int64_t>(prng.next64() % 5) - 2;
        if (round % 3 == 1) value = static_cast<std::int64_t>(prng.next64() << (64 - bits)) >> (64 - bits);
        if (round % 3 == 2)
          value = prng.next64() % 2 ? (std::int64_t{1} << (bits - 1)) - 1 : -(std::int64_t{1} << (bits - 1));
        layer.b.push_back(prng.next64() & mask);
        layer.a.push_back((static_cast<std::uint64_t>(value) - layer.b.back()) & mask);
      }
      layer.r = {prng.next64() & ((1U << layer.spec.out_bits) - 1)};
      best.push_back(
          static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin()));
      layers.push_back(std::move(layer));
    }
    mpc::ChannelPair channels;
    run_one_trip_session(channels, layers, 157);
    for (std::size_t i = 0; i < layers.size(); ++i) {
      EXPECT_EQ((layers[i].result[0] + layers[i].r[0]) & ((1U << layers[i].spec.out_bits) - 1), best[i])
          << count << " values, round " << i;
    }
  }
}

// Two one-way messages, however the layer is shaped; two more for each level of a tournament.
TEST(OneTripPlan, CostsOfCommonShapes) {
  const auto cost = [](int n, int m, int k, int g) {
    return one_trip_cost(*one_trip_plan(plain_spec(1280, n, m, k, g)));
  };
  const auto bytes = [](std::uint64_t total) { return static_cast<double>(total) / 1280; };
  const OtCost typical = cost(12, 8, 20, 0);
  EXPECT_EQ(typical.one_way_messages, 2);
  EXPECT_EQ(typical.client_bytes, 1280 * (8 * 20 + 12) / 8);  // 8 k + 12 bits
  EXPECT_EQ(typical.server_bytes, 1280 * (12 + 20 + 7) / 8);  // n + k + 7
  EXPECT_EQ(typical.offline_bytes, 1280 * 224 / 8);
  EXPECT_EQ(typical.client_cots, 1280U * (12 + 7));
  EXPECT_EQ(typical.server_cots, 1280U);
  // One high bit: no table and no digit of it.
  const OtCost sign = cost(9, 8, 18, 0);
  EXPECT_EQ(sign.client_bytes, 1280 * (6 * 18 + 12) / 8);
  EXPECT_EQ(sign.server_bytes, 1280 * (8 + 18 + 5) / 8);
  EXPECT_EQ(sign.offline_bytes, 1280 * 96 / 8);
  // Guard bits cost a digit and two words.
  EXPECT_LT(bytes(cost(12, 8, 20, 2).client_bytes), 33);
  EXPECT_LT(bytes(cost(11, 8, 20, 9).client_bytes), 54);
}

TEST(OneTripPlan, RefusesWhatItCannotRun) {
  EXPECT_TRUE(takes_one_trip(plain_spec(4, 14, 8, 22)));
  EXPECT_FALSE(takes_one_trip(plain_spec(4, 15, 8, 22)));     // seven high bits
  EXPECT_FALSE(takes_one_trip(plain_spec(4, 12, 8, 33, 2)));  // the guard's words
  EXPECT_FALSE(takes_one_trip(with_primes(plain_spec(4, 12, 8, 20), 0, 786433)));
  ActivationSpec table = plain_spec(4, 8, 4, 8);
  table.table = TableSpec{false, false, 0, 2, std::vector<std::uint16_t>(16, 1)};
  EXPECT_FALSE(takes_one_trip(table));
  EXPECT_THROW(plan_one_trip_layer(plain_spec(4, 15, 8, 22)), Error);
}

// 2^20 elements of the shapes that networks have.
TEST(OneTripActivation, AMillionElements) {
  if (std::getenv("AP_SLOW") == nullptr) GTEST_SKIP() << "slow; set AP_SLOW to run it";
  Prng prng(mpc::test_seed(158));
  for (const auto& [n, m, k, g] : {std::array{12, 8, 20, 0}, {12, 8, 20, 2}, {9, 8, 18, 0}, {11, 8, 20, 9}}) {
    std::vector<TestLayer> layers = {edges(n, m, k, g, std::size_t{1} << 18, prng)};
    expect_exact(layers, 159);
  }
}

/// Runs one layer; `spoil` may change what the client sends online, of the type and payload given.
ErrorCode run_spoiled(const ActivationSpec& spec, net::MessageType type,
                      const std::function<Bytes(Bytes)>& spoil, std::vector<std::uint64_t>& results) {
  Prng prng(mpc::test_seed(162));
  const TestLayer layer = random_layer(spec, prng);
  ErrorCode code = ErrorCode::internal;
  struct Spoiler : net::Channel {
    Spoiler(net::Channel& c, net::MessageType t, const std::function<Bytes(Bytes)>& s)
        : inner(c), type(t), spoil(s) {}
    void send(net::MessageType t, ByteView payload) override {
      inner.send(t, t == type ? spoil(Bytes(payload.begin(), payload.end()))
                              : Bytes(payload.begin(), payload.end()));
    }
    Bytes receive(net::MessageType t, std::size_t low, std::size_t high) override {
      return inner.receive(t, low, high);
    }
    void set_deadline(std::chrono::milliseconds wait) override { inner.set_deadline(wait); }
    void close() override { inner.close(); }
    net::Traffic traffic() const override { return inner.traffic(); }
    net::Channel& inner;
    net::MessageType type;
    const std::function<Bytes(Bytes)>& spoil;
  };
  const auto guarded = [&](net::Channel& channel, const auto& body) {
    try {
      body();
    } catch (const Error& error) {
      if (code == ErrorCode::internal) code = error.code();
      channel.close();
    }
  };
  mpc::ChannelPair channels;
  mpc::run_two(
      channels,
      [&] {
        Spoiler channel(*channels.client, type, spoil);
        guarded(channel, [&] {
          OtActivationClient session(channel, mpc::test_session());
          OneTripClientPreprocessing material = OneTripClient::begin(session, one_trip_plan(spec));
          OneTripClient::complete(session, material, layer.b, layer.r);
          OneTripClient::run(channel, std::move(material));
        });
      },
      [&] {
        Spoiler channel(*channels.server, type, spoil);
        guarded(channel, [&] {
          OtActivationServer session(channel, mpc::test_session());
          OneTripServerPreprocessing material = OneTripServer::begin(session, one_trip_plan(spec));
          OneTripServer::complete(session, material);
          results = OneTripServer::run(channel, std::move(material), layer.a);
        });
      });
  return code;
}

// Messages of another length are refused by either party; any content of the right length gives some result of the
// right width, and nobody stops for it.
TEST(OneTripActivation, WrongMessagesAreRefusedOrHarmless) {
  for (const ActivationSpec& spec : {plain_spec(70, 12, 8, 20), plain_spec(70, 11, 8, 20, 9)}) {
    for (const net::MessageType type : {kOneTripTables, kOneTripChoices, kOneTripWords}) {
      std::vector<std::uint64_t> results;
      for (const int change : {-1, 1}) {
        EXPECT_EQ(run_spoiled(
                      spec, type,
                      [&](Bytes b) {
                        b.resize(b.size() + static_cast<std::size_t>(change));
                        return b;
                      },
                      results),
                  ErrorCode::peer)
            << type;
      }
      for (const int value : {0, 255, 0x5a}) {
        results.clear();
        EXPECT_EQ(
            run_spoiled(
                spec, type, [&](const Bytes& b) { return Bytes(b.size(), static_cast<std::uint8_t>(value)); },
                results),
            ErrorCode::internal)
            << type << ": no error";
        EXPECT_EQ(results.size(), 70U);
        for (const std::uint64_t result : results) EXPECT_LT(result, 1U << 20);
      }
    }
  }
}

// Stored material is as good as new, and files that end early are refused.
TEST(OneTripActivation, MaterialCanBeStored) {
  Prng prng(mpc::test_seed(163));
  ActivationSpec pooled = plain_spec(64, 11, 8, 20, 9);
  pooled.pool_size = 4;
  pooled.outputs = 17;
  for (std::size_t i = 0; i < 64; ++i) pooled.windows.push_back(static_cast<std::uint32_t>(i));
  for (std::uint32_t i = 0; i < 4; ++i) pooled.windows.push_back(i);  // the first one again
  const TestLayer layer = random_layer(pooled, prng);
  const auto plan = one_trip_plan(pooled);
  mpc::ChannelPair channels;
  std::vector<std::uint64_t> results;
  const auto through = []<typename Material>(const Material& material, const auto& shape) {
    SecretWriter out;
    material.save(out);
    const SecretBytes bytes = out.take();
    ByteReader shorter(ByteView(bytes).first(bytes.size() - 1), "material");
    EXPECT_THROW(Material::restore(shape, shorter), Error);
    ByteReader in(bytes, "material");
    Material restored = Material::restore(shape, in);
    in.expect_end();
    return restored;
  };
  mpc::run_two(
      channels,
      [&] {
        OtActivationClient session(*channels.client, mpc::test_session());
        OneTripClientPreprocessing material = OneTripClient::begin(session, plan);
        OneTripClient::complete(session, material, layer.b, layer.r);
        OneTripClient::run(*channels.client, through(material, plan));
      },
      [&] {
        OtActivationServer session(*channels.server, mpc::test_session());
        OneTripServerPreprocessing material = OneTripServer::begin(session, plan);
        OneTripServer::complete(session, material);
        results = OneTripServer::run(*channels.server, through(material, plan), layer.a);
      });
  EXPECT_EQ(results, reference(pooled, layer.a, layer.b, layer.r));
}

// The material is consumed by run, and neither party can run it twice.
TEST(OneTripActivation, MaterialServesOnce) {
  mpc::ChannelPair channels;
  OneTripClientPreprocessing nothing;
  EXPECT_TRUE(nothing.empty());
  EXPECT_THROW(OneTripClient::run(*channels.client, std::move(nothing)), Error);
  OneTripServerPreprocessing none;
  EXPECT_THROW(OneTripServer::run(*channels.server, std::move(none), {}), Error);
}

TEST(OneTripActivation, TranscriptIsFrozen) {
  Prng prng(mpc::test_seed(160));
  std::vector<TestLayer> layers = {random_layer(plain_spec(300, 12, 8, 20), prng),
                                   random_layer(plain_spec(70, 11, 8, 20, 9), prng)};
  mpc::ChannelPair channels;
  run_one_trip_session(channels, layers, 161);
  EXPECT_EQ(channels.client->sent_hash(), "e46f3912c592b4b7b2b7174bfbe7941d");
  EXPECT_EQ(channels.server->sent_hash(), "43837a1ee2e44df5e019c79f05284c86");
}

}  // namespace
}  // namespace ap::activation
