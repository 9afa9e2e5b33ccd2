// autoprivacy serve server.apm|DIR...: the server, until SIGINT or SIGTERM; on SIGHUP it reads its packages again.
#include <signal.h>
#include <unistd.h>

#include <spdlog/pattern_formatter.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <exception>
#include <future>
#include <thread>
#include <utility>

#include "app/local_server.h"
#include "app/server.h"
#include "app/web_pages.h"
#include "base/error.h"
#include "base/files.h"
#include "base/log_sink.h"
#include "base/printable.h"
#include "cli/common.h"

namespace ap::cli {
namespace {

struct Options {
  std::vector<std::string> packages;
  std::string certificate, key, write_certificate, web, shared = "none", log_format = "text";
  app::ServerConfig config;
  double deadline_s = 60, idle_s = 300, lifetime_h = 24, max_memory_mb = 0, drain_s = 30, store_mb = 65'536,
         store_days = 0, queue_wait_s = 600;
  int ready_fd = -1;
  bool quiet = false, json = false;

  /// Whether there may be more than one network.
  bool several() const { return packages.size() > 1 || std::filesystem::is_directory(packages.front()); }
};

/// The same as an object of JSON, with the session that it is about.
class JsonMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& to) override {
    const std::string text(message.payload.data(), message.payload.size());
    Json object = {{"message", text}};
    constexpr std::string_view kSession = "session ";
    if (text.starts_with(kSession)) object["session"] = std::atoi(text.c_str() + kSession.size());
    const std::string line = printable_json(object.dump(-1, ' ', false, Json::error_handler_t::replace));
    to.append(line.data() + 1, line.data() + line.size());  // the pattern has opened the object
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

/// The message of a line of the log, which may name what a client or a file says.
class PrintableMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& to) override {
    const std::string text = printable({message.payload.data(), message.payload.size()});
    to.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PrintableMessage>();
  }
};

Json standings_json(const app::Offered& network) {
  Json groups = Json::array();
  for (const auto& [group, standing] : network.standings) {
    groups.push_back({{"group", group.empty() ? Json(nullptr) : Json(group)},
                      {"prepared", standing.prepared},
                      {"limit", standing.limit},
                      {"remaining", standing.remaining()}});
  }
  return groups;
}

/// What an operator should know about how a network's inferences are counted.
void say_count(const Options& options, const app::Offered& network) {
  const std::string about = options.several() ? network.name + ": " : "";
  if (!network.counts) {
    spdlog::info("{}the package promises nothing about its weights, so inferences are not counted", about);
    return;
  }
  if (network.counts_from_zero) {
    spdlog::warn(
        "{}{} is new, so counting begins at 0; if these weights were served before, give that ledger", about,
        network.ledger.string());
  }
  for (const auto& [group, standing] : network.standings) {
    spdlog::info("{}{} of {} inferences are prepared{}, {} remain", about, standing.prepared, standing.limit,
                 group.empty() ? "" : " for group " + group, standing.remaining());
  }
}

/// What an operator should know about who comes in and what is counted.
void say_rules(const Options& options, const app::Server& server) {
  for (const std::string& note : server.notes()) spdlog::warn("{}", note);
  if (server.clients()) {
    spdlog::info("only clients in {} may connect, {} now", options.config.clients.string(),
                 *server.clients());
  } else {
    spdlog::info("anybody may connect, and all count as one client; --clients FILE admits known ones only");
  }
  for (const app::Offered& network : server.networks()) say_count(options, network);
}

Json announcement_json(const app::Server& server) {
  const std::vector<app::Offered> offered = server.networks();
  const app::Offered& first = offered.front();
  Json networks = Json::array();
  for (const app::Offered& network : offered) {
    networks.push_back({{"name", network.name},
                        {"package_id", package::to_hex(network.id)},
                        {"session_bytes", network.session_bytes},
                        {"ledger", network.counts ? Json(network.ledger.string()) : Json(nullptr)},
                        {"inferences", standings_json(network)}});
  }
  return {{"address", server.address()},
          {"package_id", package::to_hex(first.id)},
          {"certificate_sha256", server.fingerprint()},
          {"max_sessions", server.max_sessions()},
          {"web", server.web_address().empty() ? Json(nullptr) : Json(server.web_address())},
          {"metrics", server.metrics_address().empty() ? Json(nullptr) : Json(server.metrics_address())},
          {"clients", server.clients() ? Json(*server.clients()) : Json(nullptr)},
          {"ledger", first.counts ? Json(first.ledger.string()) : Json(nullptr)},
          {"inferences", standings_json(first)},
          {"networks", std::move(networks)}};
}

