// The serving process: one model, many sessions, each on a thread of its own. A session that fails is one
// line in the log and nothing to the others. What is logged never depends on a decrypted value.
//
// A client gets a session once it has greeted; until then it stands in the listener's pool
// (net/websocket/reception.h). A session ends when its client keeps the server waiting; if all are taken, one
// whose client has done nothing for a while gives its place to a client that has just come.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/ledger.h"
#include "app/listen_address.h"
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
  std::size_t max_sessions = 8;  ///< a further client is told that the server is busy
  std::size_t max_prepared = 4;  ///< inferences that a session may prepare ahead
  /// Lowers max_sessions so that preprocessing fits; 0: what the machine has left.
  std::uint64_t max_memory_bytes = 0;
  std::filesystem::path web;    ///< folder of a page for browsers (app/web_pages.h); empty: none
  std::string metrics;          ///< host:port of health and metrics (app/status_endpoint.h); empty: none
  std::filesystem::path store;  ///< directory of inferences prepared ahead for later sessions; or empty
  protocol::StoreOptions store_options;
  std::filesystem::path clients;     ///< who may connect (app/clients.h); empty: anybody, all as one
  std::filesystem::path ledger;      ///< where inferences are counted (app/ledger.h); empty: in memory
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
  protocol::ShareStatistics share_statistics = protocol::ShareStatistics::none;  ///< with every client
};

/// Certificate and key from PEM files; of two empty names nothing, which makes a fresh self-signed
/// certificate.
/// @throws Error(input) if one is missing or they cannot be used.
net::TlsIdentity identity_from(const std::filesystem::path& certificate, const std::filesystem::path& key);

/// The self-signed certificate and key in a file that its owner alone may read; made for `host`, and written there, if
/// there is no such file: clients that pinned it know the server after a restart.
/// @throws Error(security) if others may read or write it; Error(input) if it holds something else or cannot be written.
net::TlsIdentity kept_identity(const std::filesystem::path& file, const std::string& host);

/// Where a server of this package keeps its identity: beside it, as its ledger. @throws as ledger_beside
std::filesystem::path identity_beside(const std::filesystem::path& package);

/// The ledger of a package: beside it, wherever a link to it leads, so that compiling the network again into
/// the same directory does not begin a new count. @throws Error(input) if there is no such package.
std::filesystem::path ledger_beside(const std::filesystem::path& package);

class Server {
 public:
  /// Prepares the weights, binds and listens.
  /// @throws Error(input) if the package is not a server's, the address is taken, the system's limits leave
  /// no room for a session, or the files of clients and counts cannot be used; Error(security) if others may
  /// read or write those.
  Server(const package::Package& package, ServerConfig config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Accepts clients until stop(), then ends all sessions, those at work when they are through or ServerConfig::drain is
  /// over, each within a second or two, and returns.
  void run();
  /// Safe from any thread.
  void stop();

  std::string address() const;          ///< host:port with the real port
  std::string metrics_address() const;  ///< of health and metrics; empty if there is none
  const package::PackageId& id() const;
  std::string fingerprint() const;
  const std::string& certificate_pem() const;
  std::size_t max_sessions() const;
  /// What is lower than asked for, and why: sentences.
  const std::vector<std::string>& notes() const;
  /// Clients that may connect; nothing if anybody may.
  std::optional<std::size_t> clients() const;
  /// Whether inferences are counted: the package promises something about its weights, or the operator limits
  /// them.
  bool counts() const;
  /// Where each group stands; the group of an empty name is all clients together, of a server that knows none
  /// by name. Nothing if inferences are not counted.
  std::map<std::string, Standing> standings() const;
  /// Whether counting began with this server.
  bool counts_from_zero() const;
  /// Sessions that are running now.
  std::size_t sessions() const;
  /// Inferences answered since the start.
  std::uint64_t inferences() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ap::app
