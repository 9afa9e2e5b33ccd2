#include "package/package.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "package/network_json.h"
#include "tests/base/temporary_directory.h"
#include "tests/package/package_file.h"
#include "tests/package/small_package.h"

namespace ap::package {
namespace {

bool contains(ByteView text, ByteView part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end()) != text.end();
}

template <typename T>
Bytes raw_bytes(const std::vector<T>& values, std::size_t first, std::size_t count) {
  Bytes bytes(count * sizeof(T));
  std::memcpy(bytes.data(), values.data() + first, bytes.size());
  return bytes;
}

TEST(Package, ServerRoundTripKeepsEverything) {
  const Package original = small_package();
  const Pair pair = make_packages(original);
  const Package read = parse(pair.server, "server.apm");
  EXPECT_EQ(read.role, Party::server);
  EXPECT_EQ(read.id, pair.id);
  EXPECT_EQ(read.normalization, original.normalization);
  EXPECT_EQ(read.labels, original.labels);
  EXPECT_EQ(network_to_json(read.network), network_to_json(original.network));
  EXPECT_EQ(private_to_json(read.network), private_to_json(original.network));
  EXPECT_EQ(plan_to_json(read.plan), plan_to_json(original.plan));
  for (const std::size_t i : {1, 3}) {
    const auto& was = std::get<nn::QLinear>(original.network.nodes[i].op);
    const auto& is = std::get<nn::QLinear>(read.network.nodes[i].op);
    EXPECT_EQ(is.weights, was.weights);
    EXPECT_EQ(is.bias, was.bias);
  }
  // What was read can be written again, byte for byte.
  const Pair again = make_packages(read);
  EXPECT_EQ(again.server, pair.server);
  EXPECT_EQ(again.client, pair.client);
}

TEST(Package, KeepsHowTheImagesLieInTheFile) {
  Package original = small_package();
  EXPECT_FALSE(network_to_json(original.network).contains("input_form"));
  original.network.input_form = {{4, 4, 1}, true};
  const Pair pair = make_packages(original);
  EXPECT_EQ(parse(pair.client, "client.apm").network.input_form, original.network.input_form);
  EXPECT_EQ(parse(pair.server, "server.apm").network.input_form, original.network.input_form);
  original.network.input_form = {{4, 5}, false};
  const Pair wrong = make_packages(original);
  EXPECT_THROW(parse(wrong.client, "client.apm"), Error);
}

TEST(Package, KeepsHowPicturesGetTheirSize) {
  Package original = small_package();
  const Pair without = make_packages(original);
  EXPECT_EQ(parse(without.client, "client.apm").framing, "");
  original.framing = "resize=8 crop=4";
  const Pair pair = make_packages(original);
  EXPECT_EQ(parse(pair.client, "client.apm").framing, original.framing);
  EXPECT_EQ(parse(pair.server, "server.apm").framing, original.framing);
  EXPECT_NE(pair.id, without.id);
  original.framing = std::string(65, 'x');
  EXPECT_THROW(parse(make_packages(original).client, "client.apm"), Error);
}

TEST(Package, ClientHasThePublicPartOnly) {
  const Package original = small_package();
  const Pair pair = make_packages(original);
  const Package read = parse(pair.client, "client.apm");
  EXPECT_EQ(read.role, Party::client);
  EXPECT_EQ(read.id, pair.id);
  EXPECT_EQ(network_to_json(read.network), network_to_json(original.network));
  EXPECT_EQ(plan_to_json(read.plan), plan_to_json(original.plan));
  for (const nn::QNode& node : read.network.nodes) {
    if (const auto* linear = std::get_if<nn::QLinear>(&node.op)) {
      EXPECT_TRUE(linear->weights.empty());
      EXPECT_TRUE(linear->bias.empty());
    }
  }
}

TEST(Package, ClientFileHoldsNoWeights) {
  const Package original = small_package();
  const Pair pair = make_packages(original);
  const Bytes client = take_apart(pair.client).body, server = take_apart(pair.server).body;
  for (const std::size_t i : {1, 3}) {
    const auto& op = std::get<nn::QLinear>(original.network.nodes[i].op);
    const Bytes bias = raw_bytes(op.bias, 0, 1);
    EXPECT_TRUE(contains(server, bias));
    EXPECT_FALSE(contains(client, bias));
    // Not even four weights in a row.
    for (std::size_t at = 0; at + 4 <= op.weights.size(); ++at) {
      const Bytes four = raw_bytes(op.weights, at, 4);
      EXPECT_TRUE(contains(server, four));
      EXPECT_FALSE(contains(client, four));
    }
  }
  // Nor scales or ranges of inner nodes: the public part has one scale for the input and one for the logits.
  const std::string text(client.begin(), client.end());
  EXPECT_EQ(text.find("\"scale\""), std::string::npos);
  EXPECT_EQ(text.find("\"low\""), text.rfind("\"low\"")) << "only the activation's public clamp";
}

TEST(Package, FollowsTheDocumentedLayout) {
  const Pair pair = make_packages(small_package());
  const PackageFile server = take_apart(pair.server), client = take_apart(pair.client);
  EXPECT_EQ(server.head, (Bytes{0x41, 0x50, 0x4d, 0x0d, 0x0a, 0x1a, 0x70, 0x6e, 3, 0, 2, 0}));
  EXPECT_EQ(client.head, (Bytes{0x41, 0x50, 0x4d, 0x0d, 0x0a, 0x1a, 0x70, 0x6e, 3, 0, 1, 0}));
  EXPECT_TRUE(std::ranges::equal(server.shared(), client.shared()));
  EXPECT_EQ(client.rest().size(), 0u);
  PackageId digest;
  SHA256(client.shared().data(), client.shared().size(), digest.data());
  EXPECT_EQ(digest, pair.id);
  const auto json = nlohmann::json::parse(client.shared().begin(), client.shared().end());
  for (const char* key : {"network", "plan", "normalization", "labels"})
    EXPECT_TRUE(json.contains(key)) << key;
  // The private part: ranges, then 18 weights, 2 biases, 96 weights, 3 biases.
  ByteReader rest(server.rest(), "rest");
  EXPECT_EQ(nlohmann::json::parse(rest.string(1 << 20)).at("nodes").size(), 4u);
  EXPECT_EQ(rest.u64(), 18u);
  EXPECT_EQ(static_cast<std::int16_t>(rest.u16()), -6);
  rest.raw(17 * 2);
  EXPECT_EQ(rest.u64(), 2u);
  EXPECT_EQ(static_cast<std::int64_t>(rest.u64()), 100);
  EXPECT_EQ(static_cast<std::int64_t>(rest.u64()), -100);
  EXPECT_EQ(rest.u64(), 96u);
  rest.raw(96 * 2);
  EXPECT_EQ(rest.u64(), 3u);
  rest.raw(3 * 8);
  rest.expect_end();
}

TEST(Package, LoadChecksTheRole) {
  const TemporaryDirectory directory;
  const Pair pair = make_packages(small_package());
  write_file(directory.path() / "server.apm", pair.server);
  EXPECT_EQ(load(directory.path() / "server.apm", Party::server).id, pair.id);
  try {
    load(directory.path() / "server.apm", Party::client);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    EXPECT_NE(std::string(error.what()).find("server's package"), std::string::npos) << error.what();
  }
  EXPECT_THROW(load(directory.path() / "absent.apm"), Error);
}

TEST(Package, HexOfTheId) {
  PackageId id{};
  id[0] = 0xab;
  id[31] = 0x01;
  EXPECT_EQ(to_hex(id), "ab" + std::string(60, '0') + "01");
}

}  // namespace
}  // namespace ap::package
