// A directory of prepared inferences, one party's halves, each to be used exactly once whatever crashes
// (format: docs/store-format.md). One file for each: ID.material, readable by its owner only.
//
//   save   ID.partial, written and synced -> renamed to ID.material -> directory synced
//   claim  ID.material -> renamed to ID.claimed -> directory synced -> read -> key overwritten, synced
//          -> removed
//   read, consume: as claim, but read before it is renamed
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
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/directory.h"
#include "base/secret_bytes.h"
#include "package/package.h"
#include "protocol/store/preprocessing_index.h"
#include "protocol/store/store_owner.h"

namespace ap::protocol {

/// Drawn by the client; both halves of one inference carry it.
using PreprocessingId = std::array<std::uint8_t, 16>;

struct StoreOptions {
  std::size_t max_inferences = 64;
  std::uint64_t max_bytes = std::uint64_t{64} << 30;  ///< of all files together
  /// The most inferences of one owner other than the store's own user; of max_bytes the same part, but always
  /// one inference. 0: a quarter of max_inferences, at least one.
  std::size_t max_owner_inferences = 0;
  double max_days = 30;                            ///< older ones are removed; above 0
  double max_anonymous_days = 7;                   ///< the same for owners without a name
  std::function<void(const std::string&)> notice;  ///< gets a sentence about each removal
  /// Tests only: called with "written", "renamed", "stored" by save, "claimed", "read", "wiped", "removed" by
  /// claim, after what they name.
  std::function<void(const char*)> reached;
  std::function<std::uint64_t()> clock;  ///< tests only: seconds since 1970
};

/// Whether there is room for one more half.
enum class Room : std::uint8_t {
  yes,
  owner_full,  ///< its owner has the share of one
  full,        ///< the whole store has no more
};

class PreprocessingStore {
 public:
  /// Makes the directory (mode 0700) if it is not there and removes what crashes left over and what is too
  /// old. @throws Error(input) if it cannot, Error(security) if other users may read or write the directory.
  PreprocessingStore(const std::filesystem::path& directory, Party role, const package::PackageId& id,
                     StoreOptions options = {});
  /// Opens a store in any directory, as the constructor above does in one of the file system.
  PreprocessingStore(std::unique_ptr<Directory> directory, Party role, const package::PackageId& id,
                     StoreOptions options = {});
  PreprocessingStore(const PreprocessingStore&) = delete;
  PreprocessingStore& operator=(const PreprocessingStore&) = delete;

  enum class Saved : std::uint8_t { done, owner_full, full, known };
  /// Durably, once this returns `done`. `known`: there is a half of this id.
  /// @throws Error(input) if the file cannot be written; the half is then not stored.
  Saved save(const PreprocessingId& id, ByteView payload, const StoreOwner& owner = {});
  /// Whether save would find room now.
  Room room(std::uint64_t payload_bytes, const StoreOwner& owner = {});

  /// Takes a half out, for ever. Nothing if there is none of this id, it is too old or another claimer was
  /// first. Takes as long whatever else is stored.
  /// @throws Error(input) if the file is damaged (it is then removed) or of another package, role or version,
  /// or others may read it (it is then left alone).
  std::optional<SecretBytes> claim(const PreprocessingId& id);

  /// The same in two steps, for a party that first asks the other one for its half: what it holds, which stays where
  /// it is (a damaged file is removed), and then, before anything of it is used, taking it out for ever. The latter is
  /// false if there is none any more: then nothing of what was read may be used. @throws as claim
  std::optional<SecretBytes> read(const PreprocessingId& id);
  bool consume(const PreprocessingId& id);

  /// Halves of this package and role, oldest first.
  std::vector<PreprocessingId> ids();
  std::string name() const { return directory_->name(); }

 private:
  class Lock;
  Room room_for(std::uint64_t payload_bytes, const StoreOwner& owner) const;
  bool too_old(std::uint64_t created, const StoreOwner& owner) const;
  std::string path_of(const std::string& file) const {
    return (std::filesystem::path(name()) / file).string();
  }
  std::unique_ptr<DirectoryFile> open_ready(const std::string& name);
  PreprocessingHeader expect_ours(DirectoryFile& file, const PreprocessingId& id,
                                  const std::string& where) const;
  std::uint64_t now() const;
  std::unique_ptr<DirectoryFile> find(Lock& lock, const PreprocessingId& id);
  bool take(const PreprocessingId& id, const std::function<void(DirectoryFile&, const std::string&)>& use);
  void sweep(Lock& lock);
  void remove_leftovers(Lock& lock);
  void reached(const char* point) const;
  void notice(const std::string& sentence) const;
  void sync_directory(const char* doing) const;
  void destroy(Lock& lock, const std::string& name);

  std::unique_ptr<Directory> directory_;
  Party role_;
  package::PackageId package_;
  StoreOptions options_;

  std::mutex mutex_;  ///< taken after the lock on the directory; guards what follows
  PreprocessingIndex index_;
  std::uint64_t generation_ = 0;  ///< of the directory when index_ was right, as the lock file says
  std::int64_t changed_ns_ = -1;  ///< the directory's time then; -1: index_ is not right
  std::uint64_t swept_ = 0;       ///< seconds since 1970
};

std::string to_hex(const PreprocessingId& id);

}  // namespace ap::protocol
