// autoprivacy-search behind autoprivacy: policies that need libtorch, and searches spread over MPI ranks.
#include <cstdlib>

#include "tests/cli/cli_fixture.h"
#include "tests/support/paths.h"

namespace ap::cli {
namespace {

bool has_search_program() { return std::filesystem::exists(tests::binary_dir() / "autoprivacy-search"); }
bool has_mpirun() { return std::system("command -v mpirun >/dev/null 2>&1") == 0; }

class SearchProgram : public CliTest {
 protected:
  static std::vector<std::string> compile(const std::string& policy, const std::string& out) {
    return {"compile",
            path("model.onnx"),
            "--profile",
            "typical",
            "--calibrate",
            data(),
            "--out",
            path(out),
            "--policy",
            policy,
            "--max-accuracy-loss",
            "5",
            "--simulations",
            "8",
            "--seed",
            "3",
            "--rollouts",
            "8",
            "--json"};
  }

  /// The same with so many ranks.
  static Result run_ranks(int ranks, const std::string& policy, const std::string& out) {
    std::string line =
        "mpirun --oversubscribe --allow-run-as-root -n " + std::to_string(ranks) + " " + program();
    for (const std::string& word : compile(policy, out)) line += " '" + word + "'";
    return run_program("/bin/sh", {"-c", line});
  }

  /// What must not depend on the number of ranks: all but times and the random identity of the package.
  static Json essence(const Result& result) {
    EXPECT_EQ(result.status, 0) << result.err;
    const Json json = Json::parse(result.out);
    return {
        {"layers", json.at("layers")}, {"search", json.at("search")}, {"predicted", json.at("predicted")}};
  }
};

TEST_F(SearchProgram, AutoprivacyStartsItForPolicyDdpg) {
  if (!has_search_program()) GTEST_SKIP() << "autoprivacy-search is not built (needs libtorch and Open MPI)";
  const Result result = run(compile("ddpg", "ddpg"));
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(Json::parse(result.out).at("policy"), "ddpg");
  const Bytes journal = read_file(path("ddpg/search.json"), 1 << 20);
  const Json json = Json::parse(journal.begin(), journal.end());
  ASSERT_GE(json.at("trace").size(), 1U);
  for (const char* key : {"episode", "reward", "seconds", "loss"})
    EXPECT_TRUE(json.at("trace")[0].contains(key)) << key;
}

TEST_F(SearchProgram, TheResultIsThatOfAnyNumberOfRanks) {
  if (!has_search_program()) GTEST_SKIP() << "autoprivacy-search is not built (needs libtorch and Open MPI)";
  if (!has_mpirun()) GTEST_SKIP() << "mpirun is not installed (openmpi-bin)";
  for (const std::string policy : {"ddpg", "dp"}) {
    const Json alone = essence(run(compile(policy, policy + "0")));
    for (int ranks = 1; ranks <= 3; ++ranks) {
      EXPECT_EQ(essence(run_ranks(ranks, policy, policy + std::to_string(ranks))), alone)
          << policy << " " << ranks;
    }
  }
}

TEST_F(SearchProgram, BudgetsThatAreRatesPackForSimdAndSaysThatNothingIsToBeSearched) {
  std::vector<std::string> words = compile("random", "rates");
  words.insert(words.end(), {"--budget", "der"});
  const Result result = run(words);
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json.at("policy"), "random");
  for (const Json& layer : json.at("layers")) {
    if (layer.at("packing").is_string()) {
      EXPECT_EQ(layer.at("packing").get<std::string>().rfind("SIMD", 0), 0U) << layer.dump();
    }
  }
  EXPECT_NE(json.at("notes").dump().find("single point"), std::string::npos) << json.at("notes").dump();
  words.insert(words.end(), {"--activation", "ot"});
  expect_failure(run(words), 2, "shares modulo primes");
  expect_failure(
      run({"compile", path("model.onnx"), "--calibrate", data(), "--out", path("no"), "--budget", "der"}), 2,
      "ddpg, dp, greedy, random");
  expect_failure(run({"compile", path("model.onnx"), "--calibrate", data(), "--out", path("no"), "--policy",
                      "dp", "--budget", "x"}),
                 2, "offers: error-std, der");
}

TEST_F(SearchProgram, AMistakeUnderMpiEndsAllRanks) {
  if (!has_search_program()) GTEST_SKIP() << "autoprivacy-search is not built (needs libtorch and Open MPI)";
  if (!has_mpirun()) GTEST_SKIP() << "mpirun is not installed (openmpi-bin)";
  const std::string line = "mpirun --oversubscribe --allow-run-as-root -n 2 " + program() +
                           " compile /nowhere.onnx --calibrate npy:x --out " + path("none");
  const Result result = run_program("/bin/sh", {"-c", line});
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("autoprivacy: cannot read /nowhere.onnx"), std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("rank 1"), std::string::npos) << result.err;
}

TEST_F(SearchProgram, WithoutItASentenceSaysHowToBuildIt) {
  const std::string lonely = path("lonely");
  std::filesystem::create_directory(lonely);
  std::filesystem::copy_file(program(), lonely + "/autoprivacy");
  const Result result = run_program(lonely + "/autoprivacy", compile("ddpg", "lonely"));
  expect_failure(result, 2, "tools/install-dependencies");
}

}  // namespace
}  // namespace ap::cli
