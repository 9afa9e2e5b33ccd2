// Activations with a public table (layers/activation/table_spec.h) by the `ot` protocol.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <thread>

#include "base/error.h"
#include "layers/activation/gc/layer_plan.h"
#include "layers/activation/ot/ot_activation.h"
#include "layers/activation/ot/ot_messages.h"
#include "net/channel/recording_channel.h"
#include "tests/layers/activation/ot/ot_protocol.h"

namespace ap::activation {
namespace {

struct Shape {
  int n, g, m, k;
  bool relu, even;
  int cell_bits, value_bits;
};

TableSpec random_table(const Shape& s, Prng& prng) {
  TableSpec table;
  table.relu = s.relu;
  table.even = s.even;
  table.cell_bits = s.cell_bits;
  table.value_bits = s.value_bits;
  for (int i = 0; i < 1 << table.index_bits(s.m); ++i) {
    table.values.push_back(static_cast<std::uint16_t>(prng.next64() >> (64 - s.value_bits)));
  }
  return table;
}

ActivationSpec table_spec(std::size_t count, const Shape& s, Prng& prng) {
  ActivationSpec spec = plain_spec(count, s.n, s.m, s.k, s.g);
  spec.table = random_table(s, prng);
  return spec;
}

/// From the definition, without TableSpec::at.
std::vector<std::uint64_t> table_reference(const TestLayer& layer) {
  const ActivationSpec& spec = layer.spec;
  const TableSpec& table = *spec.table;
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i < spec.inputs; ++i) {
    const int u = static_cast<int>(
        std::clamp<std::int64_t>(sum_of(spec, layer.a[i], layer.b[i]), 0, (1 << spec.clamp_bits) - 1));
    const int half = 1 << (spec.clamp_bits - 1), t = u - half;
    const int argument = table.even ? std::abs(t) % half : u;
    std::int64_t v = table.values[static_cast<std::size_t>(argument / (1 << table.cell_bits))];
    if (table.relu) v += std::max(t, 0);
    out.push_back((static_cast<std::uint64_t>(v) - layer.r[i]) & ((std::uint64_t{1} << spec.out_bits) - 1));
  }
  return out;
}

void expect_exact(std::vector<TestLayer>& layers, std::uint8_t seed) {
  mpc::ChannelPair channels;
  run_ot_session(channels, layers, seed);
  OtCost cost;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ASSERT_EQ(layers[i].result, table_reference(layers[i])) << "layer " << i;
    const OtCost layer = ot_cost(layers[i].spec);
    cost.client_bytes += layer.client_bytes;
    cost.server_bytes += layer.server_bytes;
  }
  std::uint64_t client = 0, server = 0;
  for (net::MessageType type = kOtChoices; type <= kLookupWords; ++type) {
    if (type > kOtCorrection && type < kLookupIndex) continue;
    client += channels.client->sent_bytes(type);
    server += channels.server->sent_bytes(type);
  }
  EXPECT_EQ(client, cost.client_bytes);
  EXPECT_EQ(server, cost.server_bytes);
}

TEST(TableActivation, EveryPairOfSharesOfSmallShapes) {
  Prng prng(mpc::test_seed(70));
  std::vector<TestLayer> layers;
  for (const Shape& s : {Shape{5, 0, 3, 7, true, true, 0, 3}, Shape{5, 1, 4, 9, true, true, 1, 4},
                         Shape{5, 0, 3, 3, true, false, 1, 2}, Shape{6, 0, 4, 6, true, false, 2, 1},
                         Shape{4, 2, 3, 8, false, false, 0, 5}, Shape{5, 0, 2, 4, false, false, 1, 6},
                         Shape{3, 0, 4, 9, true, true, 2, 16}, Shape{2, 0, 1, 1, false, false, 0, 3}}) {
    const std::size_t side = std::size_t{1} << (s.n + s.g);
    TestLayer layer = random_layer(table_spec(side * side, s, prng), prng);
    for (std::size_t i = 0; i < side * side; ++i) {
      layer.a[i] = i % side;
      layer.b[i] = i / side;
    }
    layers.push_back(std::move(layer));
  }
  expect_exact(layers, 71);
}

