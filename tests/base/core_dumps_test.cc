#include "base/core_dumps.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace ap {
namespace {

/// In a child that calls forbid_core_dumps: 1 if it may still dump to a file, 2 if it is still dumpable,
/// summed.
int what_stays(Debuggers debuggers, const char* allowed) {
  const pid_t child = ::fork();
  if (child == 0) {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_CORE, &limit);
    ::prctl(PR_SET_DUMPABLE, 1);
    const bool possible = limit.rlim_max > 0;
    ::setenv(kAllowCoreDumps, allowed, 1);
    forbid_core_dumps(debuggers);
    ::getrlimit(RLIMIT_CORE, &limit);
    const bool file = possible ? limit.rlim_cur > 0 : std::string_view(allowed) == "1";
    ::_exit((file ? 1 : 0) + (::prctl(PR_GET_DUMPABLE) == 1 ? 2 : 0));
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

TEST(CoreDumps, AreForbiddenUnlessTheEnvironmentAllowsThem) {
  for (const char* value : {"", "0", "yes"}) {
    EXPECT_EQ(what_stays(Debuggers::refuse, value), 0) << value;
    EXPECT_EQ(what_stays(Debuggers::allow, value), 2) << value;
  }
  EXPECT_EQ(what_stays(Debuggers::refuse, "1"), 3);
}

}  // namespace
}  // namespace ap
