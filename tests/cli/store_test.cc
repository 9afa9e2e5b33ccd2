// Inferences prepared ahead, by the program.
#include <sys/stat.h>

#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

class StoreTest : public CliTest {};

TEST_F(StoreTest, PreparedAheadAndUsedOnce) {
  const std::string store = path("ahead");
  const Result prepared = run({"infer", client_package(), "--local", server_package(), "--store", store,
                               "--prepare-only", "2", "--json"});
  ASSERT_EQ(prepared.status, 0) << prepared.err;
  const Json made = Json::parse(prepared.out);
  EXPECT_EQ(made["prepared"], 2);
  EXPECT_EQ(made["available"], 2);
  EXPECT_GT(made["offline"]["bytes_up"], 0);
  struct stat info {};
  ASSERT_EQ(::stat(store.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);

  const auto images = [&](const std::string& count) {
    const Result result = run({"infer", client_package(), "--local", server_package(), "--store", store,
                               "--data", data(), "--first", count, "--check", server_package(), "--json"});
    EXPECT_EQ(result.status, 0) << result.err;
    return Json::parse(result.out);
  };
  const Json first = images("1");
  EXPECT_EQ(first["from_store"], 1);
  EXPECT_EQ(first["offline"]["bytes_up"], 0);
  EXPECT_EQ(first["offline"]["seconds"], 0);
  EXPECT_EQ(first["agree_clear"], 1);
  const Json second = images("3");
  EXPECT_EQ(second["from_store"], 1) << "the rest is prepared now";
  EXPECT_GT(second["offline"]["bytes_up"], 0);
  EXPECT_EQ(second["agree_clear"], 1);
  EXPECT_EQ(images("1")["from_store"], 0);
}

TEST_F(StoreTest, AServerThatLostItsHalves) {
  const std::string store = path("lost");
  ASSERT_EQ(
      run({"infer", client_package(), "--local", server_package(), "--store", store, "--prepare-only", "1"})
          .status,
      0);
  std::filesystem::remove_all(store + "/server");
  const Result result = run({"infer", client_package(), "--local", server_package(), "--store", store,
                             "--data", data(), "--first", "1", "--json"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.err.find("ours is kept for the server that has"), std::string::npos) << result.err;
  EXPECT_EQ(Json::parse(result.out)["from_store"], 0);
}

TEST_F(StoreTest, BadUseIsRefused) {
  expect_failure(run({"infer", client_package(), "--local", server_package()}), 2, "--prepare-only");
  const std::string open = path("open");
  std::filesystem::create_directory(open);
  ::chmod(open.c_str(), 0755);
  expect_failure(run({"infer", client_package(), "--local", server_package(), "--store", open, "--data",
                      data(), "--first", "1"}),
                 4, "chmod 700");
  expect_failure(run({"serve", server_package(), "--store", open}), 4, "chmod 700");
}

}  // namespace
}  // namespace ap::cli