/// Words that reach every value of the clamp, by random shares; the widest tables.
TEST(TableActivation, EveryValueOfLargeShapes) {
  Prng prng(mpc::test_seed(72));
  std::vector<TestLayer> layers;
  for (const Shape& s : {Shape{12, 8, 9, 20, true, true, 2, 4}, Shape{12, 8, 9, 20, true, false, 1, 5},
                         Shape{11, 4, 8, 20, false, false, 0, 8}, Shape{14, 10, 11, 40, true, true, 2, 16},
                         Shape{17, 0, 16, 22, true, true, 8, 7}, Shape{10, 16, 8, 16, false, false, 0, 16}}) {
    TestLayer layer = random_layer(table_spec(6000, s, prng), prng);
    const std::uint64_t modulus = std::uint64_t{1} << (s.n + s.g);
    for (std::size_t i = 0; i < layer.a.size(); ++i) {
      // From a little below the clamp to a little above it.
      const auto t = static_cast<std::int64_t>(i * ((std::size_t{1} << s.m) + 64) / layer.a.size()) - 32;
      const std::uint64_t low = s.g > 0 ? prng.next64() >> (64 - s.g) : 0;
      const std::uint64_t x = static_cast<std::uint64_t>(t) * (std::uint64_t{1} << s.g) + low;
      layer.a[i] = (x - layer.b[i]) % modulus;
    }
    layers.push_back(std::move(layer));
  }
  expect_exact(layers, 73);
}

/// SiLU at 8 bits: the bytes that docs and targets speak of.
TEST(TableActivation, PriceOfSiluAtEightBits) {
  Prng prng(mpc::test_seed(74));
  const std::size_t count = 1 << 16;
  const OtCost cost = ot_cost(table_spec(count, {12, 8, 9, 20, true, true, 2, 4}, prng));
  const double each = static_cast<double>(cost.client_bytes + cost.server_bytes) / static_cast<double>(count);
  EXPECT_LT(each, 100);
  EXPECT_GT(each, 60);
  EXPECT_EQ(cost.offline_bytes, 0u);
}

TEST(TableActivation, BadTablesAreRefused) {
  Prng prng(mpc::test_seed(75));
  const ActivationSpec good = table_spec(10, {12, 8, 9, 20, true, true, 2, 4}, prng);
  const auto refused = [&](const auto& change) {
    ActivationSpec spec = good;
    change(spec);
    try {
      plan_ot_layer(spec);
    } catch (const Error& error) {
      return error.code() == ErrorCode::input;
    }
    return false;
  };
  EXPECT_FALSE(refused([](ActivationSpec&) {}));
  EXPECT_TRUE(refused([](ActivationSpec& s) { s.table->relu = false; }));
  EXPECT_TRUE(refused([](ActivationSpec& s) { s.table->cell_bits = 1; }));
  EXPECT_TRUE(refused([](ActivationSpec& s) { s.table->cell_bits = -1; }));
  EXPECT_TRUE(refused([](ActivationSpec& s) { s.table->value_bits = 17; }));
  EXPECT_TRUE(refused([](ActivationSpec& s) { s.table->values[3] = 16; }));
  EXPECT_TRUE(refused([](ActivationSpec& s) { s.table->values.pop_back(); }));
  EXPECT_TRUE(refused([](ActivationSpec& s) { s.square = SquareSpec{8, 0, 8, 0, 0, 1, 0}; }));
  EXPECT_TRUE(refused([](ActivationSpec& s) { s.out_prime = 12289; }));
  EXPECT_TRUE(refused([](ActivationSpec& s) { s.out_bits = 8; }));
  EXPECT_THROW(plan_layer(good), Error) << "gc";
}

/// The messages of a session of one layer whose elements all have the same two words.
std::vector<net::RecordedMessage> messages_of(const ActivationSpec& spec, std::uint64_t a, std::uint64_t b,
                                              std::uint64_t seed) {
  std::vector<std::uint64_t> masks(spec.outputs);
  Prng prng(mpc::test_seed(77), seed);
  sample_bits(prng, spec.out_bits, masks);
  auto [client_end, server_end] = net::make_local_channels();
  net::RecordingChannel channel(std::move(client_end), net::RecordingChannel::Keep::messages);
  std::thread other([&server_end = server_end, &spec, a] {
    OtActivationServer server(*server_end, mpc::test_session());
    server.run(server.prepare(spec), std::vector<std::uint64_t>(spec.inputs, a));
  });
  OtActivationClient client(channel, mpc::test_session());
  client.run(client.prepare(spec), std::vector<std::uint64_t>(spec.inputs, b), masks);
  other.join();
  return channel.messages();
}

