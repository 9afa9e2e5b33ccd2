#include "cli/sibling.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace ap::cli {
namespace {

constexpr const char* kProgram = "autoprivacy-search";
constexpr std::uint64_t kMaxArguments = 16 << 20;

/// The arguments of this process, as the kernel keeps them: each ends with a zero byte.
std::vector<std::string> own_arguments() {
  const Bytes bytes = read_file("/proc/self/cmdline", kMaxArguments);
  std::vector<std::string> arguments;
  for (auto at = bytes.begin(); at != bytes.end();) {
    const auto end = std::find(at, bytes.end(), std::uint8_t{0});
    arguments.emplace_back(at, end);
    at = end == bytes.end() ? end : end + 1;
  }
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
        "{} needs the program {}, which is not beside this one ({}); run tools/install-dependencies, "
        "configure with "
        "-DAP_TORCH=ON and build the target {}",
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
