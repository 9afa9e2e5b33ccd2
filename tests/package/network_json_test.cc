#include "package/network_json.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"

namespace ap::package {
namespace {

/// One gather node of 2x2 outputs of three channels, from 2x3 inputs.
nn::QuantisedNetwork gathering(std::vector<std::int32_t> index) {
  nn::QuantisedNetwork network;
  network.name = "gathering";
  network.nodes.push_back({"image", nn::QInput{}, {}, {3, 2, 3}, 1, 0, 255});
  network.nodes.push_back({"gather", nn::QGather{std::move(index)}, {0}, {3, 2, 2}, 1, 0, 255});
  return network;
}

std::vector<std::int32_t> index_of(const nn::QuantisedNetwork& network) {
  return std::get<nn::QGather>(network.nodes[1].op).index;
}

TEST(NetworkJson, SourcesAlikeInAllChannelsAreWrittenOnce) {
  const std::vector<std::int32_t> index = {-1, 2, 3, 3, -1, 8, 9, 9, -1, 14, 15, 15};
  const Json json = network_to_json(gathering(index));
  const Json& node = json.at("nodes")[1];
  EXPECT_FALSE(node.contains("index"));
  EXPECT_EQ(node.at("plane"), Json({-1, 2, 3, 3}));
  EXPECT_EQ(node.at("stride"), 6);
  EXPECT_EQ(index_of(network_from_json({json, "network"})), index);
}

TEST(NetworkJson, OtherSourcesAreWrittenOneByOne) {
  const std::vector<std::vector<std::int32_t>> cases = {
      {-1, 2, 3, 3, -1, 8, 9, 9, -1, 14, 15, 16},  // the last differs
      {-1, 2, 3, 3, -1, 8, 9, 9, 14, 14, 15, 15},  // a zero that is none
      {-1, 2, 3, 3, -1, 8, 9, 9, -1, 13, 14, 14},  // another distance
      {2, 1, 0, 2, 2, 1, 0, 2, 2, 1, 0, -1},       // a source that becomes a zero
      {12, 13, 14, 15, 6, 7, 8, 9, 0, 1, 2, 3},    // channels backwards
      {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
  };
  for (const auto& index : cases) {
    const Json json = network_to_json(gathering(index));
    EXPECT_TRUE(json.at("nodes")[1].contains("index"));
    EXPECT_EQ(index_of(network_from_json({json, "network"})), index);
  }
}

TEST(NetworkJson, AShortListForManyChannelsIsHeldToALimit) {
  Json json = network_to_json(gathering({0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15}));
  json["nodes"][1]["shape"] = {(1 << 23) + 1, 2, 2};
  const auto refusal = [&] {
    try {
      network_from_json({json, "network"});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input);
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refusal().find("at most 33554432 elements"), std::string::npos) << refusal();
  // Together, too: two lists of half of that and one element more.
  json["nodes"][1]["shape"] = {1 << 22, 2, 2};
  json["nodes"][1]["stride"] = 0;
  json["nodes"].push_back(json["nodes"][1]);
  EXPECT_EQ(refusal(), "");
  json["nodes"].push_back(json["nodes"][0]);
  json["nodes"][3] = json["nodes"][1];
  json["nodes"][3]["shape"] = {1, 2, 2};
  EXPECT_NE(refusal().find("at most 33554432 elements"), std::string::npos) << refusal();
  json["nodes"].erase(3);
  json["nodes"].erase(2);
  json["nodes"][1]["shape"] = {3, 2, 2};
  json["nodes"][1]["stride"] = 1 << 26;
  EXPECT_NE(refusal().find("stride"), std::string::npos) << refusal();
}

}  // namespace
}  // namespace ap::package
