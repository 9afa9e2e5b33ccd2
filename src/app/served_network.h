// One network that a server serves: its weights, the inferences that are prepared and counted for it, and what was done
// with it. A session holds the network that it is about, so one that is served no more lives until its last session ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/ledger.h"
#include "app/server_config.h"
#include "app/status_page.h"
#include "app/web_pages.h"
#include "he_only/package/package.h"
#include "package/package.h"
#include "protocol/he/server.h"
#include "protocol/hybrid/server.h"
#include "protocol/store/preprocessing_store.h"

namespace ap::app {

class ServedNetwork {
 public:
  struct Place {
    std::string name;              ///< what logs and metrics call it
    std::filesystem::path ledger;  ///< empty: it counts in memory
    std::filesystem::path store;   ///< empty: it keeps no inferences
    // Of the other networks below the same ceiling on memory, in bytes: all weights, and the largest session.
    std::uint64_t others = 0, other_session = 0;
  };
  /// Prepares the weights. `config` must outlive it.
  /// @throws Error(input) if the package is not a server's, the ceiling on memory has no room for it and a session, or
  /// its files cannot be used; Error(security) if others may read or write those.
  ServedNetwork(const package::Package& package, Place place, const ServerConfig& config);
  /// The same of a network that runs by homomorphic encryption alone. It keeps no inferences, and browsers get no package of it.
  ServedNetwork(he_only::Package package, Place place, const ServerConfig& config);

  const std::string& name() const { return place_.name; }
  const package::PackageId& id() const { return id_; }
  /// Of the hybrid protocol. Null of a network that runs by homomorphic encryption alone.
  const protocol::ServerModel* hybrid() const { return hybrid_ ? &*hybrid_ : nullptr; }
  /// Of homomorphic encryption alone, else null.
  const protocol::he::ServerModel* he() const { return he_.get(); }
  /// For browsers, made once; without a page for them, nothing.
  const WebPages::File& client_package() const { return client_package_; }
  protocol::PreprocessingStore* store() const { return store_.get(); }
  /// Bytes of the weights and what lies beside them; and of a session, at most.
  std::uint64_t model_bytes() const { return model_bytes_; }
  std::uint64_t session_bytes() const { return session_bytes_; }

  /// Whether inferences are counted: the package promises something about its weights, or the operator limits
  /// them.
  bool counts() const { return ledger_ != nullptr; }
  /// Whether counting began with this object.
  bool counts_from_zero() const { return ledger_ && ledger_->is_new(); }
  const std::filesystem::path& ledger_file() const { return place_.ledger; }
  /// What the ledger is told of who belongs to which group, once for each `version` of that.
  void remember(const std::vector<Client>& clients, std::uint64_t version);
  /// One more inference for this client, if it is allowed. @throws Error(input) if it cannot be counted.
  protocol::Permission count(const Client& client);
  Standing standing(const std::string& group) { return ledger_->standing(group); }

  /// Takes from the system, and frees, what a first inference would otherwise wait for: memory for garbled tables and
  /// rotation keys, which the process keeps (base/freed_memory.h).
  void take_memory() const;

  std::atomic<std::size_t> sessions{0};
  std::atomic<std::uint64_t> started{0}, failed{0}, prepared{0}, inferences{0}, refused_inferences{0};
  NetworkFigures figures() const;

 private:
  void open_ledger(std::uint64_t limit);
  const ServerConfig& config_;
  Place place_;
  std::uint64_t model_bytes_ = 0, session_bytes_ = 0;
  WebPages::File client_package_;
  package::PackageId id_{};
  std::optional<protocol::ServerModel> hybrid_;
  std::unique_ptr<const protocol::he::ServerModel> he_;
  std::unique_ptr<protocol::PreprocessingStore> store_;
  std::unique_ptr<Ledger> ledger_;  ///< none: inferences need not be counted
  std::atomic<std::uint64_t> remembered_{0};
};

/// At most, with all that may wait in its queues.
std::uint64_t session_bytes(const protocol::Model& model, const ServerConfig& config);

/// Messages that wait in either direction of a connection whose client has prepared an inference, in bytes: enough to keep
/// a fast line busy.
inline constexpr std::size_t kSessionQueueBytes = std::size_t{64} << 20;

}  // namespace ap::app
