// kill -9 of a process that counts, again and again: what it granted is always counted, and little more.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "app/ledger.h"
#include "app/local_server.h"
#include "tests/base/temporary_directory.h"

namespace ap::app {
namespace {

constexpr std::uint64_t kPromised = 1'000'000;

Allowance allowance() {
  Allowance a;
  a.package.fill(1);
  a.promised = kPromised;
  return a;
}

/// The victim's part; skipped unless the environment says which. Writes a byte after each inference it was
/// granted, and never ends by itself.
TEST(LedgerKillVictim, Run) {
  const char* file = std::getenv("AP_LEDGER_KILL_FILE");
  if (!file) GTEST_SKIP() << "runs as a child of LedgerKill";
  const int out = std::atoi(std::getenv("AP_LEDGER_KILL_FD"));
  Ledger ledger(file, allowance());
  while (ledger.count(anonymous_client()).answer == protocol::PrepareAnswer::granted) {
    ASSERT_EQ(::write(out, "x", 1), 1);
  }
}

TEST(LedgerKill, NeverForgetsWhatItGranted) {
  const TemporaryDirectory directory;
  const std::string file = (directory.path() / "ledger").string(), program = this_program().string();
  constexpr int kKills = 40;
  constexpr std::uint64_t kAhead = 16;
  std::uint64_t granted = 0;
  for (int round = 0; round < kKills; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const std::string fd = std::to_string(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      ::close(ends[0]);
      ::setenv("AP_LEDGER_KILL_FILE", file.c_str(), 1);
      ::setenv("AP_LEDGER_KILL_FD", fd.c_str(), 1);
      ::execl(program.c_str(), program.c_str(), "--gtest_filter=LedgerKillVictim.Run", "--gtest_brief=1",
              nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    // At another place of a block each time, and, as the child runs on, somewhere within a commit now and
    // then.
    char c;
    for (int i = 0; i <= round; ++i) {
      ASSERT_EQ(::read(ends[0], &c, 1), 1);
      ++granted;
    }
    ::kill(child, SIGKILL);
    while (::read(ends[0], &c, 1) == 1) ++granted;
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));

    Ledger ledger(file, allowance());
    EXPECT_FALSE(ledger.is_new());
    const std::uint64_t counted = ledger.standing("").prepared;
    ASSERT_GE(counted, granted) << "after kill " << round;
    ASSERT_LE(counted, granted + kAhead * static_cast<std::uint64_t>(round + 1)) << "after kill " << round;
  }
}

}  // namespace
}  // namespace ap::app
