// The serving process: one network or several, many sessions, each on a thread of its own. A session that fails is one
// line in the log and nothing to the others. What is logged never depends on a decrypted value.
//
// A client gets a session once it has greeted; until then it stands in the listener's pool
// (net/websocket/reception.h). A session ends when its client keeps the server waiting; if all are taken, one
// whose client has done nothing for a while gives its place to a client that has just come.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/ledger.h"
#include "app/listen_address.h"
#include "app/served_networks.h"
#include "app/server_config.h"
#include "package/package.h"

namespace ap::app {

/// Certificate and key from PEM files; of two empty names nothing, which makes a fresh self-signed
/// certificate.
/// @throws Error(input) if one is missing or they cannot be used.
net::TlsIdentity identity_from(const std::filesystem::path& certificate, const std::filesystem::path& key);

/// The self-signed certificate and key in a file that its owner alone may read; made for `host`, and written there, if
/// there is no such file: clients that pinned it know the server after a restart.
/// @throws Error(security) if others may read or write it; Error(input) if it holds something else or cannot be written.
net::TlsIdentity kept_identity(const std::filesystem::path& file, const std::string& host);

/// One of the networks that a server offers.
struct Offered {
  std::string name;
  package::PackageId id{};
  std::uint64_t session_bytes = 0;  ///< that a session may take at most
  /// Whether inferences are counted: the package promises something about its weights, or the operator limits them; and
  /// whether counting began with this server.
  bool counts = false, counts_from_zero = false;
  std::filesystem::path ledger;  ///< the file in which they are; empty: in memory
  /// Where each group stands; the group of an empty name is all clients together, of a server that knows none
  /// by name. Nothing if inferences are not counted.
  std::map<std::string, Standing> standings;
};

class Server {
 public:
  /// Prepares the weights, binds and listens.
  /// @throws Error(input) if the package is not a server's, the address is taken, the system's limits leave
  /// no room for a session, or the files of clients and counts cannot be used; Error(security) if others may
  /// read or write those.
  Server(const package::Package& package, ServerConfig config);
  /// The same of the server's packages among these files and in these folders, which are looked at again while it runs
  /// (app/served_networks.h). @throws also if there is none.
  Server(const std::vector<std::filesystem::path>& sources, ServerConfig config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Accepts clients until stop(), then ends all sessions, those at work when they are through or ServerConfig::drain is
  /// over, each within a second or two, and returns.
  void run();
  /// Safe from any thread.
  void stop();
  /// Looks at all files and folders soon, on a thread of its own. Safe from any thread.
  void reload();

  std::string address() const;          ///< host:port with the real port
  std::string web_address() const;      ///< of the page for browsers; empty if there is none
  std::string metrics_address() const;  ///< of health and metrics; empty if there is none
  /// What new clients may ask for now, by the names of the files.
  std::vector<Offered> networks() const;
  package::PackageId id() const;  ///< of the first of them
  std::string fingerprint() const;
  const std::string& certificate_pem() const;
  std::size_t max_sessions() const;
  /// What is lower than asked for, and why: sentences.
  const std::vector<std::string>& notes() const;
  /// Clients that may connect; nothing if anybody may.
  std::optional<std::size_t> clients() const;
  /// Of the first network (Offered).
  bool counts() const;
  std::map<std::string, Standing> standings() const;
  bool counts_from_zero() const;
  /// Sessions that are running now.
  std::size_t sessions() const;
  /// Inferences answered since the start.
  std::uint64_t inferences() const;

 private:
  void open();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ap::app
