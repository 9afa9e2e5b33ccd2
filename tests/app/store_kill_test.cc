// kill -9 of the client's or the server's process at every point of storing and of using a prepared
// inference: afterwards it is usable by both or gone, never used twice. The victim is this program, started
// again.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "app/local_server.h"
#include "base/error.h"
#include "base/files.h"
#include "tests/app/running_server.h"
#include "tests/base/temporary_directory.h"

namespace ap::app {
namespace {

using protocol::PreprocessingStore;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

protocol::StoreOptions killed_at(const std::string& point) {
  protocol::StoreOptions options;
  options.reached = [point](const char* here) {
    if (here == point) ::kill(::getpid(), SIGKILL);
  };
  return options;
}

/// The victim's part; skipped unless the environment says which. Never ends by itself.
TEST(StoreKillVictim, Run) {
  const std::filesystem::path directory = variable("AP_KILL_DIRECTORY");
  if (directory.empty()) GTEST_SKIP() << "runs as a child of StoreKill";
  const std::string point = variable("AP_KILL_POINT"), address = variable("AP_KILL_ADDRESS");
  if (address.empty()) {
    ServerConfig config;
    config.store = directory / "server";
    config.store_options = killed_at(point);
    Server server(package::load(directory / "server.apm", Party::server), config);
    const std::string report = server.address() + " " + server.fingerprint();
    write_file(directory / "address", {reinterpret_cast<const std::uint8_t*>(report.data()), report.size()});
    server.run();
    return;
  }
  const package::Package package = package::load(directory / "client.apm", Party::client);
  PreprocessingStore store(directory / "client", Party::client, package.id, killed_at(point));
  const auto channel =
      net::connect("wss://" + address, net::TlsTrust::pinned_certificate(variable("AP_KILL_FINGERPRINT")));
  if (variable("AP_KILL_PHASE") == "store") {
    prepare_only(package, *channel, store, 1);
  } else {
    run_images(package, *channel, std::vector<Image>{Image(package.network.input_shape().size())},
               {.store = &store});
  }
  channel->close();
}

struct Case {
  const char* side;
  const char* phase;
  const char* point;
  std::size_t usable;  ///< afterwards
};

class StoreKill : public testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() { compiled_ = new Compiled(compile_small()); }
  static void TearDownTestSuite() { delete compiled_; }

  void SetUp() override {
    write_file(path() / "server.apm", compiled_->files.server);
    write_file(path() / "client.apm", compiled_->files.client);
    client_ = package::load(path() / "client.apm", Party::client);
  }
  const std::filesystem::path& path() const { return directory_.path(); }

  pid_t start(const std::vector<std::pair<std::string, std::string>>& variables) const {
    const std::string program = this_program().string();
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    ::execl(program.c_str(), program.c_str(), "--gtest_filter=StoreKillVictim.Run", "--gtest_brief=1",
            nullptr);
    ::_exit(127);
  }
  static void expect_killed(pid_t child) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "status " << status;
  }
  ServerConfig with_store() const {
    ServerConfig config;
    config.store = path() / "server";
    return config;
  }
  PreprocessingStore own_store() const { return {path() / "client", Party::client, client_.id}; }
  std::size_t files(const std::string& side) const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path() / side))
      count += entry.path().filename() != "lock";
    return count;
  }

  static Compiled* compiled_;
  TemporaryDirectory directory_;
  package::Package client_;
};
Compiled* StoreKill::compiled_ = nullptr;

TEST_P(StoreKill, NeverServesTwice) {
  const Case& c = GetParam();
  const bool use = std::string(c.phase) == "use";
  const std::vector<Image> images = small_inputs(compiled_->package, 2);
  if (use) {
    RunningServer server(compiled_->package, with_store());
    PreprocessingStore store = own_store();
    EXPECT_EQ(prepare_only(client_, *server.connect(), store, 1).available, 1u);
  }
  std::vector<std::pair<std::string, std::string>> variables = {
      {"AP_KILL_DIRECTORY", path().string()}, {"AP_KILL_PHASE", c.phase}, {"AP_KILL_POINT", c.point}};
  if (std::string(c.side) == "client") {
    RunningServer server(compiled_->package, with_store());
    variables.emplace_back("AP_KILL_ADDRESS", server->address());
    variables.emplace_back("AP_KILL_FINGERPRINT", server->fingerprint());
    expect_killed(start(variables));
  } else {
    const pid_t child = start(variables);
    for (int i = 0; i < 3000 && !std::filesystem::exists(path() / "address"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    std::string address, fingerprint;
    std::ifstream(path() / "address") >> address >> fingerprint;
    PreprocessingStore store = own_store();
    try {
      const auto channel = net::connect("wss://" + address, net::TlsTrust::pinned_certificate(fingerprint));
      if (use) {
        run_images(client_, *channel, std::span(images).first(1), {.store = &store});
      } else {
        prepare_only(client_, *channel, store, 1);
      }
      ADD_FAILURE() << "the server was to be killed";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::peer) << error.what();
    }
    expect_killed(child);
  }

  RunningServer server(compiled_->package, with_store());
  PreprocessingStore store = own_store();
  const auto channel = server.connect();
  const RunResult result = run_images(client_, *channel, images, {.store = &store});
  EXPECT_EQ(result.mean.from_store, c.usable);
  EXPECT_EQ(compare_with_clear(compiled_->package.network, images, result.logits).same_class, images.size());
  // A half whose other half died with the other party stays, to be removed when it is too old.
  EXPECT_EQ(files("client"), use && std::string(c.side) == "server" ? 1u : 0u);
  PreprocessingStore other(path() / "server", Party::server, client_.id);
  EXPECT_EQ(files("server"), other.ids().size());
}

INSTANTIATE_TEST_SUITE_P(
    Points, StoreKill,
    testing::Values(Case{"client", "store", "written", 0}, Case{"client", "store", "renamed", 1},
                    Case{"client", "store", "stored", 1}, Case{"client", "use", "claimed", 0},
                    Case{"client", "use", "read", 1}, Case{"client", "use", "wiped", 0},
                    Case{"client", "use", "removed", 0}, Case{"server", "store", "written", 0},
                    Case{"server", "store", "renamed", 0}, Case{"server", "store", "stored", 0},
                    Case{"server", "use", "claimed", 0}, Case{"server", "use", "read", 0},
                    Case{"server", "use", "wiped", 0}, Case{"server", "use", "removed", 0}),
    [](const testing::TestParamInfo<Case>& tested) {
      return fmt::format("{}_{}_{}", tested.param.side, tested.param.phase, tested.param.point);
    });

}  // namespace
}  // namespace ap::app
