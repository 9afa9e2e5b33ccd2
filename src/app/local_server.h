// A server in a child process on the loopback interface, for `infer --local` and tests: the client talks to
// it over a real socket, as it would to another machine. The child runs this same program with `serve
// --ready-fd`.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace ap::app {

/// What a server tells its parent through the ready pipe.
struct ReadyReport {
  std::string address;      ///< host:port it listens on
  std::string fingerprint;  ///< SHA-256 of its certificate
};

/// Writes a report, or the reason why there is none, and closes the descriptor.
void report_ready(int fd, const ReadyReport& report);
void report_failure(int fd, int exit_status, const std::string& message);

class LocalServer {
 public:
  /// Starts `program serve package --listen 127.0.0.1:0`, with further `options`, and waits until it accepts
  /// connections. The child dies with this process, however that ends.
  /// @throws Error with the child's own code and sentence if it fails; Error(peer) after `patience`.
  LocalServer(const std::filesystem::path& program, const std::filesystem::path& package,
              const std::vector<std::string>& options = {},
              std::chrono::seconds patience = std::chrono::seconds(120));
  /// Ends and reaps the child.
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  const ReadyReport& ready() const { return ready_; }
  /// "wss://127.0.0.1:40123"
  std::string url() const { return "wss://" + ready_.address; }
  pid_t pid() const { return pid_; }

 private:
  void stop() noexcept;
  pid_t pid_ = -1;
  ReadyReport ready_;
};

/// The program that is running now.
std::filesystem::path this_program();

}  // namespace ap::app
