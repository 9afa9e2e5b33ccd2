#include "report/page.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/report/page_checker.h"
#include "tests/report/sample_data.h"

namespace ap::report {
namespace {

using test::full_data;

bool holds(const std::string& html, const std::string& text) { return html.find(text) != std::string::npos; }

TEST(Page, IsWellFormedAndHoldsEverySection) {
  const std::string html = page(full_data(), "autoprivacy report results.json");
  EXPECT_EQ(test::problem_of(html), "");
  for (const char* id : {"summary", "layers", "search", "pareto", "gain", "noise"}) {
    EXPECT_TRUE(holds(html, "<section id=\"" + std::string(id) + "\"")) << id;
  }
  EXPECT_FALSE(holds(html, "<section id=\"missing\""));
  EXPECT_LT(html.size(), 200'000u);
}

TEST(Page, CheckerFindsWhatIsWrong) {
  const std::string html = page(full_data(), "x");
  const auto broken = [&](const std::string& from, const std::string& to) {
    std::string copy = html;
    copy.replace(copy.find(from), from.size(), to);
    return test::problem_of(copy);
  };
  EXPECT_NE(broken("</h2>", ""), "");
  EXPECT_NE(broken("<h2 ", "<h2 onclick=\"x\" "), "");
  EXPECT_NE(broken("</main>", "<script></script></main>"), "");
  EXPECT_NE(broken("</main>", "a & b</main>"), "");
}

TEST(Page, TextFromFilesIsEscapedEverywhere) {
  Data data = full_data(test::kHostile);
  for (PlanView& plan : data.plans) {
    for (Layer& layer : plan.layers) layer.name = layer.op = layer.activation = test::kHostile;
    plan.layers[0].packing = test::kHostile;
    plan.source = test::kHostile;
  }
  for (Row& row : data.rows) {
    row.machine = row.source = test::kHostile;
    row.notes = {test::kHostile};
  }
  data.rows.back().policy = data.plans.back().policy = data.searches[0].policy = test::kHostile;
  data.noise[0].remark = data.noise[0].machine = data.noise[0].policy = test::kHostile;
  data.sources = {test::kHostile};
  const std::string html = page(data, std::string("autoprivacy report ") + test::kHostile);
  EXPECT_EQ(test::problem_of(html), "");
  EXPECT_FALSE(holds(html, "<script"));
  EXPECT_FALSE(holds(html, "<img"));
  EXPECT_FALSE(holds(html, "\x01"));
  EXPECT_TRUE(holds(html, "&lt;script&gt;"));
}

TEST(Page, TablesHoldTheNumbersOfTheInput) {
  const std::string html = page(full_data(), "x");
  const std::size_t row = html.find("<tr><th scope=\"row\">delphi</th>");
  ASSERT_NE(row, std::string::npos);
  const std::string delphi = html.substr(row, html.find("</tr>", row) - row);
  // Total of 40.25 and 0.123 s, 130.25 and 1.5 MB.
  for (const char* cell : {">40.37<", ">40.25<", ">0.1230<", ">131.8<", ">81.63 %<", ">80.63 to 82.63 %<",
                           ">9 of 10<", ">129.5<", ">12.5<"}) {
    EXPECT_TRUE(holds(delphi, cell)) << cell << " in " << delphi;
  }
  // dp against delphi: 2.123 / 40.373 - 1.
  EXPECT_TRUE(holds(html,
                    "\xE2\x88\x92"
                    "94.7 %"));
  EXPECT_TRUE(holds(html, "19.0\xC3\x97 faster"));
  // The layers of dp.
  EXPECT_TRUE(holds(html,
                    "<td class=\"n\">1024</td><td class=\"n\">26.0</td><td class=\"n\">20</td><td "
                    "class=\"n\">0.0600</td>"));
}

TEST(Page, SaysWhatMissingSectionsNeed) {
  Data data;
  read_json(test::search_json(), "search.json", "net", data);
  const std::string html = page(data, "x");
  EXPECT_EQ(test::problem_of(html), "");
  EXPECT_TRUE(holds(html, "<section id=\"search\""));
  EXPECT_FALSE(holds(html, "<section id=\"gain\""));
  EXPECT_TRUE(holds(html, "needs at least two of the policies"));
  EXPECT_TRUE(holds(html, "needs a package with weights"));
}

TEST(Page, NothingToDrawIsAnError) { EXPECT_THROW(page({}, "x"), Error); }

TEST(Page, DrawsExtremeNumbers) {
  Data data = full_data();
  data.rows[0].offline.seconds = 1e9;
  data.rows[1].offline.seconds = data.rows[1].online.seconds = 0;
  data.plans[0].layers[0].tau_lsb = 1e30;
  data.plans[0].layers[0].log2_q = 0;
  data.plans[1].layers[0].der_log2 = -1e5;
  data.searches[0].trace.resize(1);
  data.noise[0].layers[0].measured = {0, 0, 0};
  const std::string html = page(data, "x");
  EXPECT_EQ(test::problem_of(html), "");
  EXPECT_FALSE(holds(html, "nan"));
  EXPECT_FALSE(holds(html, "inf\""));
  EXPECT_FALSE(holds(html, "-inf"));
}

TEST(Page, ManyEpisodesStaySmall) {
  Data data;
  read_json(test::search_json(5000), "search.json", "net", data);
  const std::string html = page(data, "x");
  EXPECT_EQ(test::problem_of(html), "");
  EXPECT_LT(html.size(), 1'500'000u);
}

}  // namespace
}  // namespace ap::report
