// What a server holds while it runs. server.cc brings it up, looks after it and ends it; server_sessions.cc answers clients.
#pragma once

#include <fmt/format.h>

#include <any>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "app/capacity.h"
#include "app/log_budget.h"
#include "app/preparation_gate.h"
#include "app/server.h"
#include "app/sessions.h"
#include "app/status_page.h"
#include "app/waiting_room.h"
#include "app/web_pages.h"
#include "net/websocket/websocket.h"
#include "protocol/hybrid/messages.h"

namespace ap::app {

struct Server::State {
  using Clock = std::chrono::steady_clock;
  ServerConfig config;
  HostPort where;
  Capacity capacity;
  /// For all sessions together, in bytes, beside so many of weights; 0: no limit.
  std::uint64_t session_memory = 0, counted_models = 0;
  std::unique_ptr<WebPages> page_files;  ///< none: the port is for clients of the protocol alone
  std::mutex pages_mutex;
  std::shared_ptr<const WebPages> pages_now;  ///< those files, and packages of clients
  std::unique_ptr<net::Listener> listener;
  std::unique_ptr<ServedNetworks> networks;
  std::unique_ptr<ClientsFile> clients;  ///< none: anybody may connect
  LogBudget log_budget;
  PreparationGate gate;
  std::string fingerprint;
  std::atomic<std::uint64_t> clients_version{1};  ///< of what ledgers know of groups
  std::atomic<bool> stopping{false}, networks_changed{false};
  std::atomic<std::size_t> running{0}, waiting{0};
  std::atomic<std::uint64_t> inferences{0}, prepared{0}, started{0}, failed{0};
  std::atomic<std::uint64_t> refused_busy{0}, refused_package{0}, refused_version{0}, refused_inferences{0};
  const Clock::time_point since = Clock::now();
  // Touched by the thread of run() only.
  Sessions sessions;
  WaitingRoom queue;
  Clock::time_point last_busy = Clock::now();
  bool memory_given_back = true;
  // Of the thread that looks at files.
  std::mutex watch_mutex;
  std::condition_variable watch_wakes;
  bool reload_wanted = false;
  std::unique_ptr<StatusEndpoint> endpoint;  ///< last: it reads the others

  explicit State(ServerConfig wanted) : config(std::move(wanted)), queue(config.queue, config.queue_wait) {}

  void say(LogLevel level, const std::string& sentence) const { config.say(level, sentence); }
  /// About an address, as far as its budget goes.
  template <typename... Arguments>
  void log(LogLevel level, const std::string& address, fmt::format_string<Arguments...> format,
           Arguments&&... arguments) {
    if (log_budget.allows(address)) say(level, fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  void listen();
  void publish_packages();
  std::shared_ptr<const WebPages> now_pages();
  bool ready() const {
    return !stopping && running < capacity.sessions && waiting == 0 && !networks->now()->empty();
  }
  ServerFigures figures() const;
  ClientsFile::Clients known_clients();
  std::any admit(const net::ShownCredentials& shown);
  protocol::Permission may_prepare(const Session& session);
  void receive(std::unique_ptr<net::ServedChannel> channel);
  void refuse(net::ServedChannel& channel, protocol::Welcome status, const std::string& why);
  void refuse_busy(net::ServedChannel& channel, const std::string& why);
  bool begin(const std::shared_ptr<ServedNetwork>& network, std::unique_ptr<net::ServedChannel>& channel,
             const Client& client);
  void admit_waiting();
  void serve(Session& session);
  std::string account(const Session& session, std::uint64_t answered, std::uint64_t prepared_here) const;
  void look_after();
  void watch();
  void limit_sessions();
  void drain();
  void end_all();
};

/// Within which a client that is sent away is told why.
inline constexpr std::chrono::milliseconds kGoodbye{1'000};

}  // namespace ap::app
