// Products of two private tensors before an activation (layers/activation/product_spec.h).
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <thread>

#include "base/error.h"
#include "layers/activation/gc/layer_plan.h"
#include "layers/activation/ot/ot_activation.h"
#include "layers/activation/ot/ot_messages.h"
#include "layers/activation/ot/product_step.h"
#include "net/channel/recording_channel.h"
#include "tests/layers/activation/ot/ot_protocol.h"

namespace ap::activation {
namespace {

/// clamp(floor((constant + x g) / 2^shift), 0, 2^m - 1), of which `guard` bits of the shift are exact.
struct ProductLayer {
  ActivationSpec spec;
  std::vector<std::uint64_t> a, b, r, result;

  std::uint64_t x(std::size_t i) const { return a[i] + b[i]; }
  std::uint64_t g(std::size_t i) const {
    const std::size_t at = spec.inputs + i / spec.product->plane;
    return a[at] + b[at];
  }
  /// The value, and how far dropped bits may lead below it.
  bool fits(std::size_t i) const {
    const int bits = spec.product->value_bits;
    const std::uint64_t u = static_cast<std::uint64_t>(spec.product->constant) + x(i) * g(i);
    const auto value = static_cast<std::int64_t>(u << (64 - bits)) >> (64 - bits);
    const int shift = spec.product->dropped_bits + spec.guard_bits;
    const std::int64_t top = (std::int64_t{1} << spec.clamp_bits) - 1;
    const std::uint64_t mask = (std::uint64_t{1} << spec.out_bits) - 1;
    const auto expected = [&](std::int64_t t) {
      return (static_cast<std::uint64_t>(std::clamp<std::int64_t>(t, 0, top)) - r[i]) & mask;
    };
    const std::int64_t t = value >> shift;
    if (result[i] == expected(t)) return true;
    return spec.product->dropped_bits > 0 && result[i] == expected(t - 1);
  }
};

ProductLayer product_layer(std::size_t count, std::size_t plane, int value_bits, int dropped, int guard,
                           Prng& prng) {
  ProductLayer layer;
  layer.spec = plain_spec(count, value_bits - dropped - guard, 6, 18, guard);
  layer.spec.product = ProductSpec{value_bits, dropped, 37, plane};
  const std::size_t words = layer.spec.arguments();
  for (auto* v : {&layer.a, &layer.b}) v->resize(words);
  sample_bits(prng, value_bits, layer.b);
  // Factors of a few bits and signs, so that products do not wrap near the ends.
  for (std::size_t i = 0; i < words; ++i) {
    const auto value = static_cast<std::int64_t>(prng.next64() % 200) - 100;
    layer.a[i] = (static_cast<std::uint64_t>(value) - layer.b[i]) & ((std::uint64_t{1} << value_bits) - 1);
  }
  layer.r.resize(count);
  sample_bits(prng, 18, layer.r);
  return layer;
}

void run_products(mpc::ChannelPair& channels, std::vector<ProductLayer>& layers) {
  mpc::run_two(
      channels,
      [&] {
        OtActivationClient client(*channels.client, mpc::test_session(), Prng(mpc::test_seed(90), 1));
        std::vector<OtClientPreprocessing> materials;
        for (const ProductLayer& layer : layers) materials.push_back(client.prepare(layer.spec, layer.b));
        for (std::size_t i = 0; i < layers.size(); ++i) client.run(std::move(materials[i]), {}, layers[i].r);
      },
      [&] {
        OtActivationServer server(*channels.server, mpc::test_session(), Prng(mpc::test_seed(90), 2));
        std::vector<OtServerPreprocessing> materials;
        for (const ProductLayer& layer : layers) materials.push_back(server.prepare(layer.spec));
        for (std::size_t i = 0; i < layers.size(); ++i)
          layers[i].result = server.run(std::move(materials[i]), layers[i].a);
      });
}

TEST(ProductActivation, ExactWhereNoBitIsDropped) {
  Prng prng(mpc::test_seed(91));
  std::vector<ProductLayer> layers;
  layers.push_back(product_layer(500, 1, 17, 0, 8, prng));
  layers.push_back(product_layer(600, 50, 17, 0, 8, prng));
  layers.push_back(product_layer(300, 300, 40, 0, 10, prng));
  layers.push_back(product_layer(400, 4, 16, 0, 0, prng));
  mpc::ChannelPair channels;
  run_products(channels, layers);
  OtCost cost;
  for (const ProductLayer& layer : layers) {
    for (std::size_t i = 0; i < layer.spec.inputs; ++i) ASSERT_TRUE(layer.fits(i)) << i;
    cost += ot_cost(layer.spec);
  }
  EXPECT_EQ(channels.client->sent_bytes(kProductFactors), cost.offline_bytes);
  std::uint64_t client = 0, server = channels.server->sent_bytes(kProductOpened);
  for (net::MessageType type = kOtChoices; type <= kOtCorrection; ++type) {
    client += channels.client->sent_bytes(type);
    server += channels.server->sent_bytes(type);
  }
  EXPECT_EQ(client, cost.client_bytes);
  EXPECT_EQ(server, cost.server_bytes);
}

TEST(ProductActivation, OffByOneStepWhereBitsAreDropped) {
  Prng prng(mpc::test_seed(92));
  std::vector<ProductLayer> layers;
  layers.push_back(product_layer(2000, 20, 18, 5, 3, prng));
  mpc::ChannelPair channels;
  run_products(channels, layers);
  for (std::size_t i = 0; i < 2000; ++i) ASSERT_TRUE(layers[0].fits(i)) << i;
}

TEST(ProductActivation, BadSpecsAreRefused) {
  Prng prng(mpc::test_seed(93));
  const ActivationSpec good = product_layer(12, 4, 17, 0, 8, prng).spec;
  EXPECT_NO_THROW(plan_ot_layer(good));
  EXPECT_THROW(plan_layer(good), Error) << "gc";
  ActivationSpec bad = good;
  bad.product->plane = 5;
  EXPECT_THROW(plan_ot_layer(bad), Error);
  bad = good;
  bad.product->plane = 0;
  EXPECT_THROW(plan_ot_layer(bad), Error);
  bad = good;
  bad.product->value_bits = 18;
  EXPECT_THROW(plan_ot_layer(bad), Error);
  bad = good;
  bad.product->dropped_bits = -1;
  EXPECT_THROW(plan_ot_layer(bad), Error);
}

/// Toy size: whatever the words, every value of the opened words and of the masked factors comes equally often.
TEST(ProductActivation, MessagesAreUniform) {
  const std::size_t count = 1 << 15;
  const ProductSpec product{3, 0, 0, 1};
  for (const auto& [x, g] : {std::pair{0, 0}, {1, 7}, {5, 2}, {7, 7}}) {
    std::vector<std::uint64_t> words(2 * count, static_cast<std::uint64_t>(x));
    std::fill(words.begin() + static_cast<std::ptrdiff_t>(count), words.end(), static_cast<std::uint64_t>(g));
    ActivationSpec spec = plain_spec(count, 3, 1, 2);
    spec.product = product;
    auto [client_end, server_end] = net::make_local_channels();
    net::RecordingChannel channel(std::move(client_end), net::RecordingChannel::Keep::messages);
    std::thread other([&server_end = server_end, &spec, &words] {
      OtActivationServer server(*server_end, mpc::test_session());
      server.run(server.prepare(spec), words);
    });
    OtActivationClient client(channel, mpc::test_session());
    const std::vector<std::uint64_t> masks(count, 1);
    client.run(client.prepare(spec, words), {}, masks);
    other.join();
    int factors = 0, opened = 0;
    for (const net::RecordedMessage& message : channel.messages()) {
      int bits = 0;
      if (message.type == kProductFactors) bits = 3 - factors++ % 3;
      if (message.type == kProductOpened) bits = 3, ++opened;
      if (bits == 0) continue;
      std::vector<std::uint64_t> fields(message.payload.size() * 8 / static_cast<std::size_t>(bits));
      unpack_bits(message.payload, bits, fields);
      std::map<std::uint64_t, double> times;
      for (const std::uint64_t field : fields) ++times[field];
      const double expected = static_cast<double>(fields.size()) / std::exp2(bits);
      for (std::uint64_t v = 0; v < std::uint64_t{1} << bits; ++v) {
        EXPECT_LT(std::abs(times[v] - expected), 6 * std::sqrt(expected)) << message.type << " " << v;
      }
    }
    EXPECT_EQ(factors, 6);
    EXPECT_EQ(opened, 1);
  }
}

TEST(ProductActivation, StoredMaterialServesInAnotherSession) {
  Prng prng(mpc::test_seed(94));
  ProductLayer layer = product_layer(200, 10, 17, 0, 8, prng);
  SecretBytes client_half, server_half;
  {
    mpc::ChannelPair channels;
    mpc::run_two(
        channels,
        [&] {
          SecretWriter out;
          OtActivationClient(*channels.client, mpc::test_session()).prepare(layer.spec, layer.b).save(out);
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
  mpc::ChannelPair channels;
  mpc::run_two(
      channels,
      [&] {
        ByteReader in(client_half, "the client's half");
        auto material = OtClientPreprocessing::restore(layer.spec, in);
        in.expect_end();
        OtActivationClient::run(*channels.client, std::move(material), {}, layer.r);
      },
      [&] {
        ByteReader in(server_half, "the server's half");
        auto material = OtServerPreprocessing::restore(layer.spec, in);
        in.expect_end();
        layer.result = OtActivationServer::run(*channels.server, std::move(material), layer.a);
      });
  for (std::size_t i = 0; i < layer.spec.inputs; ++i) ASSERT_TRUE(layer.fits(i)) << i;
}

TEST(ProductActivation, TranscriptIsFrozen) {
  Prng prng(mpc::test_seed(95));
  std::vector<ProductLayer> layers;
  layers.push_back(product_layer(150, 10, 17, 0, 8, prng));
  layers.push_back(product_layer(150, 1, 18, 5, 3, prng));
  mpc::ChannelPair channels;
  run_products(channels, layers);
  EXPECT_EQ(channels.client->sent_hash(), "50d02820fdb071415918921d6821cc2a");
  EXPECT_EQ(channels.server->sent_hash(), "481a3dacc766cbf2bbca373a6fdf33ce");
}

}  // namespace
}  // namespace ap::activation
