#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/file_descriptor.h"

namespace ap {
namespace {

struct OpenFile {
  // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
  explicit OpenFile(const std::filesystem::path& path)
      : descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor.get() < 0) fail_input("cannot read {}: {}", path.string(), std::strerror(errno));
    struct stat info {};
    if (::fstat(descriptor.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      fail_input("cannot read {}: it is not a regular file", path.string());
    }
    size = static_cast<std::uint64_t>(info.st_size);
  }
  FileDescriptor descriptor;
  std::uint64_t size = 0;
};

Bytes read_bytes(const std::filesystem::path& path, const FileDescriptor& file, std::uint64_t count) {
  Bytes bytes(count);
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_input("cannot read {}: it ended at byte {} of {}", path.string(), at, count);
    at += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace

Bytes read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
  const OpenFile file(path);
  if (file.size > max_bytes) {
    fail_input("{} has {} bytes, more than the {} allowed here", path.string(), file.size, max_bytes);
  }
  return read_bytes(path, file.descriptor, file.size);
}

Bytes read_start(const std::filesystem::path& path, std::size_t count) {
  const OpenFile file(path);
  return read_bytes(path, file.descriptor, std::min<std::uint64_t>(count, file.size));
}

void write_file(const std::filesystem::path& path, ByteView bytes, Readers readers) {
  // Two writers of one file, in one process or in two, must not share a temporary file.
  static std::atomic<unsigned> writes{0};
  std::filesystem::path temporary = path;
  temporary += fmt::format(".{}.{}.tmp", ::getpid(), writes++);
  const auto give_up = [&](const char* doing) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail_input("cannot {} {}: {}", doing, path.string(), std::strerror(error));
  };
  {
    // One that a killed process of the same number left may have other readers.
    ::unlink(temporary.c_str());
    const FileDescriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                     readers == Readers::owner ? 0600 : 0644));
    if (file.get() < 0) give_up("create");
    std::size_t at = 0;
    while (at < bytes.size()) {
      const ssize_t put = ::write(file.get(), bytes.data() + at, bytes.size() - at);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) give_up("write");
      at += static_cast<std::size_t>(put);
    }
    if (::fsync(file.get()) != 0) give_up("sync");
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) give_up("rename onto");
}

bool others_may_read(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

}  // namespace ap
