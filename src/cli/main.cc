// The command line: parses the arguments, runs one command, and turns every failure into one sentence on
// standard error and the exit status that contracts with scripts rest on (0 good, 1 our fault, 2 usage or
// input, 3 peer or network, 4 refused for security).
#include <signal.h>

#include <algorithm>
#include <new>

#include "base/error.h"
#include "cli/common.h"

namespace {

/// One sentence for a person, and the same as an object for a program that asked for JSON.
int complain(int status, const std::string& message, bool json) {
  fmt::print(stderr, "autoprivacy: {}\n", message);
  if (json) {
    const ap::cli::Json object = {{"error", message}, {"exit_status", status}};
    fmt::print("{}\n", object.dump(2, ' ', false, ap::cli::Json::error_handler_t::replace));
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  using ap::ErrorCode;
  // A peer that goes away is an error of the call that notices, not the end of the process.
  ::signal(SIGPIPE, SIG_IGN);
  CLI::App app("AutoPrivacy: private neural network inference between a server and a client", "autoprivacy");
  app.set_version_flag("--version", std::string("autoprivacy 0.1.0"));
  app.require_subcommand(1);
  const bool json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
  ap::cli::Action action;
  ap::cli::add_inspect(app, action);
  ap::cli::add_compile(app, action);
  ap::cli::add_audit(app, action);
  ap::cli::add_profile(app, action);
  ap::cli::add_security(app, action);
  ap::cli::add_serve(app, action);
  ap::cli::add_infer(app, action);
  ap::cli::add_simulate(app, action);
  // CLI11 would only say that a subcommand is missing.
  const auto is_named = [&](CLI::App* command) { return command->get_name() == argv[1]; };
  if (argc > 1 && argv[1][0] != '-' && app.get_subcommands(is_named).empty()) {
    return complain(static_cast<int>(ErrorCode::input),
                    fmt::format("there is no command \"{}\"; see autoprivacy --help", argv[1]), json);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
    return complain(static_cast<int>(ErrorCode::input),
                    fmt::format("{}; see autoprivacy --help", error.what()), json);
  }
  try {
    action();
    return 0;
  } catch (const ap::Error& error) {
    return complain(error.exit_status(), error.what(), json);
  } catch (const std::bad_alloc&) {
    return complain(static_cast<int>(ErrorCode::internal),
                    "not enough memory; close other programs, use a smaller network or a machine with more",
                    json);
  } catch (const std::exception& error) {
    return complain(static_cast<int>(ErrorCode::internal), fmt::format("internal error: {}", error.what()),
                    json);
  }
}
