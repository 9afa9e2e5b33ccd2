#include "report/html.h"

#include <gtest/gtest.h>

#include <limits>

#include "report/axis.h"
#include "report/sections.h"

namespace ap::report {
namespace {

TEST(Escape, SpecialCharactersAndBytes) {
  EXPECT_EQ(escape("a<b>&\"c'"), "a&lt;b&gt;&amp;&quot;c&#39;");
  EXPECT_EQ(escape("caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"), "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(escape(std::string("a\0b", 3)), "a" + bad + "b");
  // A lone continuation, an overlong form, a surrogate, a cut sequence, a direction override.
  EXPECT_EQ(escape("\x80"), bad);
  EXPECT_EQ(escape("\xC0\xBC"), bad + bad);
  EXPECT_EQ(escape("\xED\xA0\x80"), bad + bad + bad);
  EXPECT_EQ(escape("x\xE2\x82"), "x" + bad + bad);
  EXPECT_EQ(escape("\xE2\x80\xAE"), bad);
  EXPECT_EQ(escape("abcdef", 3), "abc\xE2\x80\xA6");
  EXPECT_EQ(escape("abc", 3), "abc");
}

TEST(Number, SignificantDigits) {
  EXPECT_EQ(number(0.0), "0");
  EXPECT_EQ(number(12.345), "12.3");
  EXPECT_EQ(number(12.345, 4), "12.35");
  EXPECT_EQ(number(9.996), "10.0");
  EXPECT_EQ(number(0.00012345), "0.000123");
  EXPECT_EQ(number(123456.0), "123456");
  EXPECT_EQ(number(-2.5, 2), "-2.5");
  EXPECT_EQ(number(1e9), "1.00e9");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "\xE2\x80\x93");
  EXPECT_EQ(bytes(1'500'000), "1.50 MB");
  EXPECT_EQ(percent(0.8163, 2), "81.63 %");
}

TEST(HtmlTable, EscapesCellsAndAlignsNumbers) {
  HtmlTable table("a & b", {{"name", false}, {"s"}});
  table.row({"<x>", "1.5"});
  const std::string html = table.html();
  EXPECT_NE(html.find("<th scope=\"row\">&lt;x&gt;</th><td class=\"n\">1.5</td>"), std::string::npos);
  EXPECT_NE(html.find("<caption>a &amp; b</caption>"), std::string::npos);
}

void expect_good(Axis axis, const std::vector<double>& values, int count) {
  for (const double v : values) axis.include(v);
  axis.finish(count);
  ASSERT_GE(axis.ticks().size(), 2u);
  EXPECT_LE(axis.ticks().size(), 14u);
  for (const double v : values) {
    if (!axis.shows(v)) continue;
    EXPECT_GE(axis.place(v), -1e-6) << v;
    EXPECT_LE(axis.place(v), 1 + 1e-6) << v;
  }
  for (const Tick& tick : axis.ticks()) {
    EXPECT_GE(axis.place(tick.value), -1e-6);
    EXPECT_LE(axis.place(tick.value), 1 + 1e-6);
  }
}

TEST(Axis, CoversItsValuesWithRoundTicks) {
  for (const Scale scale : {Scale::linear, Scale::decimal, Scale::binary}) {
    for (const std::vector<double>& values : std::vector<std::vector<double>>{{1, 2, 3},
                                                                              {0.5},
                                                                              {1e-9, 1e9},
                                                                              {1e-300, 1e300},
                                                                              {1024, 8192},
                                                                              {3.7, 3.7000001},
                                                                              {0.9, 1.1},
                                                                              {-5, 5, 100},
                                                                              {0},
                                                                              {}}) {
      expect_good(Axis("x", scale), values, 5);
    }
  }
}

TEST(Axis, OfIndicesEndsAtTheirEndsWithIntegerTicks) {
  const auto labels = [](const std::vector<double>& values) {
    Axis axis("episode", Scale::index);
    for (const double v : values) axis.include(v);
    axis.finish(6);
    EXPECT_DOUBLE_EQ(axis.place(values.front()), values.size() == 1 ? 0.5 : 0);
    std::vector<std::string> found;
    for (const Tick& tick : axis.ticks()) found.push_back(tick.label);
    return found;
  };
  EXPECT_EQ(labels({1, 8}), (std::vector<std::string>{"1", "2", "4", "6", "8"}));
  EXPECT_EQ(labels({1, 35}), (std::vector<std::string>{"1", "10", "20", "30"}));
  EXPECT_EQ(labels({3}), (std::vector<std::string>{"3"}));
}

TEST(ParetoFront, HoldsWhatNoOtherBeats) {
  EXPECT_EQ(pareto_front({3, 1, 2, 2, 4}, {9, 1, 5, 6, 9}), (std::vector<std::size_t>{1, 3, 0}));
  EXPECT_TRUE(pareto_front({}, {}).empty());
}

}  // namespace
}  // namespace ap::report
