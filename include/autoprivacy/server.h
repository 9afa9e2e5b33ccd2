// The server: answers clients without seeing their images or the answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autoprivacy/error.h"

namespace autoprivacy {

/// How much a line of the log matters.
enum class LogLevel { info, warning, error };

/// Gets each line of the log: one sentence, without time and newline. It may quote what a client or a file
/// says, so escape it before it goes to a terminal. Called from any thread, on several at a time; must return
/// at once, and must not throw. No line depends on an image or an answer.
using LogCallback = std::function<void(LogLevel level, const std::string& sentence)>;

/// What a server tells every client of its own cost.
enum class ShareStatistics {
  none,     ///< nothing
  session,  ///< processor time of the session's own thread, in milliseconds
  process,  ///< processor time and memory of the whole process, in which other clients show: for one's own machines
};

/// Where a server listens, whom it serves, and its limits. The defaults suit a server behind which no client
/// is known.
struct ServerOptions {
  /// HOST:PORT, [ADDRESS]:PORT of IPv6, or :PORT for every interface; port 0 takes any free one.
  std::string listen = "127.0.0.1:0";
  /// HOST:PORT at which /healthz, /readyz and /metrics (Prometheus) are answered over HTTP, for the operator alone;
  /// empty: nowhere.
  std::string metrics;
  /// PEM certificate chain, leaf first, and its private key; both, or none for a certificate signed by itself,
  /// which clients trust by its fingerprint. That of a package that is a file is kept beside it, in
  /// PACKAGE.identity, that of a folder in FOLDER/server.identity, and serves again after a restart; that of a package in
  /// memory is a fresh one.
  std::filesystem::path tls_certificate, tls_key;
  /// Sessions at a time, at least 1; a further client waits in the queue, or is told that the server is busy. Fewer
  /// where the machine does not suffice (Server::notes).
  std::size_t max_sessions = 8;
  /// Clients that may wait for a session at a time (ConnectOptions::place_wait), and for how long; 0: none.
  std::size_t queue = 32;
  std::chrono::milliseconds queue_wait{600'000};
  /// Inferences that a session may prepare ahead, at least 1.
  std::size_t max_prepared = 4;
  /// Ceiling on memory in bytes, which lowers max_sessions; 0: what the machine has left.
  std::uint64_t max_memory_bytes = 0;
  /// File of the clients that may connect (docs/clients-format.md); empty: anybody may, and all count as one.
  std::filesystem::path clients;
  /// File in which inferences are counted (docs/clients-format.md): the promise that weights stay private for
  /// T inferences rests on it, over all restarts. Empty: PACKAGE.ledger beside a package that is a file; of several
  /// networks each has its own then, and else all count together. It
  /// is not used if the package promises nothing and there is no `max_inferences`.
  std::filesystem::path ledger;
  /// Counts in memory instead, so that a restart forgets: for tests, and for a server whose clients all own
  /// the weights.
  bool count_in_memory = false;
  /// Prepare no more inferences than this for the clients of a group together; 0: as many as the package
  /// allows, which this never raises.
  std::uint64_t max_inferences = 0;
  /// Directory of inferences that clients prepare for later sessions, made with mode 0700; empty: none. The networks of a
  /// folder have a directory each in it, with limits of its own.
  std::filesystem::path store;
  /// What the store may hold at most: inferences, bytes, and inferences of one client (0: a quarter of all).
  std::size_t store_inferences = 64;
  std::uint64_t store_bytes = std::uint64_t{64} << 30;
  std::size_t store_client_inferences = 0;
  /// Longest wait for a client: for its next command, and inside a message besides what its bytes take on a
  /// slow line.
  std::chrono::milliseconds deadline{60'000};
  /// Longest that a session may keep the server waiting, in all, without preparing or classifying anything.
  std::chrono::milliseconds idle{300'000};
  /// Longest life of a session.
  std::chrono::milliseconds lifetime = std::chrono::hours(24);
  /// How long sessions that are at work may go on after stop(); those that wait for their clients end at once.
  std::chrono::milliseconds drain{0};
  ShareStatistics share_statistics = ShareStatistics::none;
  LogCallback log;  ///< none: nothing is logged
};

/// A network that a server offers.
struct Network {
  std::string name;        ///< as its file is called, or its folder
  std::string package_id;  ///< 64 hexadecimal digits; a client must hold the package of the same compilation
  std::uint64_t session_bytes = 0;  ///< that a session may take at most
};

/// A server of one network or several. All methods are safe from any thread, except that start() and the destructor are
/// called once.
class Server {
 public:
  /// Opens a server's package, server.apm, prepares the weights and binds the address; clients that connect
  /// wait until start(). Of a folder it opens every *.apm and */*.apm that is a server's, and looks for others while it
  /// runs: a file that is renamed into the folder is served within seconds, one that is removed serves new clients no
  /// longer, and running sessions go on; a file that cannot be used is one line in the log.
  /// @throws Error(input) if the package or an option cannot be used, the address is taken, or the machine
  /// has no room for one session; Error(security) if a layer has less than 128 bits, or other users may read
  /// or write the files of clients and counts.
  explicit Server(const std::filesystem::path& package, ServerOptions options = {});
  /// The same of a package in memory. @throws Error(input) also unless a ledger is given or counting in
  /// memory is asked for.
  explicit Server(std::span<const std::uint8_t> package, ServerOptions options = {});
  /// Stops, if need be.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Begins to serve clients, on threads of its own, and returns at once.
  /// @throws Error(input) if it was started before; Error(internal) if there is no thread.
  void start();
  /// Takes no more clients, ends all sessions together, after ServerOptions::drain and each within two
  /// seconds, and returns when all are over. Without effect if the server does not run.
  /// @throws Error(internal) if serving has ended by itself before, with its reason.
  void stop();

  /// HOST:PORT where it listens, with the real port.
  std::string address() const;
  /// HOST:PORT of health and metrics; empty if there are none.
  std::string metrics_address() const;
  /// wss://HOST:PORT, for Client::connect; if it listens on every interface, put the machine's name in the
  /// place of HOST.
  std::string url() const;
  /// SHA-256 of its certificate as 64 hexadecimal digits, for ConnectOptions::trust.
  std::string fingerprint() const;
  /// Its certificate, PEM.
  std::string certificate_pem() const;
  /// That of the network, or of the first.
  std::string package_id() const;
  /// What clients may ask for now, by the names of the files.
  std::vector<Network> networks() const;
  /// Looks at the files again soon, that of a single package too, and serves what has changed.
  void reload();
  /// Sessions that it takes at a time, after what the machine bears.
  std::size_t max_sessions() const;
  /// Sentences on what is lower than asked for, and why.
  std::vector<std::string> notes() const;
  /// Sessions that run now.
  std::size_t sessions() const;
  /// Inferences answered since the start.
  std::uint64_t inferences() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoprivacy
