#include "cli/run.h"

#include <signal.h>

#include <autoprivacy/version.h>
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

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

/// Words that the chosen command does not take.
std::string sentence_of(const CLI::App& app, const CLI::ExtrasError& error) {
  const std::vector<std::string> left = app.remaining(true);
  const auto option =
      std::ranges::find_if(left, [](const std::string& word) { return word.starts_with('-'); });
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  if (option == left.end() || chosen.empty()) return error.what();
  std::vector<std::string> names;
  for (const CLI::Option* known : chosen.front()->get_options()) {
    for (const std::string& name : known->get_lnames()) names.push_back("--" + name);
  }
  const std::string word = option->substr(0, option->find('='));
  return fmt::format("there is no option {} of {}{}", word, chosen.front()->get_name(),
                     did_you_mean(word, names));
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
  // CLI11 would only say that a subcommand is missing.
  const auto is_named = [&](CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_named).empty()) {
    return complain(static_cast<int>(ErrorCode::input),
                    fmt::format("there is no command \"{}\"{}; see autoprivacy --help", argv[1],
                                did_you_mean(argv[1], commands_of(app))),
                    json, extensions.rank());
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    return complain(static_cast<int>(ErrorCode::input),
                    fmt::format("{}; see autoprivacy {} --help", sentence_of(app, error), argv[1]), json,
                    extensions.rank());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    return complain(static_cast<int>(ErrorCode::input),
                    fmt::format("{}; see autoprivacy --help", error.what()), json, extensions.rank());
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
