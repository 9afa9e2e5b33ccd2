// The networks that a server serves now, and how packages come and go while it runs: a folder is looked at again and again,
// and what a renamed file brings is served from then on. A package that cannot be used changes nothing but the log.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "app/package_files.h"
#include "app/served_network.h"

namespace ap::app {

class ServedNetworks {
 public:
  using List = std::vector<std::shared_ptr<ServedNetwork>>;

  /// One network for ever. @throws as ServedNetwork. `config` must outlive it.
  ServedNetworks(const package::Package& package, const ServerConfig& config);
  /// The server's packages among these files and in these folders (package_files); others are logged and left out.
  /// @throws Error(input) if none can be used; what is wrong with the only one, if it is one file.
  ServedNetworks(std::vector<std::filesystem::path> sources, const ServerConfig& config);

  /// Those that new clients may have, by the names of their files. Safe from any thread.
  std::shared_ptr<const List> now() const;
  /// The one of this package, or null. Safe from any thread.
  std::shared_ptr<ServedNetwork> find(const package::PackageId& id) const;
  /// Whether what is served can change: a client that asks for another package is then told of none.
  bool several() const { return several_; }
  /// Whether there is a folder to be looked at.
  bool watches() const { return watches_; }

  enum class Look : std::uint8_t {
    patient,  ///< in folders alone, and a file counts when two looks have found it the same
    at_once,  ///< at everything, now
  };
  /// Looks for packages that are new, changed or gone, and logs what it does about them. One call at a time.
  /// Returns whether `now` is another list.
  bool refresh(Look look);

 private:
  /// What is known of a file, by its path.
  struct Entry {
    FileStamp seen{};     ///< by the last look
    FileStamp judged{};   ///< what was loaded, refused or found to be none of ours
    bool missed = false;  ///< the last look did not find it
    std::shared_ptr<ServedNetwork> network;
  };
  ServedNetwork::Place place_of(const PackageFile& file, const package::PackageId& id) const;
  ServedNetwork::Place new_place(const PackageFile& file, const Entry& entry,
                                 const package::PackageId& id) const;
  void check_memory(std::uint64_t bytes) const;
  bool judge(const PackageFile& file, Entry& entry);
  std::shared_ptr<ServedNetwork> load(const PackageFile& file, const Entry& entry);
  void publish();

  const ServerConfig& config_;
  const std::vector<std::filesystem::path> sources_;
  bool several_ = false, watches_ = false;
  std::map<std::filesystem::path, Entry> entries_;  ///< touched by refresh alone
  mutable std::mutex mutex_;
  std::shared_ptr<const List> list_ = std::make_shared<const List>();
};

/// The ledger of a package: beside it, wherever a link to it leads, so that compiling the network again into
/// the same directory does not begin a new count. @throws Error(input) if there is no such package.
std::filesystem::path ledger_beside(const std::filesystem::path& package);

/// Where a server of this package, or of this folder, keeps its identity: PACKAGE.identity beside it as its ledger, or
/// FOLDER/server.identity. @throws as ledger_beside
std::filesystem::path identity_beside(const std::filesystem::path& package);

}  // namespace ap::app
