// One directory of the file system, as much of it as a store of preprocessing uses. Behind an interface
// so that a test can put a disk in its place which loses, fails and stops as disks do (tests/faults).
//
// Functions that can fail return 0 or an errno; those that return an object return none and say why in
// `error`. Nothing is durable before it is synced: the bytes of a file by DirectoryFile::sync, names by
// Directory::sync.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace ap {

struct FileInfo {
  std::uint64_t bytes = 0;
  std::int64_t modified_ns = 0;  ///< since 1970
  bool ours_alone = false;       ///< owned by this user, and no rights for anybody else
  bool regular = false;          ///< a file, not a directory, link or device
};

/// An open file; closed, and unlocked, when it is destroyed.
class DirectoryFile {
 public:
  DirectoryFile() = default;
  DirectoryFile(const DirectoryFile&) = delete;
  DirectoryFile& operator=(const DirectoryFile&) = delete;
  virtual ~DirectoryFile() = default;

  /// May read less than asked for; `got` is 0 at the end of the file only.
  virtual int read(std::span<std::uint8_t> bytes, std::uint64_t offset, std::size_t& got) = 0;
  /// May write less than asked for.
  virtual int write(ByteView bytes, std::uint64_t offset, std::size_t& put) = 0;
  virtual int sync() = 0;
  virtual int info(FileInfo& info) = 0;
};

class Directory {
 public:
  enum class Open : std::uint8_t {
    read,
    write,
    read_write,
    create,  ///< must not exist; mode 0600, read and write
    lock     ///< read and write, made if it is not there; locked (flock), waiting for whoever has it
  };

  Directory() = default;
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  virtual ~Directory() = default;

  /// What sentences call the directory.
  virtual std::string name() const = 0;
  /// Opens a file; links are not followed.
  virtual std::unique_ptr<DirectoryFile> open(const std::string& file, Open how, int& error) = 0;
  /// Replaces a file of the new name.
  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int remove(const std::string& file) = 0;
  virtual int sync() = 0;
  virtual int list(std::vector<std::string>& names) = 0;
  /// Says what is known of a file, or with an empty name of the directory, whose time changes with every name
  /// in it.
  virtual int info(const std::string& file, FileInfo& info) = 0;
};

/// All of the bytes, in as many calls as it takes.
int write_all(DirectoryFile& file, ByteView bytes, std::uint64_t offset);
/// Reads as many bytes as there are; `got` says how many.
int read_all(DirectoryFile& file, std::span<std::uint8_t> bytes, std::uint64_t offset, std::size_t& got);

/// A directory of the real file system, made (mode 0700, parents too) if it is not there.
/// @throws Error(input) if it cannot be made or opened.
std::unique_ptr<Directory> open_directory(const std::filesystem::path& path);

}  // namespace ap
