// A directory in memory for readers that take paths; its files are written anew for every input.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/bytes.h"

namespace ap::fuzz {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    const std::filesystem::path root = std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : "/tmp";
    path_ = root / ("autoprivacy-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(path_);
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Writes the file NAME, for its owner only.
  std::filesystem::path write(const std::string& name, ByteView bytes) const {
    const std::filesystem::path file = path_ / name;
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    ::close(fd);
    if (fd < 0 || put != static_cast<ssize_t>(bytes.size())) std::abort();
    return file;
  }

 private:
  std::filesystem::path path_;
};

/// The process's own, removed when it ends.
inline const TemporaryDirectory& temporary_directory() {
  static const TemporaryDirectory directory;
  return directory;
}

}  // namespace ap::fuzz
