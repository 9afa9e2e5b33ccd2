// A process that holds secrets leaves no core dump, and no other process of its user may look into it.
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <sstream>

#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

/// The soft limit on core dumps of a process, as the kernel states it.
std::string core_limit(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/limits");
  const std::string name = "Max core file size";
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name, 0) != 0) continue;
    std::istringstream rest(line.substr(name.size()));
    std::string soft;
    rest >> soft;
    return soft;
  }
  return "";
}

/// The bytes that the server leaves in a file named core when it crashes; 0 if none.
std::uintmax_t core_of_crashed_server(const std::string& package, const std::string& directory) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::create_directories(directory);
  std::filesystem::current_path(directory);
  std::uintmax_t bytes = 0;
  {
    ServeProcess server(package);
    EXPECT_NE(server.url, "");
    server->kill(SIGSEGV);
    EXPECT_EQ(server->wait(), -SIGSEGV);
  }
  for (const auto& entry : std::filesystem::directory_iterator(directory)) bytes += entry.file_size();
  std::filesystem::current_path(before);
  return bytes;
}

class CoreDumps : public CliTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(::getrlimit(RLIMIT_CORE, &before_), 0);
    const rlimit all{before_.rlim_max, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_CORE, &all), 0);
    ::unsetenv("AUTOPRIVACY_ALLOW_CORE_DUMPS");
  }
  void TearDown() override {
    ::unsetenv("AUTOPRIVACY_ALLOW_CORE_DUMPS");
    ::setrlimit(RLIMIT_CORE, &before_);
  }
  rlimit before_{};
};

TEST_F(CoreDumps, TheServerForbidsThem) {
  ServeProcess server(server_package());
  ASSERT_NE(server.url, "");
  EXPECT_EQ(core_limit(server->pid()), "0");
  // The files under /proc of a process that is not dumpable belong to root; seen only by other users than
  // root.
  if (::geteuid() != 0) {
    struct stat info {};
    ASSERT_EQ(::stat(("/proc/" + std::to_string(server->pid()) + "/status").c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 0U);
    EXPECT_NE(::ptrace(PTRACE_SEIZE, server->pid(), nullptr, nullptr), 0);
  }
  server->kill(SIGTERM);
  EXPECT_EQ(server->wait(), 0);
}

TEST_F(CoreDumps, ACrashLeavesNoFile) {
  EXPECT_EQ(core_of_crashed_server(server_package(), path("crash")), 0U);
}

TEST_F(CoreDumps, DevelopersMayAllowThem) {
  if (before_.rlim_max == 0) GTEST_SKIP() << "this process may not dump core itself";
  ::setenv("AUTOPRIVACY_ALLOW_CORE_DUMPS", "1", 1);
  ServeProcess server(server_package());
  ASSERT_NE(server.url, "");
  EXPECT_NE(core_limit(server->pid()), "0");
  server->kill(SIGTERM);
  EXPECT_EQ(server->wait(), 0);
}

}  // namespace
}  // namespace ap::cli
