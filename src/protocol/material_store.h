// A directory of prepared inferences, one party's halves, each to be used exactly once whatever crashes
// (format: docs/store-format.md). One file for each: ID.material, readable by its owner only.
//
//   save   ID.partial, written and synced -> renamed to ID.material -> directory synced
//   claim  ID.material -> renamed to ID.claimed -> directory synced -> read -> key overwritten, synced ->
//   removed
//
// So a half is either whole and unused or can never be used again: what is not named ID.material is never
// read, and is removed when a store is opened. A lock on the directory makes one operation at a time, among
// threads and processes; the kernel drops the lock of a process that is killed. The content is encrypted
// under a key at the front of the file, so that overwriting one sector makes the rest useless at once.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "package/package.h"

namespace ap::protocol {

/// Drawn by the client; both halves of one inference carry it.
using MaterialId = std::array<std::uint8_t, 16>;

struct StoreOptions {
  std::size_t max_inferences = 64;
  std::uint64_t max_bytes = std::uint64_t{64} << 30;  ///< of all files together
  double max_days = 30;                               ///< older ones are removed; above 0
  std::function<void(const std::string&)> notice;     ///< gets a sentence about each removal
  /// Tests only: called with "written", "renamed", "stored" by save, "claimed", "read", "wiped", "removed" by
  /// claim, after what they name.
  std::function<void(const char*)> reached;
};

class MaterialStore {
 public:
  /// Makes the directory (mode 0700) if it is not there and removes what crashes left over and what is too
  /// old. @throws Error(input) if it cannot, Error(security) if other users may read or write the directory.
  MaterialStore(const std::filesystem::path& directory, package::Role role, const package::PackageId& id,
                StoreOptions options = {});
  ~MaterialStore();
  MaterialStore(const MaterialStore&) = delete;
  MaterialStore& operator=(const MaterialStore&) = delete;

  /// Durably, once this returns true. False if the store is full or has a half of this id.
  /// @throws Error(input) if the file cannot be written; the half is then not stored.
  bool save(const MaterialId& id, ByteView payload);
  /// Whether save would find room now.
  bool has_room(std::uint64_t payload_bytes);

  /// Takes a half out, for ever. Nothing if there is none of this id or another claimer was first.
  /// @throws Error(input) if the file is damaged (it is then removed) or of another package, role or version,
  /// or others may read it (it is then left alone).
  std::optional<SecretBytes> claim(const MaterialId& id);

  /// Halves of this package and role, oldest first.
  std::vector<MaterialId> ids();
  const std::filesystem::path& directory() const { return directory_; }

 private:
  struct Entry;
  class Lock;
  std::vector<Entry> entries();
  std::vector<Entry> remove_old(std::vector<Entry> entries);
  void remove_leftovers();
  bool fits(const std::vector<Entry>& entries, std::uint64_t payload_bytes) const;
  void reached(const char* point) const;
  void notice(const std::string& sentence) const;
  void sync_directory(const char* doing) const;
  void destroy(const std::string& name);

  std::filesystem::path directory_;
  package::Role role_;
  package::PackageId package_;
  StoreOptions options_;
  int fd_ = -1;  ///< of the directory
};

std::string to_hex(const MaterialId& id);

}  // namespace ap::protocol
