#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

class SimulateTest : public CliTest {};

TEST_F(SimulateTest, PrintsTheContractedKeys) {
  const Result result = run({"simulate", server_package(), "--data", data(), "--seeds", "3", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json.at("images"), 24);
  EXPECT_EQ(json.at("seeds"), 3);
  EXPECT_GE(json.at("top1").get<double>(), 0);
  EXPECT_LE(json.at("top1").get<double>(), 1);
  EXPECT_EQ(json.at("top1_clear"), Json::parse(compiled_.out).at("accuracy").at("clear"));
  EXPECT_EQ(json.at("top1_by_seed").size(), 3u);
}

TEST_F(SimulateTest, WorksWithoutLabelsAndForPeople) {
  const Result unlabelled =
      run({"simulate", server_package(), "--data", "npy:" + path("x.npy"), "--first", "5", "--json"});
  ASSERT_EQ(unlabelled.status, 0) << unlabelled.err;
  const Json json = Json::parse(unlabelled.out);
  EXPECT_EQ(json.at("images"), 5);
  EXPECT_TRUE(json.at("top1").is_null());
  EXPECT_GT(json.at("agreement").get<double>(), 0.5);
  const Result text = run({"simulate", server_package(), "--data", data()});
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_NE(text.out.find("24 images, 5 seeds"), std::string::npos) << text.out;
}

TEST_F(SimulateTest, RefusesBadInput) {
  expect_failure(run({"simulate", client_package(), "--data", data()}), 2, "server");
  expect_failure(run({"simulate", server_package(), "--data", "npy:" + path("large.npy")}), 2,
                 "(1, 1, 8, 8)");
  expect_failure(run({"simulate", server_package(), "--data", data(), "--seeds", "0"}), 2, "seeds");
  expect_failure(run({"simulate", path("absent.apm"), "--data", data()}), 2, "absent.apm");
}

}  // namespace
}  // namespace ap::cli
