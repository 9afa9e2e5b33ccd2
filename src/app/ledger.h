// How many inferences were prepared, for whom, with which package: one SQLite file, so that the number which
// the privacy of the weights rests on (plan::WeightPrivacy) survives crashes and is shared by processes. The
// rules are in docs/clients-format.md.
//
// At most once, durably: count() returns only after the inference is on disk. To keep the disk out of most of
// them, a process writes down a few ahead, and a process that is killed leaves them counted: the file may say
// too many, never too few. One journal and one database file, both synced at every commit (journal_mode
// PERSIST, synchronous FULL): unlike a write-ahead log this leaves the count in the one file that an operator
// copies or moves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/clients.h"
#include "package/package.h"
#include "protocol/hybrid/server.h"

namespace ap::app {

class LedgerFile;

/// What is served, and how often.
struct Allowance {
  package::PackageId package{};
  std::uint64_t promised = 0;  ///< plan::WeightPrivacy::inferences; 0: the package promises nothing
  std::uint64_t most = 0;      ///< the operator's own limit on all inferences of a group; 0: none

  bool counts() const { return promised > 0 || most > 0; }
};

/// Where a group stands, in inferences of the package that is served.
struct Standing {
  std::uint64_t prepared = 0;  ///< by all members, those of other packages converted and rounded up
  std::uint64_t limit = 0;
  std::uint64_t remaining() const { return limit > prepared ? limit - prepared : 0; }
};

class Ledger {
 public:
  /// Opens the file, or makes it (mode 0600). An empty name: in memory only, for tests and for a server whose
  /// only client holds the weights itself. `allowance` must count.
  /// @throws Error(input) if it cannot be made, read or written, is damaged, or is no ledger; Error(security)
  /// if others may read or write it.
  Ledger(const std::filesystem::path& file, const Allowance& allowance);
  /// Gives back what was written down ahead and not used.
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Whether the file was made just now, so that the count begins at 0.
  bool is_new() const { return is_new_; }

  /// Notes who belongs to which group. A client that was ever in a group counts for it for ever: what it saw,
  /// it may have told. @throws Error(input) if the file cannot be written.
  void remember(const std::vector<Client>& clients);

  /// One more inference for this client, if it is allowed. Safe from any thread; waits at most two seconds
  /// for other processes. @throws Error(input) if the file cannot be written; nothing is then granted.
  protocol::Permission count(const Client& client);

  /// The standing of a group; an empty name stands for all clients together.
  Standing standing(const std::string& group);
  /// Called once for each group of which nine tenths are used, after the count that did it, under the
  /// ledger's lock.
  std::function<void(const std::string& group, const Standing&)> on_nearly_used;

  /// One line of the table that an operator is shown.
  struct Row {
    std::string client;  ///< empty: clients of a server without a file of clients
    std::vector<std::string> groups;
    std::string package;         ///< hexadecimal
    std::uint64_t promised = 0;  ///< T of that package
    std::uint64_t prepared = 0;
  };
  /// Every count in a file. @throws as the constructor, and Error(input) if there is none.
  static std::vector<Row> read(const std::filesystem::path& file);
  /// The share of a group's promise that its members have used of all packages together, in 0..1 (more: used
  /// up).
  static double used_share(const std::vector<Row>& rows, const std::string& group);

 private:
  Standing sum(const std::string& group);
  void join(const Client& client);
  void add(const std::string& client, std::uint64_t count);
  void say_if_nearly_used(const std::string& group, const Standing& now);

  Allowance allowance_;
  std::unique_ptr<LedgerFile> file_;
  bool is_new_ = false;
  std::mutex mutex_;
  std::map<std::string, std::uint64_t> ahead_;  ///< by client: written down and not yet used
  std::map<std::string, bool> said_;            ///< by group: on_nearly_used was called
};

}  // namespace ap::app