std::string announcement_text(const Options& options, const app::Server& server) {
  const std::vector<app::Offered> offered = server.networks();
  std::string text = fmt::format(
      "serving {} on wss://{} (certificate SHA-256 {}, at most {} sessions)\n",
      options.several() ? fmt::format("{} networks", offered.size()) : package::to_hex(offered.front().id),
      server.address(), server.fingerprint(), server.max_sessions());
  if (options.several()) {
    for (const app::Offered& network : offered) {
      text += fmt::format("  {}: package {}, up to {} MB a session\n", printable(network.name),
                          package::to_hex(network.id), network.session_bytes / 1'000'000);
    }
  }
  if (options.certificate.empty()) {
    text += fmt::format("clients: autoprivacy infer client.apm --server wss://{} --trust {} --data DATA\n",
                        server.address(), server.fingerprint());
  }
  if (!server.web_address().empty()) text += fmt::format("browsers: {}\n", server.web_address());
  if (!server.metrics_address().empty())
    text +=
        fmt::format("health and metrics: http://{}/healthz, /readyz, /metrics\n", server.metrics_address());
  return text;
}

void write_certificate(const Options& options, const app::Server& server) {
  if (options.write_certificate.empty()) return;
  const std::string& pem = server.certificate_pem();
  write_file(options.write_certificate, {reinterpret_cast<const std::uint8_t*>(pem.data()), pem.size()},
             Readers::everyone);
}

/// To standard output, by a thread that nobody waits for: it may be a pipe which nobody empties. Not through the standard
/// library's buffer, which the end of the program would wait for.
std::future<void> write_aside(std::string text) {
  std::packaged_task<void()> task([text = std::move(text)] {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t count = ::write(STDOUT_FILENO, text.data() + at, text.size() - at);
      if (count < 0 && errno != EINTR) return;  // closed: whoever serves needs nobody to read
      if (count > 0) at += static_cast<std::size_t>(count);
    }
  });
  std::future<void> written = task.get_future();
  std::thread(std::move(task)).detach();
  return written;
}

/// Says where the server is: to the parent that waits for it, or to whoever reads standard output.
std::future<void> announce(Options& options, const app::Server& server) {
  std::string text;
  if (options.ready_fd >= 0) {
    app::report_ready(std::exchange(options.ready_fd, -1), {server.address(), server.fingerprint()});
  } else if (options.json) {
    text = printed(announcement_json(server));
  } else if (!options.quiet) {
    text = printable(announcement_text(options, server), Newlines::kept);
  }
  return write_aside(std::move(text));
}

/// Whether SIGHUP says what it says by its name: the terminal that the server was started on is gone.
bool lost_terminal(bool was_there) { return was_there && ::isatty(STDERR_FILENO) != 1; }

