#include "report/read_json.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "report/load.h"
#include "tests/base/temporary_directory.h"
#include "tests/report/sample_data.h"

namespace ap::report {
namespace {

std::string message_of(const Json& json) {
  Data data;
  try {
    read_json(json, "file.json", "net", data);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::input);
    return e.what();
  }
  return "";
}

TEST(ReadJson, ResultsAndSearches) {
  const Data data = test::full_data();
  ASSERT_EQ(data.rows.size(), 5u);
  EXPECT_DOUBLE_EQ(data.rows[0].seconds(), 40.373);
  EXPECT_DOUBLE_EQ(data.rows[4].mb(), 11.5);
  EXPECT_DOUBLE_EQ(*data.rows[4].interval_low, 0.8055);
  ASSERT_EQ(data.plans.size(), 5u);
  EXPECT_EQ(data.plans[0].linears().size(), 3u);
  EXPECT_DOUBLE_EQ(data.plans[0].predicted_s, 3 * 0.35);
  EXPECT_TRUE(data.plans[0].layers[0].simd());
  EXPECT_NEAR(*data.plans[2].layers[0].der_log2, -7.97, 0.01);
  ASSERT_EQ(data.searches.size(), 1u);
  EXPECT_EQ(data.searches[0].trace.size(), 5u);
  EXPECT_DOUBLE_EQ(data.searches[0].chosen->seconds, 1.2);
}

TEST(ReadJson, RefusesWhatBreaksARule) {
  const auto with = [](auto change) {
    Json json = test::results_json();
    change(json["rows"][1]);
    return message_of(json);
  };
  EXPECT_NE(with([](Json& r) { r["top1"] = 1.5; }).find("rows[1]: top1 is 1.5"), std::string::npos);
  EXPECT_NE(with([](Json& r) { r["offline"]["seconds"] = "x"; }).find("not a number"), std::string::npos);
  EXPECT_NE(with([](Json& r) { r.erase("online"); }).find("online is missing"), std::string::npos);
  EXPECT_NE(with([](Json& r) { r["policy"] = 7; }).find("not a string"), std::string::npos);
  EXPECT_NE(with([](Json& r) { r["layers"][0]["n"] = -1; }).find("layers[0]: n is -1"), std::string::npos);
  EXPECT_NE(with([](Json& r) { r["layers"] = 3; }).find("not a list"), std::string::npos);
  EXPECT_NE(with([](Json& r) { r["policy"] = "delphi"; }).find("second time"), std::string::npos);
  EXPECT_NE(message_of({{"rows", {1}}}).find("not an object"), std::string::npos);
  EXPECT_NE(message_of({{"x", 1}}).find("file.json is none"), std::string::npos);
  EXPECT_NE(message_of(Json::array()).find("not an object"), std::string::npos);
  Json search = test::search_json();
  search["trace"][0]["seconds"] = 1e20;
  EXPECT_NE(message_of(search).find("trace[0]: seconds"), std::string::npos);
}

class LoadFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const auto path = directory_.path() / name;
    write_file(path, ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    return path.string();
  }
  static std::string error_of(const std::vector<std::string>& inputs) {
    try {
      load(inputs);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::input);
      return e.what();
    }
    return "";
  }
  TemporaryDirectory directory_;
};

TEST_F(LoadFiles, TellsKindsApartAndNamesThem) {
  const Data data = load(
      {write("r.json", test::results_json().dump()), "NET=" + write("s.json", test::search_json().dump()),
       write("c.json",
             Json{{"policy", "greedy"}, {"layers", test::results_json()["rows"][0]["layers"]}}.dump())});
  EXPECT_EQ(data.rows.size(), 5u);
  EXPECT_EQ(data.searches[0].label, "NET");
  // The compiled plan has the layers of the measured network, so it stands beside it.
  ASSERT_EQ(data.plans.size(), 6u);
  EXPECT_EQ(data.plans[5].network, "7CNET");
}

TEST_F(LoadFiles, SaysWhatCannotBeRead) {
  EXPECT_NE(error_of({}).find("no input"), std::string::npos);
  EXPECT_NE(error_of({directory_.path().string()}).find("holds no server.apm"), std::string::npos);
  EXPECT_NE(error_of({write("empty", "")}).find("empty"), std::string::npos);
  EXPECT_NE(error_of({write("bad.json", "{\"rows\": [")}).find("not valid JSON"), std::string::npos);
  EXPECT_NE(error_of({write("big.json", "{\"rows\": 1e999}")}).find("not valid JSON"), std::string::npos);
  EXPECT_NE(error_of({"/nonexistent"}).find("/nonexistent"), std::string::npos);
}

}  // namespace
}  // namespace ap::report
