// The command `doctor`, which prints what is wrong as its result, and has only the exit status left to give.
#pragma once

#include "cli/run.h"

namespace ap::cli {

/// Thrown by an action that has said everything itself.
struct ToldFailure {
  int status = 1;
};

void add_doctor(CLI::App& app, Action& action);

}  // namespace ap::cli
