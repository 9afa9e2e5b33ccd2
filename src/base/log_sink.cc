#include "base/log_sink.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace ap {
namespace {

// How long the writer waits at a time for a reader, before it looks whether it is to stop.
constexpr int kPollMs = 100;
// What is queued at the end gets so long.
constexpr std::chrono::milliseconds kLastWords{300};
// A pipe that poll() calls writable takes so much without blocking (POSIX).
constexpr std::size_t kPiece = 512;

}  // namespace

LogSink::LogSink(int descriptor) : descriptor_(descriptor), thread_([this] { run(); }) {}

LogSink::~LogSink() {
  {
    const std::lock_guard lock(queue_mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

std::uint64_t LogSink::dropped() const {
  const std::lock_guard lock(queue_mutex_);
  return dropped_;
}

void LogSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t text;
  formatter_->format(message, text);
  std::string line(text.data(), std::min(text.size(), kMaxLineBytes));
  if (line.size() == kMaxLineBytes) line.back() = '\n';
  const std::lock_guard lock(queue_mutex_);
  if (lines_.size() >= kMaxLines) {
    ++dropped_;
    ++unreported_;
    return;
  }
  if (unreported_ > 0) {
    lines_.push_back(fmt::format(
        "autoprivacy: {} lines of the log were dropped here: nobody read them in time\n", unreported_));
    unreported_ = 0;
  }
  lines_.push_back(std::move(line));
  changed_.notify_all();
}

/// False if it was given up because the sink is to end.
bool LogSink::write_line(const std::string& line) {
  std::chrono::steady_clock::time_point last_call{};
  for (std::size_t at = 0; at < line.size();) {
    pollfd ready{descriptor_, POLLOUT, 0};
    const int count = ::poll(&ready, 1, kPollMs);
    if (count > 0 && (ready.revents & (POLLERR | POLLNVAL)) != 0) return true;  // nobody will ever read it
    if (count > 0) {
      const ssize_t written = ::write(descriptor_, line.data() + at, std::min(kPiece, line.size() - at));
      if (written < 0 && errno != EINTR && errno != EAGAIN) return true;
      if (written > 0) at += static_cast<std::size_t>(written);
      continue;
    }
    const std::lock_guard lock(queue_mutex_);
    if (!stopping_) continue;
    const auto now = std::chrono::steady_clock::now();
    if (last_call == std::chrono::steady_clock::time_point{}) last_call = now;
    if (now - last_call > kLastWords) return false;
  }
  return true;
}

void LogSink::run() {
  // The process's signals are for threads that know what to do about them.
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(queue_mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || !lines_.empty(); });
    if (lines_.empty()) return;
    const std::string line = std::move(lines_.front());
    lines_.pop_front();
    lock.unlock();
    const bool go_on = write_line(line);
    lock.lock();
    if (!go_on) return;
  }
}

}  // namespace ap
