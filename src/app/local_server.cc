#include "app/local_server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "base/error.h"

namespace ap::app {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr std::size_t kMaxReport = 1 << 16;
constexpr std::chrono::seconds kPatienceAtEnd{3};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

void write_and_close(int fd, const Json& json) {
  const Descriptor pipe(fd);
  const std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::size_t at = 0;
  while (at < line.size()) {
    const ssize_t put = ::write(pipe.get(), line.data() + at, line.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;  // the parent is gone; so shall we be, by its death signal
    at += static_cast<std::size_t>(put);
  }
}

/// Everything the child writes until it closes the pipe; nothing if that takes longer than until `deadline`.
std::optional<std::string> read_all(int fd, Clock::time_point deadline) {
  std::string text;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return std::nullopt;
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxReport) return text;
  }
}

/// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become_server(const char* program, char* const arguments[], int ready_fd, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // the parent died before the line above
  ::fcntl(ready_fd, F_SETFD, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  ::execv(program, arguments);
  ::_exit(127);
}

}  // namespace

void report_ready(int fd, const ReadyReport& report) {
  write_and_close(fd, {{"address", report.address}, {"fingerprint", report.fingerprint}});
}

void report_failure(int fd, int exit_status, const std::string& message) {
  write_and_close(fd, {{"exit_status", exit_status}, {"error", message}});
}

LocalServer::LocalServer(const std::filesystem::path& program, const std::filesystem::path& package,
                         const std::vector<std::string>& options, std::chrono::seconds patience) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    fail(ErrorCode::internal, "cannot make a pipe to a local server: {}", std::strerror(errno));
  }
  const Descriptor from_child(ends[0]);
  Descriptor to_parent(ends[1]);
  const std::string program_text = program.string(), package_text = package.string();
  const std::string fd_text = std::to_string(to_parent.get());
  std::vector<std::string> words = {program_text,  "serve",   package_text, "--listen",
                                    "127.0.0.1:0", "--quiet", "--ready-fd", fd_text};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail(ErrorCode::internal, "cannot start a local server: {}", std::strerror(errno));
  if (pid_ == 0) become_server(program_text.c_str(), arguments.data(), to_parent.get(), parent);
  to_parent.reset();
  try {
    const std::optional<std::string> text = read_all(from_child.get(), Clock::now() + patience);
    if (!text) fail_peer("the local server was not ready within {} s", patience.count());
    const Json json = Json::parse(*text, nullptr, false);
    if (json.is_object() && json.contains("error")) {
      const int status = json.value("exit_status", 1);
      throw Error(status >= 1 && status <= 4 ? static_cast<ErrorCode>(status) : ErrorCode::internal,
                  json.value("error", std::string()));
    }
    if (!json.is_object() || !json.contains("address")) {
      fail_peer("the local server ended before it was ready; run `autoprivacy serve {}` to see why",
                package_text);
    }
    ready_ = {json.value("address", std::string()), json.value("fingerprint", std::string())};
  } catch (...) {
    stop();
    throw;
  }
}

LocalServer::~LocalServer() { stop(); }

void LocalServer::stop() noexcept {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  const auto deadline = Clock::now() + kPatienceAtEnd;
  for (;;) {
    const pid_t ended = ::waitpid(pid_, nullptr, WNOHANG);
    if (ended == pid_ || (ended < 0 && errno != EINTR)) break;
    if (Clock::now() > deadline) {
      ::kill(pid_, SIGKILL);
      while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
      }
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  pid_ = -1;
}

std::filesystem::path this_program() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) fail(ErrorCode::internal, "cannot find the running program: {}", error.message());
  return program;
}

}  // namespace ap::app
