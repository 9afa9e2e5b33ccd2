#include "cli/run.h"

#include <signal.h>

#include <autoprivacy/version.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "base/core_dumps.h"
#include "base/error.h"
#include "base/printable.h"
#include "cli/common.h"
#include "cli/companion.h"
#include "cli/doctor.h"
#include "cli/suggestions.h"
#include "cli/usage.h"

namespace ap::cli {
namespace {

/// One sentence for a person, and the same as an object for a program that asked for JSON. Of an MPI job rank
/// 0 speaks; the others, whose failures are mostly the same, wait until it has ended them, and speak only if
/// it has not.
int complain(int status, const std::string& message, bool json, int rank) {
  if (rank > 0) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    say(fmt::format("rank {}: {}", rank, message));
    return status;
  }
  say(message);
  if (json) {
    const Json object = {{"error", message}, {"exit_status", status}};
    fmt::print("{}\n", printable_json(object.dump(2, ' ', false, Json::error_handler_t::replace)));
  }
  return status;
}

}  // namespace

int run(int argc, char** argv, const Extensions& extensions) {
  // The processes of an MPI job on one machine read each other's memory.
  forbid_core_dumps(launched_by_mpi() ? Debuggers::allow : Debuggers::refuse);
  // A peer that goes away is an error of the call that notices, not the end of the process.
  ::signal(SIGPIPE, SIG_IGN);
  CLI::App app("AutoPrivacy: private neural network inference between a server and a client", "autoprivacy");
  app.set_version_flag("--version", std::string("autoprivacy " AUTOPRIVACY_VERSION));
  app.require_subcommand(1);
  const bool json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
  Action action;
  add_inspect(app, action);
  add_compile(app, action, extensions);
  add_audit(app, action);
  add_profile(app, action);
  add_security(app, action);
  add_serve(app, action);
  add_clients(app, action);
  add_ledger(app, action);
  add_infer(app, action);
  add_simulate(app, action);
  add_report(app, action);
  add_keygen(app, action);
  add_doctor(app, action);
  for (const auto& add : extensions.commands) add(app, action);
  app.formatter(std::make_shared<HelpFormatter>());
  for (CLI::App* command : app.get_subcommands({})) command->formatter(std::make_shared<HelpFormatter>());
  std::vector<std::string> words = words_of(argc, argv);
  const auto misused = [&](const std::string& sentence) {
    const bool named = !app.get_subcommands().empty();
    return complain(static_cast<int>(ErrorCode::input),
                    fmt::format("{}; see autoprivacy {}--help", sentence,
                                named ? app.get_subcommands().front()->get_name() + " " : ""),
                    json, extensions.rank());
  };
  // CLI11 would only say that a subcommand is missing.
  const std::vector<std::string> commands = commands_of(app);
  if (words.empty())
    return misused(fmt::format("there is no command; give one of {}", fmt::join(commands, ", ")));
  if (words.front()[0] != '-' && std::ranges::count(commands, words.front()) == 0) {
    return misused(
        fmt::format("there is no command \"{}\"{}", words.front(), did_you_mean(words.front(), commands)));
  }
  try {
    std::ranges::reverse(words);  // as the parser takes them
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    return misused(sentence_of(app, error));
  }
  try {
    action();
    return 0;
  } catch (const ToldFailure& told) {
    return told.status;
  } catch (const Error& error) {
    return complain(error.exit_status(), error.what(), json, extensions.rank());
  } catch (const std::bad_alloc&) {
    return complain(static_cast<int>(ErrorCode::internal),
                    "not enough memory; close other programs, use a smaller network or a machine with more",
                    json, extensions.rank());
  } catch (const std::exception& error) {
    return complain(static_cast<int>(ErrorCode::internal), fmt::format("internal error: {}", error.what()),
                    json, extensions.rank());
  }
}

}  // namespace ap::cli