/// Toy size: whatever the words, every value of every field of a lookup's messages comes equally often.
TEST(TableActivation, MessagesOfLookupsAreUniform) {
  Prng prng(mpc::test_seed(76));
  const std::size_t count = 1 << 15;
  const ActivationSpec spec = table_spec(count, {4, 0, 4, 6, true, true, 1, 2}, prng);
  ASSERT_EQ(spec.table->index_bits(spec.clamp_bits), 2);
  for (const auto& [a, b] : {std::pair{0, 0}, {3, 4}, {7, 0}, {15, 9}, {8, 8}}) {
    std::size_t seen = 0;
    for (const net::RecordedMessage& message :
         messages_of(spec, static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b), 1)) {
      if (message.type < kLookupIndex || message.type > kLookupWords) continue;
      ++seen;
      // Indices of 2 bits; entries of 3 times 2 bits, a byte each; choices, a bit each; words packed.
      const int bits = message.type == kLookupIndex ? 2 : message.type == kLookupEntries ? 8 : 1;
      std::map<std::uint64_t, double> times;
      std::vector<std::uint64_t> fields(message.payload.size() * 8 / static_cast<std::size_t>(bits));
      unpack_bits(message.payload, bits, fields);
      for (const std::uint64_t field : fields) ++times[field];
      const std::size_t values = message.type == kLookupEntries ? 64 : std::size_t{1} << bits;
      ASSERT_LE(times.size(), values);
      const double expected = static_cast<double>(fields.size()) / static_cast<double>(values);
      for (std::uint64_t v = 0; v < values; ++v) {
        EXPECT_LT(std::abs(times[v] - expected), 6 * std::sqrt(expected))
            << "a " << a << ", b " << b << ", message " << message.type << ", value " << v;
      }
    }
    EXPECT_EQ(seen, 4u);
  }
}

TEST(TableActivation, StoredMaterialServesInAnotherSession) {
  Prng prng(mpc::test_seed(78));
  TestLayer layer = random_layer(table_spec(300, {12, 3, 9, 14, true, true, 2, 4}, prng), prng);
  SecretBytes client_half, server_half;
  {
    mpc::ChannelPair channels;
    mpc::run_two(
        channels,
        [&] {
          SecretWriter out;
          OtActivationClient(*channels.client, mpc::test_session()).prepare(layer.spec).save(out);
          client_half = out.take();
        },
        [&] {
          SecretWriter out;
          OtActivationServer(*channels.server, mpc::test_session()).prepare(layer.spec).save(out);
          server_half = out.take();
        });
  }
  const OtCost cost = ot_cost(layer.spec);
  EXPECT_EQ(client_half.size(), cost.client_preprocessing);
  EXPECT_EQ(server_half.size(), cost.server_preprocessing);
  for (std::size_t size : {std::size_t{0}, server_half.size() / 2, server_half.size() - 1}) {
    ByteReader in(ByteView(server_half).first(size), "half a file");
    EXPECT_THROW(OtServerPreprocessing::restore(layer.spec, in), Error);
  }
  mpc::ChannelPair channels;
  mpc::run_two(
      channels,
      [&] {
        ByteReader in(client_half, "the client's half");
        auto material = OtClientPreprocessing::restore(layer.spec, in);
        in.expect_end();
        OtActivationClient::run(*channels.client, std::move(material), layer.b, layer.r);
      },
      [&] {
        ByteReader in(server_half, "the server's half");
        auto material = OtServerPreprocessing::restore(layer.spec, in);
        in.expect_end();
        layer.result = OtActivationServer::run(*channels.server, std::move(material), layer.a);
      });
  EXPECT_EQ(layer.result, table_reference(layer));
}

TEST(TableActivation, WrongSizesAreRefused) {
  Prng prng(mpc::test_seed(79));
  LookupStep step = plan_ot_layer(table_spec(9, {5, 0, 4, 6, true, true, 1, 2}, prng)).table->lookup;
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, std::size_t{10}, std::size_t{100000}}) {
    mpc::ChannelPair channels;
    const std::vector<std::uint64_t> numbers(9, 1);
    std::vector<std::uint64_t> shares(9);
    ServerLookupPreprocessing material;
    material.index.resize(9);
    material.strings.resize(9);
    channels.client->send(kLookupEntries, Bytes(size));
    EXPECT_THROW(run_server_lookup(*channels.server, step, material, numbers, shares), Error) << size;
  }
}

TEST(TableActivation, TranscriptIsFrozen) {
  mpc::ChannelPair channels;
  Prng prng(mpc::test_seed(80));
  std::vector<TestLayer> layers;
  for (const Shape& s : {Shape{12, 8, 9, 20, true, true, 2, 4}, Shape{11, 4, 8, 20, false, false, 0, 8}}) {
    layers.push_back(random_layer(table_spec(300, s, prng), prng));
  }
  run_ot_session(channels, layers, 81);
  EXPECT_EQ(channels.client->sent_hash(), "6107e26e498baafbc12ddc0bc5e042ba");
  EXPECT_EQ(channels.server->sent_hash(), "002ba39f7682ca51f7a8d1fcd2fca823");
}

}  // namespace
}  // namespace ap::activation
