// How a server is to run, and where its log goes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "net/websocket/tls.h"
#include "package/package.h"
#include "protocol/hybrid/statistics.h"
#include "protocol/store/preprocessing_store.h"

namespace ap::app {

enum class LogLevel : std::uint8_t { info, warning, error };
/// Gets one line of the log, a sentence. Called from any thread, many at a time; must neither throw nor wait
/// long. A line may name what a client or a file says, so it is not safe to show on a terminal as it is
/// (base/printable.h).
using Log = std::function<void(LogLevel level, const std::string& sentence)>;

struct ServerConfig {
  Log log;                             ///< none: nothing is logged
  std::string listen = "127.0.0.1:0";  ///< host:port; port 0 takes a free one
  net::TlsIdentity identity;           ///< empty: a self-signed certificate
  std::filesystem::path
      identity_file;             ///< where the latter is kept (kept_identity); empty: it is a fresh one
  std::size_t max_sessions = 8;  ///< a further client waits in the queue, or is told that the server is busy
  /// Clients that may wait for a place at a time, of those that say they would (app/waiting_room.h); 0: all are told that
  /// the server is busy. And the longest that one waits.
  std::size_t queue = 32;
  std::chrono::milliseconds queue_wait{600'000};
  std::size_t max_prepared = 4;  ///< inferences that a session may prepare ahead
  /// Lowers max_sessions so that preprocessing fits; 0: what the machine has left.
  std::uint64_t max_memory_bytes = 0;
  std::filesystem::path web;  ///< folder of a page for browsers (app/web_pages.h); empty: none
  std::string metrics;        ///< host:port of health and metrics (app/status_endpoint.h); empty: none
  /// Directory of inferences prepared ahead for later sessions, or empty; of several networks a directory in it for
  /// each, ID of its package.
  std::filesystem::path store;
  protocol::StoreOptions store_options;
  std::filesystem::path clients;  ///< who may connect (app/clients.h); empty: anybody, all as one
  /// Where inferences are counted (app/ledger.h), of all networks together. Empty: in memory, or beside each package if
  /// `ledger_beside_packages`.
  std::filesystem::path ledger;
  bool ledger_beside_packages = false;
  std::uint64_t max_inferences = 0;  ///< lowers what the package allows to be prepared; 0: no other limit
  /// Longest wait for a client: for its next command, and inside a message besides what its bytes take on a
  /// slow line.
  std::chrono::milliseconds deadline{60'000};
  /// Longest that a session may have kept the server waiting, in all, since something was done that it is for
  /// (protocol::ServerOptions::on_progress), besides what its bytes take on a slow line.
  std::chrono::milliseconds idle{300'000};
  std::chrono::milliseconds lifetime = std::chrono::hours(24);  ///< of a session
  std::chrono::milliseconds drain{0};                           ///< for sessions at work, after stop()
  std::chrono::milliseconds handshake{8'000};  ///< for TLS, WebSocket and the greeting together
  /// Between two looks for new packages in folders that are served; two equal looks make a file complete.
  std::chrono::milliseconds look{1'000};
  /// What else a package must satisfy to be served: throws an Error if it does not. Or empty.
  std::function<void(const package::Package&)> check;
  protocol::ShareStatistics share_statistics = protocol::ShareStatistics::none;  ///< with every client

  void say(LogLevel level, const std::string& sentence) const {
    if (log) log(level, sentence);
  }
};

}  // namespace ap::app
