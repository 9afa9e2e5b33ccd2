#include "base/printable.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace ap {
namespace {

TEST(Printable, PlainTextStays) {
  const std::string text = "conv1/Relu_3 (7x7) 50 % \\x1b \xc3\xa9 \xe6\xbc\xa2 \xf0\x9f\x98\x80";
  EXPECT_EQ(printable(text), text);
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, ControlCharacters) {
  EXPECT_EQ(printable("\x1b[2J\x1b]0;x\x07"), "\\x1b[2J\\x1b]0;x\\x07");
  EXPECT_EQ(printable(std::string_view("a\0b\x7f", 4)), "a\\x00b\\x7f");
  EXPECT_EQ(printable("a\nb\tc\r"), "a\\x0ab\\x09c\\x0d");
  EXPECT_EQ(printable("a\nb\tc\r", Newlines::kept), "a\nb\\x09c\\x0d");
  for (int c = 0; c < 0x20; ++c) {
    EXPECT_EQ(printable(std::string(1, static_cast<char>(c))), fmt::format("\\x{:02x}", c));
  }
}

TEST(Printable, ControlCharactersOfTheSecondKind) {
  // U+009B is a control sequence introducer, as one character and as a byte alone.
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "\\xc2\\x9b2J");
  EXPECT_EQ(printable("\x9b"
                      "2J"),
            "\\x9b2J");
  EXPECT_EQ(printable("\xc2\x80\xc2\x9f\xc2\xa0"), "\\xc2\\x80\\xc2\\x9f\xc2\xa0");
}

TEST(Printable, DirectionsAndLines) {
  for (const char* text : {"\u061c", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069",
                           "\ufeff", "\U000e0041"}) {
    EXPECT_EQ(printable(text).substr(0, 2), "\\x") << text;
    EXPECT_EQ(printable(text).size(), 4 * std::string(text).size());
  }
  EXPECT_EQ(printable("\u200d\u2010"), "\u200d\u2010");
}

TEST(Printable, WhatIsNotUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3");                          // cut off
  EXPECT_EQ(printable("\xe6\xbc"), "\\xe6\\xbc");                 // cut off
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b");                 // ESC written too long
  EXPECT_EQ(printable("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");        // the same
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");        // half of a surrogate pair
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // beyond the last character
  EXPECT_EQ(printable("\xc3(x"), "\\xc3(x");
}

TEST(Printable, JsonKeepsItsValue) {
  const nlohmann::json value = {{"name", "a\x1b[2J\x7f \xc2\x9b \u202e \U000e0041 \xc3\xa9\n"}, {"n", 3}};
  const std::string text = printable_json(value.dump(2));
  EXPECT_EQ(nlohmann::json::parse(text), value);
  EXPECT_EQ(printable(text, Newlines::kept), text);
  EXPECT_NE(text.find("\\u007f"), std::string::npos);
  EXPECT_NE(text.find("\xc3\xa9"), std::string::npos);
}

}  // namespace
}  // namespace ap
