// Starting autoprivacy-search in the place of autoprivacy.
#pragma once

#include <string>

#include "cli/run.h"

namespace ap::cli {

/// Whether an MPI launcher (mpirun, srun) started this process as one of several.
bool launched_by_mpi();

/// Replaces this process by autoprivacy-search beside it, with the same arguments. `what` begins the sentence
/// that says what for ("policy ddpg").
/// @throws Error(input) saying how to build it if it is not there.
[[noreturn]] void hand_over(const std::string& what);

/// Adds a subcommand that only the companion has: it takes any arguments and hands over.
void add_handed_over(CLI::App& app, Action& action, const std::string& name, const std::string& description);

}  // namespace ap::cli
