#include <gtest/gtest.h>

#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

class ReportTest : public CliTest {};

TEST_F(ReportTest, DrawsACompiledDirectory) {
  const std::string out = path("report.html");
  const Result result = run({"report", "small=" + path("out"), "-o", out, "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["plans"], 1);
  EXPECT_EQ(json["noise_checks"], 1);
  const Bytes bytes = read_file(out, 1 << 22);
  const std::string html(bytes.begin(), bytes.end());
  EXPECT_EQ(html.rfind("<!doctype html>", 0), 0u);
  EXPECT_NE(html.find("<section id=\"layers\""), std::string::npos);
  // What compile printed stands in the table.
  const Json layers = Json::parse(compiled_.out)["layers"];
  const std::string p = std::to_string(layers[0]["log2_p"].get<int>());
  EXPECT_NE(html.find("<td class=\"n\">" + p + "</td>"), std::string::npos);
}

TEST_F(ReportTest, DrawsWhatCompilePrints) {
  write_file(path("compiled.json"), Bytes(compiled_.out.begin(), compiled_.out.end()));
  EXPECT_EQ(run({"report", path("compiled.json"), "-o", path("second.html")}).status, 0);
}

TEST_F(ReportTest, RefusesNothingAndNonsense) {
  expect_failure(run({"report", "-o", path("no.html")}), 2, "no input");
  expect_failure(run({"report", path("model.onnx"), "-o", path("no.html")}), 2, "model.onnx");
  expect_failure(run({"report", path("x.npy"), "-o", path("no.html")}), 2, "x.npy");
  EXPECT_FALSE(std::filesystem::exists(path("no.html")));
}

}  // namespace
}  // namespace ap::cli
