// Settings that a process reads once are tested in a fresh process: the test program runs one of its own
// tests again under another environment.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace ap {

/// True if the disabled test `name` of this program passes with the environment `settings` ("A=1 B=2") in
/// front.
inline bool passes_in_child(const std::string& settings, const std::string& name) {
  const std::string command = "env -u GTEST_OUTPUT " + settings + " /proc/" + std::to_string(::getpid()) +
                              "/exe --gtest_also_run_disabled_tests --gtest_filter=" + name +
                              " >/dev/null 2>&1";
  return std::system(command.c_str()) == 0;
}

}  // namespace ap
