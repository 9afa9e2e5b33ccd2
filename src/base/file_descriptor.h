// A POSIX file descriptor that closes itself.
#pragma once

#include <unistd.h>

namespace ap {

/// Owns the descriptor; a negative one (a failed open) is held as it is.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace ap
