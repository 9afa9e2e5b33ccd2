// The directory of base/directory.h in the file system, by POSIX calls.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/directory.h"
#include "base/error.h"
#include "base/file_descriptor.h"

namespace ap {
namespace {

/// Calls again what a signal interrupted. 0 or an errno; what the call returned in `result`.
template <typename Call, typename Result>
int uninterrupted(const Call& call, Result& result) {
  do result = call();
  while (result < 0 && errno == EINTR);
  return result < 0 ? errno : 0;
}
template <typename Call>
int uninterrupted(const Call& call) {
  int result = 0;
  return uninterrupted(call, result);
}

FileInfo info_of(const struct stat& s) {
  return {static_cast<std::uint64_t>(s.st_size),
          s.st_mtim.tv_sec * std::int64_t{1'000'000'000} + s.st_mtim.tv_nsec,
          s.st_uid == ::geteuid() && (s.st_mode & 077) == 0, S_ISREG(s.st_mode)};
}

class PosixFile final : public DirectoryFile {
 public:
  explicit PosixFile(int fd) : fd_(fd) {}

  int read(std::span<std::uint8_t> bytes, std::uint64_t offset, std::size_t& got) override {
    ssize_t result = 0;
    const int error = uninterrupted(
        [&] { return ::pread(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); }, result);
    got = error == 0 ? static_cast<std::size_t>(result) : 0;
    return error;
  }
  int write(ByteView bytes, std::uint64_t offset, std::size_t& put) override {
    ssize_t result = 0;
    const int error = uninterrupted(
        [&] { return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); }, result);
    put = error == 0 ? static_cast<std::size_t>(result) : 0;
    return error;
  }
  int sync() override { return ::fsync(fd_.get()) == 0 ? 0 : errno; }
  int info(FileInfo& info) override {
    struct stat s {};
    if (::fstat(fd_.get(), &s) != 0) return errno;
    info = info_of(s);
    return 0;
  }

 private:
  FileDescriptor fd_;
};

class PosixDirectory final : public Directory {
 public:
  PosixDirectory(std::string name, int fd) : name_(std::move(name)), fd_(fd) {}

  std::string name() const override { return name_; }

  std::unique_ptr<DirectoryFile> open(const std::string& file, Open how, int& error) override {
    constexpr int kFlags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT | O_EXCL, O_RDWR | O_CREAT};
    int fd = -1;
    error = uninterrupted(
        [&] {
          return ::openat(fd_.get(), file.c_str(),
                          kFlags[static_cast<int>(how)] | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        },
        fd);
    if (error != 0) return nullptr;
    auto opened = std::make_unique<PosixFile>(fd);
    if (how == Open::lock) error = uninterrupted([&] { return ::flock(fd, LOCK_EX); });
    if (error != 0) return nullptr;
    return opened;
  }
  int rename(const std::string& from, const std::string& to) override {
    return ::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) == 0 ? 0 : errno;
  }
  int remove(const std::string& file) override {
    return ::unlinkat(fd_.get(), file.c_str(), 0) == 0 ? 0 : errno;
  }
  int sync() override { return ::fsync(fd_.get()) == 0 ? 0 : errno; }

  int list(std::vector<std::string>& names) override {
    names.clear();
    const int copy = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return errno;
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
    if (!stream) {
      const int error = errno;
      ::close(copy);
      return error;
    }
    errno = 0;
    while (const dirent* entry = ::readdir(stream.get())) names.emplace_back(entry->d_name);
    return errno;
  }
  int info(const std::string& file, FileInfo& info) override {
    struct stat s {};
    const int result =
        file.empty() ? ::fstat(fd_.get(), &s) : ::fstatat(fd_.get(), file.c_str(), &s, AT_SYMLINK_NOFOLLOW);
    if (result != 0) return errno;
    info = info_of(s);
    return 0;
  }

 private:
  const std::string name_;
  FileDescriptor fd_;
};

}  // namespace

int write_all(DirectoryFile& file, ByteView bytes, std::uint64_t offset) {
  for (std::size_t at = 0, put = 0; at < bytes.size(); at += put) {
    const int error = file.write(bytes.subspan(at), offset + at, put);
    if (error != 0) return error;
    if (put == 0) return EIO;
  }
  return 0;
}

int read_all(DirectoryFile& file, std::span<std::uint8_t> bytes, std::uint64_t offset, std::size_t& got) {
  std::size_t part = 0;
  for (got = 0; got < bytes.size(); got += part) {
    const int error = file.read(bytes.subspan(got), offset + got, part);
    if (error != 0) return error;
    if (part == 0) break;
  }
  return 0;
}

std::unique_ptr<Directory> open_directory(const std::filesystem::path& path) {
  // Folders above it that are missing are as private; what is wrong with one shows below.
  std::filesystem::path above;
  for (const std::filesystem::path& part : path.parent_path()) {
    above /= part;
    std::error_code ignored;
    if (!std::filesystem::exists(above, ignored)) ::mkdir(above.c_str(), 0700);
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    fail_input("cannot make the directory {}: {}", path.string(), std::strerror(errno));
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail_input("cannot open the directory {}: {}", path.string(), std::strerror(errno));
  return std::make_unique<PosixDirectory>(path.string(), fd);
}

}  // namespace ap
