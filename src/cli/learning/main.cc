// autoprivacy-search: all that autoprivacy has, and what needs libtorch (policy ddpg) or MPI (simulations
// split over the ranks of a job). autoprivacy starts it by itself when asked for these.
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "cli/companion.h"
#include "cli/learning/train_options.h"
#include "cli/run.h"
#include "planner/learned/ddpg_policy.h"
#include "planner/mpi/mpi_sharder.h"

namespace {

std::unique_ptr<ap::search::Policy> make_ddpg(const ap::app::PolicyRequest& request) {
  ap::ddpg::DdpgOptions options;
  options.agent.seed = request.seed;
  options.state = request.state;
  options.resume = request.resume;
  options.writes = request.writes;
  options.sharder = request.sharder;
  options.rollouts = request.rollouts;
  return std::make_unique<ap::ddpg::DdpgPolicy>(options);
}

}  // namespace

int main(int argc, char** argv) {
  std::unique_ptr<ap::mpi::MpiSharder> ranks;
  ap::cli::Extensions extensions;
  extensions.companion = true;
  extensions.policies["ddpg"] = make_ddpg;
  extensions.commands.push_back(ap::cli::add_train);
  if (ap::cli::launched_by_mpi()) {
    ranks = std::make_unique<ap::mpi::MpiSharder>();
    extensions.sharder = ranks.get();
  }
  // Results are told once.
  if (extensions.rank() != 0 && !std::freopen("/dev/null", "w", stdout)) return 1;
  const int status = ap::cli::run(argc, argv, extensions);
  std::fflush(stdout);
  // The other ranks may be waiting for this one.
  if (status != 0 && ranks && ranks->size() > 1) ranks->abort(status);
  return status;
}
