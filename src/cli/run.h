// The command line of both programs: `autoprivacy`, and its companion `autoprivacy-search`
// (src/cli/learning), which has what needs libtorch or MPI besides. `autoprivacy` starts the companion in its
// place for what it has not itself.
#pragma once

#include <functional>
#include <vector>

#include "app/search_policies.h"

namespace CLI {
class App;
}

namespace ap::cli {

/// What main runs after the arguments were parsed. Results go to standard output, everything else to standard
/// error.
using Action = std::function<void()>;

/// What a program has besides the commands that all have.
struct Extensions {
  bool companion = false;  ///< whether this is autoprivacy-search
  /// Each adds its subcommand to the parser and, when that is chosen, sets the action.
  std::vector<std::function<void(CLI::App&, Action&)>> commands;
  /// Further policies of `compile`, by name.
  app::PolicyMakers policies;
  search::Sharder* sharder = nullptr;  ///< of an MPI job; null for a single process

  int rank() const { return sharder ? sharder->rank() : 0; }
};

/// Parses the arguments, runs one command and turns every failure into one sentence on standard error and the
/// exit status that contracts with scripts rest on: 0 good, 1 our fault, 2 usage or input, 3 peer or network,
/// 4 refused for security.
int run(int argc, char** argv, const Extensions& extensions);

}  // namespace ap::cli
