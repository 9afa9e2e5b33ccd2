#include "base/json_reader.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace ap {
namespace {

using Json = nlohmann::json;

Json parse(const std::string& text, const JsonLimits& limits = {}) {
  return parse_json({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, "the file", limits);
}

/// The sentence of the refusal, or an empty one.
template <typename Act>
std::string refusal(const Act& act) {
  try {
    act();
    return {};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input);
    return error.what();
  }
}
std::string refusal_of(const std::string& text, const JsonLimits& limits = {}) {
  return refusal([&] { parse(text, limits); });
}
std::string repeated(const std::string& unit, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += unit;
  return text;
}

TEST(JsonText, GoodTextIsParsed) {
  const std::string text = R"({"a": [1, -2.5e3, true, null, "x\"y,:[{\\"], "b": {}, "c": []})";
  EXPECT_EQ(parse(text), Json::parse(text));
  EXPECT_EQ(parse(" 7 "), 7);
}

TEST(JsonText, WhatIsNoJson) {
  for (const char* text :
       {"", "{", "[1,]", "{\"a\":}", "nul", "\"", "\"\\", "[1] 2", "\xff", "\"\xff\"", "NaN", "01"}) {
    EXPECT_NE(refusal_of(text), "") << text;
  }
  EXPECT_NE(refusal_of("1e999").find("too large"), std::string::npos);
}

TEST(JsonText, Limits) {
  EXPECT_NE(refusal_of("[1,2,3]", {.max_bytes = 6}).find("7 bytes"), std::string::npos);
  EXPECT_EQ(refusal_of(repeated("[", 32) + repeated("]", 32)), "");
  EXPECT_NE(refusal_of(repeated("[", 33) + repeated("]", 33)).find("32 levels"), std::string::npos);
  EXPECT_NE(refusal_of(repeated("{\"a\":", 1000000)).find("32 levels"), std::string::npos);
  const std::string many = "[" + repeated("0,", 1 << 20) + "0]";
  EXPECT_EQ(refusal_of(many), "");
  EXPECT_NE(refusal_of(many, {.max_memory = 16 << 20}).find("16 MB"), std::string::npos);
  // A text that costs most for its length: objects, empty texts, keys.
  for (const char* text : {"{},", "[],", "\"\",", "{\"\":0},"}) {
    const std::string unit = text;
    EXPECT_NE(refusal_of("[" + repeated(unit, (16 << 20) / unit.size() - 1)), "") << unit;
  }
  const JsonLimits short_tokens{.max_token = 100};
  for (const char c : {'9', ' ', 'x'}) {
    EXPECT_NE(refusal_of("[" + std::string(101, c), short_tokens).find("100 bytes"), std::string::npos) << c;
  }
  EXPECT_NE(refusal_of("\"" + std::string(100, 'x') + "\"", short_tokens).find("100 bytes"),
            std::string::npos);
  EXPECT_EQ(refusal_of("\"" + std::string(98, 'x') + "\"", short_tokens), "");
}

TEST(JsonText, KeysStandOnce) {
  EXPECT_NE(refusal_of(R"({"a": 1, "b": {"c": 1, "c": 2}})").find("same key twice"), std::string::npos);
  EXPECT_EQ(refusal_of(R"({"a": 1, "b": {"a": 1}, "c": ":{\":"})"), "");
}

class JsonFields : public testing::Test {
 protected:
  const Json json_ = Json::parse(R"({
    "number": 2.5, "whole": 28, "minus": -3, "fraction": 28.9, "exponent": 28.0, "large": 4294967324,
    "huge": 18446744073709551615, "text": "abc", "yes": true, "none": null, "list": [1, 2, 3, 4],
    "mixed": [1, 2.5], "inner": {"deep": [{"x": 70000}]}})");
  const JsonReader all_{json_, "the file"};
};

TEST_F(JsonFields, GoodValues) {
  EXPECT_EQ(all_.at("whole").integer<int>(), 28);
  EXPECT_EQ(all_.at("minus").integer<int>(-3, 0), -3);
  EXPECT_EQ(all_.at("huge").integer<std::uint64_t>(), 18446744073709551615u);
  EXPECT_EQ(all_.at("large").integer<std::int64_t>(), 4294967324);
  EXPECT_EQ(all_.at("number").number(0, 3), 2.5);
  EXPECT_EQ(all_.at("whole").number(0, 30), 28);
  EXPECT_EQ(all_.at("text").text(3), "abc");
  EXPECT_TRUE(all_.at("yes").boolean());
  EXPECT_TRUE(all_.at("none").is_null());
  EXPECT_TRUE(all_.has("list"));
  EXPECT_FALSE(all_.has("absent"));
  EXPECT_FALSE(all_.at("list").has("list"));
  EXPECT_EQ(all_.at("list").size(4), 4u);
  EXPECT_EQ(all_.at("list").integers<int>(4, 1, 4), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(all_.at("inner").at("deep").element(0).at("x").integer<int>(), 70000);
}

TEST_F(JsonFields, RefusalsNameTheFieldAndWhatIsExpected) {
  EXPECT_EQ(refusal([&] { all_.at("large").integer<int>(1, 100); }),
            "the file: large is 4294967324, but a whole number from 1 to 100 is expected");
  EXPECT_EQ(refusal([&] { all_.at("inner").at("deep").element(0).at("x").integer<std::uint16_t>(); }),
            "the file: inner.deep[0].x is 70000, but a whole number from 0 to 65535 is expected");
  EXPECT_EQ(refusal([&] { all_.at("fraction").integer<int>(); }),
            "the file: fraction is 28.9, but a whole number is expected");
  EXPECT_EQ(refusal([&] { all_.at("absent"); }), "the file: absent is missing");
  EXPECT_EQ(refusal([&] { all_.at("list").expect_size(3); }),
            "the file: list is an array of 4, but an array of 3 elements is expected");
  EXPECT_EQ(refusal([&] { all_.at("mixed").integers<int>(9); }),
            "the file: mixed[1] is 2.5, but a whole number is expected");
}

TEST_F(JsonFields, EveryOtherTypeIsRefused) {
  for (const char* key : {"fraction", "exponent", "text", "yes", "none", "list", "inner"}) {
    EXPECT_NE(refusal([&] { all_.at(key).integer<int>(); }), "") << key;
  }
  EXPECT_NE(refusal([&] { all_.at("minus").integer<std::uint64_t>(); }), "");
  EXPECT_NE(refusal([&] { all_.at("huge").integer<std::int64_t>(); }), "");
  for (const char* key : {"text", "yes", "none", "list"}) {
    EXPECT_NE(refusal([&] { all_.at(key).number(-1e300, 1e300); }), "") << key;
  }
  EXPECT_NE(refusal([&] { all_.at("number").number(2.6, 3); }), "");
  EXPECT_NE(refusal([&] { all_.at("text").text(2); }), "");
  EXPECT_NE(refusal([&] { all_.at("whole").text(2); }), "");
  EXPECT_NE(refusal([&] { all_.at("whole").boolean(); }), "");
  EXPECT_NE(refusal([&] { all_.at("list").size(3); }), "");
  EXPECT_NE(refusal([&] { all_.at("inner").size(3); }), "");
  EXPECT_NE(refusal([&] { all_.at("list").element(4); }), "");
  EXPECT_NE(refusal([&] { all_.at("list").at("x"); }), "");
  EXPECT_NE(refusal([&] { all_.at("list").integers<int>(4, 1, 3); }), "");
  EXPECT_NE(refusal([&] { all_.at("list").integers<int>(3); }), "");
}

}  // namespace
}  // namespace ap
