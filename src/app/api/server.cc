#include "app/server.h"

#include <autoprivacy/server.h>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "app/api/translate.h"
#include "app/audit.h"
#include "base/error.h"

namespace autoprivacy {

using ap::app::translated;

namespace {

ap::app::ServerConfig config_of(ServerOptions options, const std::filesystem::path& package) {
  ap::app::ServerConfig config;
  config.listen = options.listen;
  config.metrics = options.metrics;
  config.identity = ap::app::identity_from(options.tls_certificate, options.tls_key);
  if (!package.empty()) config.identity_file = ap::app::identity_beside(package);
  config.drain = options.drain;
  config.max_sessions = options.max_sessions;
  config.max_prepared = options.max_prepared;
  config.queue = options.queue;
  config.queue_wait = options.queue_wait;
  if (config.max_sessions == 0 || config.max_prepared == 0) {
    ap::fail_input(
        "a server of {} sessions that prepare {} inferences serves nobody; give at least 1 of each",
        config.max_sessions, config.max_prepared);
  }
  config.max_memory_bytes = options.max_memory_bytes;
  config.clients = options.clients;
  config.max_inferences = options.max_inferences;
  if (!options.count_in_memory) {
    if (options.ledger.empty() && package.empty()) {
      ap::fail_input(
          "a package in memory has no ledger beside it; name the file in which its inferences are counted, or "
          "ask for counting in memory");
    }
    config.ledger = options.ledger;
    config.ledger_beside_packages = true;
  }
  config.store = options.store;
  config.store_options.max_inferences = options.store_inferences;
  config.store_options.max_bytes = options.store_bytes;
  config.store_options.max_owner_inferences = options.store_client_inferences;
  config.deadline = options.deadline;
  config.idle = options.idle;
  config.lifetime = options.lifetime;
  switch (options.share_statistics) {
    case ShareStatistics::none:
      break;
    case ShareStatistics::session:
      config.share_statistics = ap::protocol::ShareStatistics::session;
      break;
    case ShareStatistics::process:
      config.share_statistics = ap::protocol::ShareStatistics::process;
      break;
  }
  if (options.log) {
    config.log = [log = std::move(options.log)](ap::app::LogLevel level, const std::string& sentence) {
      switch (level) {
        case ap::app::LogLevel::info:
          return log(LogLevel::info, sentence);
        case ap::app::LogLevel::warning:
          return log(LogLevel::warning, sentence);
        case ap::app::LogLevel::error:
          return log(LogLevel::error, sentence);
      }
    };
  }
  return config;
}

}  // namespace

struct Server::State {
  std::unique_ptr<ap::app::Server> server;
  ap::app::Log log;
  std::mutex mutex;  ///< of what follows
  std::thread thread;
  std::exception_ptr failure;
  bool started = false;

  template <typename Source>
  State(const Source& source, ap::app::ServerConfig config) : log(config.log) {
    config.check = [](const ap::package::Package& package) {
      ap::app::require_security(ap::app::audit(package));
    };
    server = std::make_unique<ap::app::Server>(source, std::move(config));
  }

  void run() {
    try {
      server->run();
    } catch (const std::exception& error) {
      if (log) log(ap::app::LogLevel::error, error.what());
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  }
};

Server::Server(const std::filesystem::path& package, ServerOptions options)
    : state_(translated([&] {
        const auto config = config_of(std::move(options), package);
        return std::make_unique<State>(std::vector{package}, config);
      })) {}

Server::Server(std::span<const std::uint8_t> package, ServerOptions options)
    : state_(translated([&] {
        const auto config = config_of(std::move(options), {});
        return std::make_unique<State>(ap::package::parse(package, "the package"), config);
      })) {}

Server::~Server() {
  try {
    stop();
  } catch (const Error&) {
    // The log has it.
  }
}

void Server::start() {
  translated([&] {
    State& s = *state_;
    const std::lock_guard lock(s.mutex);
    if (s.started) ap::fail_input("this server was started before; make another one");
    s.thread = std::thread([&s] { s.run(); });
    s.started = true;
  });
}

void Server::stop() {
  translated([&] {
    State& s = *state_;
    std::thread thread;
    {
      const std::lock_guard lock(s.mutex);
      s.server->stop();
      thread = std::move(s.thread);
    }
    if (thread.joinable()) thread.join();
    const std::lock_guard lock(s.mutex);
    if (s.failure) std::rethrow_exception(std::exchange(s.failure, nullptr));
  });
}

std::string Server::address() const {
  return translated([&] { return state_->server->address(); });
}
std::string Server::metrics_address() const { return state_->server->metrics_address(); }
std::string Server::url() const { return "wss://" + address(); }
std::string Server::fingerprint() const { return state_->server->fingerprint(); }
std::string Server::certificate_pem() const { return state_->server->certificate_pem(); }
std::string Server::package_id() const { return ap::package::to_hex(state_->server->id()); }
std::vector<Network> Server::networks() const {
  return translated([&] {
    std::vector<Network> networks;
    for (const ap::app::Offered& network : state_->server->networks())
      networks.push_back({network.name, ap::package::to_hex(network.id), network.session_bytes});
    return networks;
  });
}
void Server::reload() { state_->server->reload(); }
std::size_t Server::max_sessions() const { return state_->server->max_sessions(); }
std::vector<std::string> Server::notes() const { return state_->server->notes(); }
std::size_t Server::sessions() const { return state_->server->sessions(); }
std::uint64_t Server::inferences() const { return state_->server->inferences(); }

}  // namespace autoprivacy
