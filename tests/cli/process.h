// Runs the real program as a child process and collects what it says.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/paths.h"

namespace ap::cli {

inline std::string program() { return tests::binary_dir() / "autoprivacy"; }

class Process {
 public:
  explicit Process(std::vector<std::string> arguments, const std::string& file = program()) {
    int out_ends[2], err_ends[2];
    if (::pipe2(out_ends, O_CLOEXEC) != 0 || ::pipe2(err_ends, O_CLOEXEC) != 0)
      throw std::runtime_error("no pipe");
    arguments.insert(arguments.begin(), file);
    std::vector<char*> words;
    for (std::string& word : arguments) words.push_back(word.data());
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out_ends[1], STDOUT_FILENO);
      ::dup2(err_ends[1], STDERR_FILENO);
      ::execv(file.c_str(), words.data());
      ::_exit(127);
    }
    ::close(out_ends[1]);
    ::close(err_ends[1]);
    out_ = out_ends[0];
    err_ = err_ends[0];
  }
  ~Process() {
    if (pid_ > 0) {
      kill(SIGKILL);
      wait();
    }
    ::close(out_);
    ::close(err_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void kill(int signal) { ::kill(pid_, signal); }
  pid_t pid() const { return pid_; }

  /// Reads standard output up to and with the next newline, or to its end.
  std::string read_line() {
    std::string line;
    char c;
    while ((line.empty() || line.back() != '\n') && ::read(out_, &c, 1) == 1) line.push_back(c);
    return line;
  }

  /// Waits for the end, at most `patience`, then kills. Returns the exit status, or minus the signal.
  int wait(std::chrono::seconds patience = std::chrono::seconds(120)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    std::array<pollfd, 2> ends = {pollfd{out_, POLLIN, 0}, pollfd{err_, POLLIN, 0}};
    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
      if (std::chrono::steady_clock::now() > deadline) kill(SIGKILL);
      ::poll(ends.data(), ends.size(), 100);
      for (int i = 0; i < 2; ++i) {
        if (ends[i].fd < 0 || ends[i].revents == 0) continue;
        std::array<char, 4096> buffer;
        const ssize_t got = ::read(ends[i].fd, buffer.data(), buffer.size());
        if (got <= 0) {
          ends[i].fd = -1;
        } else {
          (i == 0 ? out : err).append(buffer.data(), static_cast<std::size_t>(got));
        }
      }
    }
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string out, err;  ///< filled by wait

 private:
  pid_t pid_ = -1;
  int out_ = -1, err_ = -1;
};

struct Result {
  int status = 0;
  std::string out, err;
  /// Lines on standard error.
  int complaints() const { return static_cast<int>(std::count(err.begin(), err.end(), '\n')); }
};

/// Runs another program, or this one from another place.
inline Result run_program(const std::string& file, std::vector<std::string> arguments) {
  Process process(std::move(arguments), file);
  Result result;
  result.status = process.wait();
  result.out = process.out;
  result.err = process.err;
  return result;
}

inline Result run(std::vector<std::string> arguments) { return run_program(program(), std::move(arguments)); }

}  // namespace ap::cli
