#include "cli/companion.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/error.h"

namespace ap::cli {
namespace {

constexpr const char* kProgram = "autoprivacy-search";

/// The arguments of this process, as the kernel keeps them: each ends with a zero byte.
std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  if (arguments.empty()) fail(ErrorCode::internal, "cannot read /proc/self/cmdline");
  return arguments;
}

}  // namespace

bool launched_by_mpi() {
  // Open MPI; the process managers of Slurm and MPICH.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const char* size = std::getenv(name);
    if (size && std::atoi(size) > 1) return true;
  }
  return false;
}

void hand_over(const std::string& what) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto program = self.parent_path() / kProgram;
  if (error || !std::filesystem::exists(program, error)) {
    fail_input(
        "{} needs the program {}, which is not beside this one ({}); run "
        "tools/install-dependencies, configure with -DAP_TORCH=ON and build the target {}",
        what, kProgram, self.parent_path().string(), kProgram);
  }
  std::vector<std::string> arguments = own_arguments();
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv(program.c_str(), argv.data());
  fail_input("cannot start {}: {}", program.string(), std::strerror(errno));
}

void add_handed_over(CLI::App& app, Action& action, const std::string& name, const std::string& description) {
  CLI::App* command = app.add_subcommand(name, description);
  command->prefix_command();
  command->set_help_flag();
  command->callback([name, &action] { action = [name] { hand_over("command " + name); }; });
}

}  // namespace ap::cli
