#include "base/core_dumps.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>
#include <string_view>

namespace ap {

void forbid_core_dumps(Debuggers debuggers) {
  const char* allowed = std::getenv(kAllowCoreDumps);
  if (allowed && std::string_view(allowed) == "1") return;
  const rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);
  if (debuggers == Debuggers::refuse) (void)::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace ap
