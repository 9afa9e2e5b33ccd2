// A process that holds secrets leaves no copy of its memory behind when it crashes, and lets no other process
// of the same user look into it.
#pragma once

namespace ap {

/// For developers: a process that finds this environment variable set to 1 may dump core and be debugged.
inline constexpr const char* kAllowCoreDumps = "AUTOPRIVACY_ALLOW_CORE_DUMPS";

enum class Debuggers { refuse, allow };

/// Sets RLIMIT_CORE to 0, which children inherit, and unless `allow`, the process to not dumpable: then
/// nothing is dumped to a program either (core(5)), and only root may attach. Does nothing where
/// kAllowCoreDumps says so.
void forbid_core_dumps(Debuggers debuggers);

}  // namespace ap
