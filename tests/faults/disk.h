// A disk that loses what was not synced, as POSIX lets it: of every file and directory it keeps what is there
// and what would be there after a power cut, and chooses between them by the world's seed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/directory.h"
#include "tests/faults/world.h"

namespace ap::faults {

/// How likely an operation is to fail, 0 to 1.
struct DiskFaults {
  double read = 0;      ///< EIO
  double write = 0;     ///< EIO
  double no_space = 0;  ///< ENOSPC, of a write or a new file
  double sync = 0;      ///< EIO; some of what was to be synced is lost then, and a later sync does not say so
  double rename = 0;    ///< EIO, of renaming and removing
};

/// What a broken store would leave out. Every one must be noticed.
struct Lies {
  bool file_sync = false;       ///< syncs of files do nothing
  bool directory_sync = false;  ///< syncs of directories do nothing
  bool wipe = false;            ///< zeros over a header are not written
  bool lock = false;            ///< locks hold nobody but the same process
  bool keep_renamed = false;    ///< a renamed file keeps its old name too
  bool no_removal = false;      ///< files are not removed
};

class Disk {
 public:
  explicit Disk(World& world) : world_(world) {}
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  struct Inode {
    Bytes now, durable;
    struct Write {
      std::uint64_t offset;
      Bytes bytes;
    };
    std::vector<Write> pending;  ///< since the last sync
    std::uint64_t modified_ms = 0;
    /// Who holds it: one, or where locks lie one of each process.
    std::map<const Process*, const void*> locks;
  };
  using File = std::shared_ptr<Inode>;
  struct Folder {
    std::map<std::string, File> now, durable;
    struct Change {  ///< first `removed` goes, then `added` is that file
      std::string removed, added;
      File file;
    };
    std::vector<Change> pending;
    std::uint64_t modified_ms = 0;
  };

  /// All of 0 or an errno.
  int write(Inode& file, ByteView bytes, std::uint64_t offset, std::size_t& put);
  int read(const Inode& file, std::span<std::uint8_t> bytes, std::uint64_t offset, std::size_t& got);
  int truncate(Inode& file, std::uint64_t bytes);
  int sync(Inode& file);
  int sync(Folder& folder);
  int create(Folder& folder, const std::string& name, File& file);
  int rename(Folder& folder, const std::string& from, const std::string& to);
  int remove(Folder& folder, const std::string& name);

  /// For a process of this machine.
  std::unique_ptr<Directory> open(const std::string& name, const Process& process);
  Folder& folder(const std::string& name) { return folders_[name]; }
  World& world() { return world_; }

  void cut_power();

  DiskFaults faults;
  Lies lies;
  /// Operations that failed, without those that were cut short, which are no failures.
  std::uint64_t failures = 0;

 private:
  bool fails(double chance);
  void lose_some(Inode& file);
  void lose_some(Folder& folder);

  World& world_;
  std::map<std::string, Folder> folders_;
};

/// A computer: its programs die together when its power is cut.
struct Machine {
  explicit Machine(World& world, std::string called) : name(std::move(called)), disk(world) {}
  std::string name;
  Disk disk;
  std::uint64_t power_cuts = 0;
};

/// Seconds since 1970 of the world's clock.
inline std::uint64_t world_seconds(const World& world) { return 1'700'000'000 + world.now_ms / 1000; }

}  // namespace ap::faults