void serve_until_signal(Options& options) {
  spdlog::set_default_logger(
      std::make_shared<spdlog::logger>("autoprivacy", std::make_shared<LogSink>(STDERR_FILENO)));
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  if (options.log_format == "json") {
    formatter->add_flag<JsonMessage>('*').set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%*)");
  } else {
    formatter->add_flag<PrintableMessage>('*').set_pattern("autoprivacy: %Y-%m-%d %H:%M:%S %l: %*");
  }
  spdlog::set_formatter(std::move(formatter));
  if (options.quiet) spdlog::set_level(spdlog::level::off);
  options.config.log = [](app::LogLevel level, const std::string& sentence) {
    spdlog::log(level == app::LogLevel::info      ? spdlog::level::info
                : level == app::LogLevel::warning ? spdlog::level::warn
                                                  : spdlog::level::err,
                sentence);
  };
  options.config.queue_wait =
      std::chrono::milliseconds(static_cast<std::int64_t>(options.queue_wait_s * 1e3));
  options.config.deadline = std::chrono::milliseconds(static_cast<std::int64_t>(options.deadline_s * 1e3));
  options.config.idle = std::chrono::milliseconds(static_cast<std::int64_t>(options.idle_s * 1e3));
  options.config.lifetime = std::chrono::milliseconds(static_cast<std::int64_t>(options.lifetime_h * 3.6e6));
  options.config.max_memory_bytes = static_cast<std::uint64_t>(options.max_memory_mb * 1e6);
  options.config.store_options.max_bytes = static_cast<std::uint64_t>(options.store_mb * 1e6);
  if (options.store_days > 0) {
    options.config.store_options.max_days = options.store_days;
    options.config.store_options.max_anonymous_days = options.store_days;
  }
  options.config.identity = app::identity_from(options.certificate, options.key);
  if (!options.web.empty())
    options.config.web =
        options.web == "default" ? app::default_web_folder() : std::filesystem::path(options.web);
  options.config.drain = std::chrono::milliseconds(static_cast<std::int64_t>(options.drain_s * 1e3));
  if (options.ready_fd < 0) {
    options.config.identity_file = app::identity_beside(options.packages.front());
    options.config.ledger_beside_packages =
        true;  // the only client of a child of `infer --local` holds the weights
  }
  using Share = protocol::ShareStatistics;
  options.config.share_statistics = options.shared == "process"   ? Share::process
                                    : options.shared == "session" ? Share::session
                                                                  : Share::none;
  const bool on_terminal = ::isatty(STDERR_FILENO) == 1;
  // Before any thread exists, so that all inherit it.
  block_end_signals();
  const std::vector<std::filesystem::path> sources(options.packages.begin(), options.packages.end());
  for (const app::PackageFile& file : app::package_files(sources)) {
    if (!others_may_read(file.path) || file.path.filename() == "client.apm") continue;
    spdlog::warn("{} holds the weights and may be read by other users; `chmod 600` makes it yours alone",
                 file.path.string());
  }
  app::Server server(sources, options.config);
  say_rules(options, server);
  write_certificate(options, server);
  const std::future<void> said = announce(options, server);
  std::exception_ptr failure;
  std::thread accepting([&] {
    try {
      server.run();
    } catch (...) {
      failure = std::current_exception();
      ::kill(::getpid(), SIGTERM);
    }
  });
  std::string name;
  while ((name = wait_for_signal()) == "SIGHUP" && !lost_terminal(on_terminal)) server.reload();
  server.stop();
  accepting.join();
  if (failure) std::rethrow_exception(failure);
  said.wait_for(std::chrono::milliseconds(100));  // what was said a moment ago goes out
  spdlog::info("ended by {} after {} inferences", name, server.inferences());
}

