#include "he_only/package/package.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "he_only/package/public_json.h"
#include "package/envelope.h"
#include "tests/he_only/small_package.h"

namespace ap::he_only {
namespace {

using testing::small_package;
using testing::SmallPackage;

const SmallPackage& made() {
  static const SmallPackage package = [] {
    testing::Builder b = testing::tiny();
    return small_package(b);
  }();
  return package;
}

std::string refusal(ByteView file) {
  try {
    parse(file, "file");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    return error.what();
  }
  return "";
}

TEST(HePackage, BothPartiesReadTheSamePublicPart) {
  const Package client = parse(made().files.client, "client.apm"),
                server = parse(made().files.server, "server.apm");
  EXPECT_EQ(client.id, made().files.id);
  EXPECT_EQ(server.id, made().files.id);
  EXPECT_EQ(client.role, Party::client);
  EXPECT_EQ(client.secret, nullptr);
  ASSERT_NE(server.secret, nullptr);
  EXPECT_EQ(to_json(client.shared), to_json(server.shared));
  EXPECT_EQ(server.secret->graph.nodes.size(), 4U);
  EXPECT_GE(require_secure(client.shared), 128);
  EXPECT_EQ(client.shared.labels[2], "perhaps");
  // The client's package has no weight: it is far shorter than the server's network.
  const nn::Graph graph = server.secret->graph;
  EXPECT_EQ(std::get<nn::ConvOp>(graph.nodes[1].op).weights,
            std::get<nn::ConvOp>(testing::tiny().graph().nodes[1].op).weights);
}

TEST(HePackage, EveryDamagedByteIsRefused) {
  const Bytes& good = made().files.server;
  for (std::size_t i = 0; i < good.size(); i += 37) {
    Bytes bad = good;
    bad[i] ^= 0x20;
    EXPECT_NE(refusal(bad), "") << i;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{20}, good.size() / 2, good.size() - 1}) {
    EXPECT_NE(refusal(ByteView(good).first(size)), "") << size;
  }
}

// A package whose checksum is right and whose contents are not.
Bytes with(const nlohmann::json& shared, ByteView rest, Party role) {
  const std::string text = shared.dump();
  ByteWriter body;
  body.string(text);
  body.raw(rest);
  return package::file_of(role, package::Kind::he, body.bytes());
}

TEST(HePackage, WhatNobodyWouldWriteIsRefused) {
  const nlohmann::json good = to_json(made().shared);
  EXPECT_EQ(refusal(with(good, {}, Party::client)), "");
  const auto refuses = [&](const char* pointer, const nlohmann::json& value) {
    nlohmann::json bad = good;
    bad[nlohmann::json::json_pointer(pointer)] = value;
    EXPECT_NE(refusal(with(bad, {}, Party::client)), "") << pointer << " = " << value;
  };
  refuses("/contexts/0/n", 4095);
  refuses("/contexts/0/n", 1 << 20);
  refuses("/contexts/0/data_primes/0", 65535);
  refuses("/contexts/0/data_primes", nlohmann::json::array());
  refuses("/contexts/0/special_primes", nlohmann::json::array());
  refuses("/contexts/0/digits", 0);
  refuses("/contexts/0/elements", {4});
  refuses("/contexts/0/elements", {5, 5});
  refuses("/contexts/1/data_primes/0", good["contexts"][0]["data_primes"][1]);
  refuses("/input_context", 99);
  refuses("/input/period", 12);
  refuses("/input/grid/0", 1);
  refuses("/input/shape/0", 1 << 30);
  refuses("/output_scale", 60);
  refuses("/output_view/factor", 0);
  refuses("/steps", 0);
  refuses("/protocol", "hybrid");
  EXPECT_NE(refusal(with(good, Bytes(1), Party::client)), "");
  EXPECT_NE(refusal(with(good, {}, Party::server)), "");
}

TEST(HePackage, WeakKeysAreRefused) {
  Public weak = parse(made().files.client, "client.apm").shared;
  rlwe::Parameters& first = weak.program.contexts.front();
  std::vector<std::uint64_t> all = first.data_primes;
  all.insert(all.end(), first.special_primes.begin(), first.special_primes.end());
  for (const std::uint64_t prime : rlwe::primes(50, first.n, 8, all)) first.data_primes.push_back(prime);
  EXPECT_THROW(require_secure(weak), Error);
}

TEST(HePackage, HybridReadersSayWhatItIs) {
  try {
    package::parse(made().files.client, "client.apm");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("homomorphic encryption alone"), std::string::npos);
  }
}

}  // namespace
}  // namespace ap::he_only
