// autoprivacy train: the commands as a user meets them. What training does is tested in tests/train.
#include "nn/onnx/import.h"
#include "tests/cli/cli_fixture.h"
#include "tests/support/paths.h"

namespace ap::cli {
namespace {

class TrainCommand : public CliTest {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(tests::binary_dir() / "autoprivacy-search")) {
      GTEST_SKIP() << "autoprivacy-search is not built (needs libtorch and Open MPI)";
    }
  }
};

TEST_F(TrainCommand, TunesForThePlanOfAPackage) {
  const auto tune = [](const std::string& package) {
    return run({"train", "tune", path("model.onnx"), "--plan", package, "--data", data(), "--validation",
                "0.25", "--epochs", "2", "--test", data(), "--out", path("tuned.onnx"), "--json"});
  };
  expect_failure(tune(server_package()), 2, "compile --no-equalise");
  const Result compiled = run({"compile", path("model.onnx"), "--calibrate", data(), "--no-equalise", "--out",
                               path("as_in_the_file")});
  ASSERT_EQ(compiled.status, 0) << compiled.err;
  const Result result = tune(path("as_in_the_file/server.apm"));
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json.at("images"), 18);
  EXPECT_EQ(json.at("validation").at("images"), 6);
  EXPECT_EQ(json.at("test").at("after").at("by_seed").size(), 4U);
  EXPECT_EQ(nn::import_onnx(path("tuned.onnx")).nodes.size(),
            nn::import_onnx(path("model.onnx")).nodes.size());
  EXPECT_FALSE(std::filesystem::exists(path("tuned.onnx.checkpoint.quantised")));
}

TEST_F(TrainCommand, ReplacesActivations) {
  const Result result =
      run({"train", "tune", path("model.onnx"), "--quadratic", "1", "--data", data(), "--validation", "0.25",
           "--epochs", "2", "--population", "1", "--out", path("quadratic.onnx"), "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out).at("quadratics").size(), 1U);
  int quadratics = 0;
  for (const nn::Node& node : nn::import_onnx(path("quadratic.onnx")).nodes) {
    quadratics += std::holds_alternative<nn::QuadraticOp>(node.op);
  }
  EXPECT_EQ(quadratics, 1);
}

TEST_F(TrainCommand, SaysWhatIsWrong) {
  const std::string out = path("none.onnx");
  expect_failure(run({"train", "tune", path("missing.onnx"), "--data", data(), "--out", out}), 2,
                 "missing.onnx");
  expect_failure(
      run({"train", "tune", path("model.onnx"), "--data", data(), "--out", out, "--quadratic", "99"}), 2,
      "99 activations");
  expect_failure(run({"train", "new", "--data", data(), "--out", out}), 2, "8 x 8");
  EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace ap::cli