void serve(Options options) {
  try {
    serve_until_signal(options);
  } catch (const std::exception& error) {
    if (options.ready_fd < 0) throw;
    // A parent waits for our report. It prints the sentence and chooses the exit status, so this process is
    // silent.
    const auto* known = dynamic_cast<const Error*>(&error);
    const int status = known ? known->exit_status() : static_cast<int>(ErrorCode::internal);
    app::report_failure(options.ready_fd, status, error.what());
    std::_Exit(status);
  }
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("serve", "Serve a network to clients until interrupted");
  command
      ->add_option(
          "packages", options->packages,
          "The server's package; or several, or folders, of which every *.apm and */*.apm is served and which "
          "are looked at again while the server runs")
      ->required()
      ->type_name("server.apm|DIR");
  command->add_option("--listen", options->config.listen, "Address; port 0 takes any free port")
      ->capture_default_str()
      ->type_name("HOST:PORT");
  command
      ->add_option(
          "--tls-cert", options->certificate,
          "PEM certificate chain; without it a self-signed one is made, and kept in server.apm.identity beside "
          "the package (DIR/server.identity)")
      ->type_name("FILE");
  command->add_option("--tls-key", options->key, "PEM private key of the certificate")->type_name("FILE");
  command
      ->add_option("--write-cert", options->write_certificate,
                   "Write the server's certificate here, for `infer --trust`")
      ->type_name("FILE");
  command->add_option("--max-sessions", options->config.max_sessions, "Sessions at a time")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command
      ->add_option("--queue", options->config.queue,
                   "Clients that may wait for a session when all are taken; 0: they are told to come again")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--queue-wait", options->queue_wait_s, "Seconds that a client may wait at most")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str()
      ->type_name("S");
  command
      ->add_option("--max-prepared", options->config.max_prepared,
                   "Inferences that a session may prepare ahead")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  command
      ->add_option("--max-memory", options->max_memory_mb,
                   "Ceiling on memory in MB; lowers --max-sessions; without it, what the machine has left")
      ->check(CLI::Range(1.0, 1e9))
      ->type_name("MB");
  auto* store = command
                    ->add_option("--store", options->config.store,
                                 "Keep inferences that clients prepare for later sessions in this directory")
                    ->type_name("DIR");
  command
      ->add_option("--store-limit", options->config.store_options.max_inferences,
                   "Inferences that the directory may hold")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str()
      ->needs(store);
  command
      ->add_option("--store-client-limit", options->config.store_options.max_owner_inferences,
                   "How many of them one client, or one network address without a name, may have, and of "
                   "--store-size the same part; without it a quarter of --store-limit")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(store);
  command->add_option("--store-size", options->store_mb, "MB that the directory may hold")
      ->check(CLI::Range(1.0, 1e9))
      ->capture_default_str()
      ->needs(store)
      ->type_name("MB");
  command
      ->add_option("--store-days", options->store_days,
                   "Age in days at which a stored inference is removed; without it 30, and 7 of a client "
                   "without a name")
      ->check(CLI::Range(0.01, 36'500.0))
      ->needs(store);
  command
      ->add_option("--clients", options->config.clients,
                   "Admit the clients in this file only (see `autoprivacy clients`); without it, anybody")
      ->type_name("FILE");
  command
      ->add_option(
          "--ledger", options->config.ledger,
          "Count prepared inferences in this file; without it, in server.apm.ledger beside each package")
      ->type_name("FILE");
  command
      ->add_option(
          "--max-inferences", options->config.max_inferences,
          "Prepare no more than this for all clients of a group; never raises what the package allows")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 62))
      ->type_name("N");
  command->add_option("--deadline", options->deadline_s, "Longest wait for a client, in seconds")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  command
      ->add_option(
          "--idle", options->idle_s,
          "Seconds that a session may keep the server waiting without preparing or classifying anything")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str()
      ->type_name("S");
  command->add_option("--lifetime", options->lifetime_h, "Hours that a session may last")
      ->check(CLI::Range(0.001, 8'760.0))
      ->capture_default_str()
      ->type_name("H");
  command
      ->add_option("--drain", options->drain_s,
                   "Seconds that sessions at work get to finish after SIGTERM or SIGINT")
      ->check(CLI::Range(0.0, 86'400.0))
      ->capture_default_str()
      ->type_name("S");
  command
      ->add_option(
          "--share-statistics", options->shared,
          "Processor time that every client is told: none, that of its session's own thread, or that "
          "of the whole process with its memory, in which other clients show")
      ->check(CLI::IsMember({"none", "session", "process"}))
      ->capture_default_str();
  command->add_option("--ready-fd", options->ready_fd, "")->group("");
  command
      ->add_option(
          "--metrics", options->config.metrics,
          "Answer /healthz, /readyz and /metrics (Prometheus) over HTTP at this address; not one that clients reach")
      ->type_name("HOST:PORT");
  command
      ->add_option(
          "--web", options->web,
          "Answer browsers at the same address with the page of this folder, or the project's own (default); it "
          "gets the client's package")
      ->type_name("DIR|default");
  command->add_option("--log-format", options->log_format, "Lines of the log: text, or JSON objects")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->add_flag("--quiet", options->quiet, "Log nothing");
  command->add_flag("--json", options->json, "Print address and certificate as JSON");
  command->callback([options, &action] { action = [options] { serve(*options); }; });
}

}  // namespace ap::cli
