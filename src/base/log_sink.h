// Where a server's log goes: a descriptor whose reader may be slow or stuck.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace ap {

/// Lines wait in a queue of bounded length for a thread of its own that writes them; when it is full, lines
/// are dropped and counted, and the next one that goes out is preceded by their number. Logging never waits.
class LogSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  static constexpr std::size_t kMaxLines = 4096;
  static constexpr std::size_t kMaxLineBytes = 4096;  ///< longer ones are cut

  /// Writes to `descriptor`, which stays open and is not owned.
  explicit LogSink(int descriptor);
  /// Gives what is queued a moment to go out.
  ~LogSink() override;

  std::uint64_t dropped() const;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  void run();
  bool write_line(const std::string& line);

  const int descriptor_;
  mutable std::mutex queue_mutex_;
  std::condition_variable changed_;
  std::deque<std::string> lines_;
  std::uint64_t dropped_ = 0, unreported_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ap
